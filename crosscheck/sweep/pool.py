"""The worker processes of this machine: each computes one shard at a time, and starts when it is needed.

A worker that crashes, hangs or misbehaves is not used again; a new one starts for the next shard.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from adapters.child import Child, ChildLateError, ChildLostError
from adapters.errors import AdapterError, JournalError
from adapters.process_options import Turns, load
from adapters.start import environment_of
from adapters.worker_process import LOADING
from crosscheck.pool import AdapterPool
from crosscheck.sweep.job import (
    USER_ERRORS,
    Answer,
    Done,
    Failed,
    Job,
    Refused,
    SweepError,
    WorkerInfo,
    decode,
    differences,
    header_of,
)

MODULE: Final = "crosscheck.sweep.worker"
# The time limit of a shard's second attempt is this factor times that of the first, plus the longest time of
# one call: calls go to the adapters' own processes and must time out first, so that a hanging one is named.
SECOND_ATTEMPT_FACTOR: Final = 3
ENDED: Final = "the sweep has ended"

_serial = itertools.count()


class Worker:
    """One worker process.

    Attributes:
        name: the name of the worker in messages.
        info: the worker's versions and adapters; None until it has loaded everything.
    """

    def __init__(self, job: Job) -> None:
        """Start the process; `load` waits until it is ready.

        Raises:
            JournalError: the directory for the log of its output cannot be made.
        """
        folder = Path(job.journal)
        self.name = f"worker {os.getpid()}.{next(_serial)}"
        self.log = folder / f"sweep.{self.name.removeprefix('worker ')}.log"
        self._job = job
        try:
            folder.mkdir(parents=True, exist_ok=True)
            variables = environment_of(1, job.environment)
            text = msgspec.json.encode(job).decode()
            self._child = Child(sys.executable, text, variables, self.log, MODULE)
        except OSError as error:
            raise JournalError(f"cannot keep a log in {folder}: {error.strerror}") from None
        self.info: WorkerInfo | None = None

    def load(self) -> WorkerInfo:
        """Wait until the worker has loaded everything, and return its versions and adapters.

        Raises:
            AdapterError: an adapter cannot be loaded.
            ChildLostError: the worker crashed.
        """
        if self.info is None:
            said = self._child.ask(None, LOADING)
            if "refused" in said:
                raise msgspec.convert(said["refused"], Refused).error
            self.info = msgspec.convert(said["info"], WorkerInfo)
        return self.info

    def compute(self, shard: int, *, careful: bool) -> Answer:
        """Compute a shard; return its result, or the reason why there is none.

        Raises:
            ChildLostError: the worker crashed, or took too long.
        """
        limit = self._job.limit
        if careful:
            limit = limit * SECOND_ATTEMPT_FACTOR + self._job.process_options.longest
        said = self._child.ask({"shard": shard, "careful": careful}, limit)
        data = os.pread(self._child.results.fileno(), said["bytes"], 0)
        return decode(data)

    def close(self, *, keep_log: bool = False) -> None:
        """End the process, even while it is computing; the log of its output may say what went wrong."""
        self._child.close()
        if not keep_log:
            self.log.unlink(missing_ok=True)


class Pool:
    """The workers of this machine for one job, an `Executor`; any number of threads may use it.

    After a failure the caller requests the shard once more, and another worker computes it.
    """

    def __init__(self, job: Job, workers: int = 1, wanted: WorkerInfo | None = None) -> None:
        """Make the pool, in which workers start when they are needed.

        All must have the versions and adapters that are wanted; None: those of the first worker.
        """
        self.max_pending = 2 * workers
        self._job, self._workers, self._wanted = job, workers, wanted
        self._all: set[Worker] = set()
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._turns = Turns()
        self._closed = False
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="shard")

    def worker_info(self) -> WorkerInfo:
        """Start all workers, wait until they have loaded everything, and return their versions and adapters.

        Raises:
            AdapterError: an adapter cannot be loaded, or a worker crashed while it loaded the adapters.
            JournalError: see `Worker`.
        """
        started = [self._taken() for _ in range(self._workers)]
        try:
            infos = [self._loaded(worker) for worker in started]
        except Exception as error:
            for worker in started:
                self._dismiss(worker, keep_log=True)
            if isinstance(error, ChildLostError):
                raise AdapterError(self._cause_of(error)) from None
            raise
        for worker in started:
            self._give_back(worker)
        return infos[0]

    def _cause_of(self, lost: ChildLostError) -> str:
        """Name the adapter whose process also crashes while it loads that adapter alone, if there is one."""
        with AdapterPool.start(self._job.specs, self._job.process_options, shared=True) as pool:
            alone = f"a worker {lost} while it loaded all adapters, each of which loads alone"
            return next(map(str, pool.crashed.values()), alone)

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """Submit a shard (`crosscheck.sweep.session.Executor`); a second attempt runs on another worker.

        A shard that took too long is tried again while no other shard is being computed.
        """
        alone = first is not None and first.late
        return self._threads.submit(self.attempt, shard, careful=first is not None, alone=alone)

    def attempt(self, shard: int, *, careful: bool, alone: bool = False) -> Answer:
        """Compute a shard; return its result, or the reason why there is none, such as a closed pool.

        Args:
            shard: the number of the shard.
            careful: whether no adapter runs in the worker itself, so that one that crashes is named.
            alone: whether to wait until no other worker of the pool computes, and to keep them waiting.
        """
        turn = self._turns.alone if alone else self._turns.beside_others
        try:
            with turn(self._check_open):
                return self._answer(self._taken(), shard, careful=careful)
        except (JournalError, SweepError) as error:
            return Refused.of(error)

    def _check_open(self) -> None:
        if self._closed:
            raise SweepError(ENDED)

    def _answer(self, worker: Worker, shard: int, *, careful: bool) -> Answer:
        """Return a worker's answer; only a worker that has computed its shard is used again."""
        try:
            self._loaded(worker)
            found = worker.compute(shard, careful=careful)
        except ChildLostError as lost:
            self._dismiss(worker, keep_log=not self._closed)
            self._check_open()
            late = isinstance(lost, ChildLateError)
            how = f"{lost} ({load()})" if late else lost
            return Failed(what=f"its {worker.name} {how}; what it printed: {worker.log}", late=late)
        except (AdapterError, SweepError) as error:
            found = Refused.of(error)
        if isinstance(found, Done):
            self._give_back(worker)
            return found
        is_ours = isinstance(found, Refused) and found.error_type not in USER_ERRORS
        self._dismiss(worker, keep_log=is_ours)
        if isinstance(found, Refused) and is_ours:
            found = msgspec.structs.replace(found, message=f"{found.message}; see {worker.log}")
        return found

    def close(self) -> None:
        """Cancel what has not begun, and end every worker, even those that are computing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            workers = list(self._all)
        for worker in workers:
            self._dismiss(worker)
        self._threads.shutdown()

    def _loaded(self, worker: Worker) -> WorkerInfo:
        """Wait for a worker; raise SweepError if its versions or adapters are not those of the others."""
        info = worker.load()
        self._wanted = self._wanted or info
        if info != self._wanted:
            kind = self._job.sweep_kind()
            how = differences(header_of(kind, self._wanted, ""), header_of(kind, info, "")) or [
                f"{name} describes itself differently"
                for name, said in info.descriptions.items()
                if said != self._wanted.descriptions.get(name)
            ]
            raise SweepError(f"{worker.name} differs from those before it: {'; '.join(how)}")
        return info

    def _taken(self) -> Worker:
        """Reserve an idle worker, or start a new one."""
        with self._lock:
            self._check_open()
            if self._idle:
                return self._idle.pop()
            worker = Worker(self._job)
            self._all.add(worker)
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append(worker)

    def _dismiss(self, worker: Worker, *, keep_log: bool = False) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.close(keep_log=keep_log)
