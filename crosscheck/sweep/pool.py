"""The workers of one machine: processes that each compute one shard at a time, started when they are needed.

A process that dies, hangs or misbehaves is not asked again; whoever has the next shard starts a new one.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from adapters.child import Child, ChildLateError, ChildLostError, environment_of
from adapters.errors import AdapterError, JournalError
from adapters.host import LOADING
from adapters.turns import Turns, load
from crosscheck.sweep.errors import SweepError
from crosscheck.sweep.identity import told_apart
from crosscheck.sweep.messages import THEIRS, Answer, Done, Failed, Job, Refused, Told

MODULE: Final = "crosscheck.sweep.worker"
# So many times the limit of a shard for its second attempt, and what one call of an adapter may take with a
# second attempt of its own: each goes to another process and back, and one that hangs is to be named first.
CAREFULLY: Final = 3
ENDED: Final = "the sweep has ended"

_serial = itertools.count()


class Worker:
    """One process.

    Attributes:
        name: for messages.
        told: what it said when it had loaded everything.
    """

    def __init__(self, job: Job) -> None:
        """Start it; `load` waits for it.

        Raises:
            JournalError: the directory for what it prints cannot be made.
        """
        folder = Path(job.journal)
        self.name = f"worker {os.getpid()}.{next(_serial)}"
        self.log = folder / f"sweep.{self.name.removeprefix('worker ')}.log"
        self._job = job
        try:
            folder.mkdir(parents=True, exist_ok=True)
            variables = environment_of(1, job.environment)
            told = msgspec.json.encode(job).decode()
            self._child = Child(sys.executable, told, variables, self.log, MODULE)
        except OSError as error:
            raise JournalError(f"cannot keep a log in {folder}: {error.strerror}") from None
        self.told: Told | None = None

    def load(self) -> Told:
        """What it says when it has loaded everything.

        Raises:
            AdapterError: an adapter cannot be loaded there.
            ChildLostError: it died.
        """
        if self.told is None:
            said = self._child.ask(None, LOADING)
            if "refused" in said:
                raise msgspec.convert(said["refused"], Refused).error
            self.told = msgspec.convert(said["told"], Told)
        return self.told

    def compute(self, shard: int, *, careful: bool) -> Answer:
        """The result of a shard, or why there is none.

        Raises:
            ChildLostError: it died, or took too long.
        """
        limit = self._job.limit * CAREFULLY + self._job.conditions.longest if careful else self._job.limit
        said = self._child.ask({"shard": shard, "careful": careful}, limit)
        data = os.pread(self._child.results.fileno(), said["bytes"], 0)
        answer: Answer = msgspec.json.decode(data, type=Answer)
        return answer

    def close(self, *, keep_log: bool = False) -> None:
        """End it, at once if it is at work.

        Args:
            keep_log: what it printed may say what went wrong.
        """
        self._child.close()
        if not keep_log:
            self.log.unlink(missing_ok=True)


class Pool:
    """The workers of this machine for one job; any number of threads may use them.

    Who puts a shard to one that fails does so again, on another.
    """

    def __init__(self, job: Job, wanted: Told | None = None) -> None:
        """Start nothing yet.

        Args:
            job: of the sweep.
            wanted: what every worker must say; None: what the first one says.
        """
        self._job, self._wanted = job, wanted
        self._all: set[Worker] = set()
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._turns = Turns()
        self._closed = False

    def told(self, workers: int = 1) -> Told:
        """What a worker here says when it has loaded everything.

        Args:
            workers: how many start now, all at once.

        Raises:
            AdapterError: an adapter cannot be loaded.
            ChildLostError: a worker died.
            JournalError: as `Worker`.
        """
        started = [self._taken() for _ in range(workers)]
        try:
            told = [self._loaded(worker) for worker in started]
        except Exception:
            for worker in started:
                self._dismiss(worker, keep_log=True)
            raise
        for worker in started:
            self._give_back(worker)
        return told[0]

    def attempt(self, shard: int, *, careful: bool, alone: bool = False) -> Answer:
        """The result of a shard, or why there is none; refused also once the pool is closed.

        Args:
            shard: its number.
            careful: as `Worker.compute`.
            alone: while no other worker of the pool computes.
        """
        turn = self._turns.alone if alone else self._turns.beside_others
        try:
            with turn(self._see_open):
                return self._attempt(shard, careful=careful)
        except SweepError as error:
            return Refused.of(error)

    def _see_open(self) -> None:
        if self._closed:
            raise SweepError(ENDED)

    def _attempt(self, shard: int, *, careful: bool) -> Answer:
        try:
            worker = self._taken()
        except (AdapterError, JournalError, SweepError) as error:
            return Refused.of(error)
        try:
            self._loaded(worker)
            found = worker.compute(shard, careful=careful)
        except ChildLostError as lost:
            self._dismiss(worker, keep_log=not self._closed)
            if self._closed:
                return Refused.of(SweepError(ENDED))
            late = isinstance(lost, ChildLateError)
            how = f"{lost} ({load()})" if late else lost
            return Failed(what=f"its {worker.name} {how}; what it printed: {worker.log}", late=late)
        except (AdapterError, SweepError) as error:
            found = Refused.of(error)
        if isinstance(found, Done):
            self._give_back(worker)
            return found
        is_ours = isinstance(found, Refused) and found.kind not in THEIRS
        self._dismiss(worker, keep_log=is_ours)
        if isinstance(found, Refused) and is_ours:
            found = msgspec.structs.replace(found, message=f"{found.message}; see {worker.log}")
        return found

    def close(self) -> None:
        """End every worker, those at work at once."""
        with self._lock:
            self._closed = True
            workers = list(self._all)
        for worker in workers:
            self._dismiss(worker)

    def _loaded(self, worker: Worker) -> Told:
        """What the worker says, if it is what is wanted: somebody may install something during a sweep."""
        told = worker.load()
        self._wanted = self._wanted or told
        if told != self._wanted:
            how = told_apart(self._job, self._wanted, told)
            raise SweepError(f"{worker.name} differs from those before it: {how}")
        return told

    def _taken(self) -> Worker:
        """A worker for the caller alone."""
        with self._lock:
            if self._closed:
                raise SweepError(ENDED)
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
