"""An executor that computes shards on the workers of a Dask cluster.

A Dask task computes nothing itself: it passes the shard to a worker process on its machine, as a sweep
without a cluster does. So no shard can crash a Dask worker, and the number of threads is the same everywhere.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

import msgspec

from adapters import compilation
from adapters.errors import one_line
from adapters.worker_process import LOADING
from crosscheck.sweep.job import (
    Answer,
    Failed,
    Job,
    Refused,
    SweepError,
    WorkerInfo,
    decode,
    encode,
    read_job,
)
from crosscheck.sweep.pool import ENDED, Pool

try:
    from distributed import Client, KilledWorker, get_worker
except ModuleNotFoundError as missing:
    raise SweepError(f"--scheduler needs {missing.name}: pip install -e '.[sweep,dask]'") from None

# Seconds within which the scheduler must answer and must have a worker.
CONNECT_TIMEOUT: Final = 30.0


class DaskExecutor:
    """Computes shards on all workers of a Dask scheduler, including workers that join later."""

    def __init__(self, address: str, job: Job, wanted: WorkerInfo) -> None:
        """Make every worker load the frameworks and adapters that are wanted, those of this machine.

        Raises:
            SweepError: there is no scheduler or no worker, or a worker has other versions or adapters.
        """
        self._address = address
        self._job = msgspec.json.encode(job)
        self._wanted = msgspec.json.encode(wanted)
        try:
            self._client = Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:  # no answer, or no address
            raise SweepError(f"no scheduler answers at {address}: {one_line(error)}") from None
        try:
            self._check_ready()
        except BaseException:
            self.close()
            raise

    def _check_ready(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
        except TimeoutError:
            what = f"the scheduler at {self._address} has no worker: dask worker {self._address} starts one"
            raise SweepError(what) from None
        each = {
            where: self._client.submit(ready, self._job, self._wanted, workers=[where], pure=False)
            for where in self._workers()
        }
        for where, task in each.items():
            try:
                found = task.result(timeout=LOADING)
            except Exception as error:  # noqa: BLE001, whatever a worker with other packages may raise
                raise SweepError(f"the worker {where} cannot load the suite: {one_line(error)}") from None
            if found:
                refused = msgspec.json.decode(found, type=Refused)
                raise SweepError(f"the worker {where}: {refused.message}")

    @property
    def max_pending(self) -> int:
        """The number of shards that may be submitted at a time: two for each thread of the workers."""
        return 2 * sum(self._workers().values()) or 1

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """Submit a shard, as `session.Executor` says; Dask gives the shard of a lost worker to another."""
        others = [] if first is None else [where for where in self._workers() if where != first.where]
        elsewhere = {"workers": others, "allow_other_workers": True} if others else {}
        executor = self._client.get_executor(pure=False, **elsewhere)
        found: Future[Answer] = Future()
        task = executor.submit(attempt, self._job, self._wanted, shard, first is not None)
        task.add_done_callback(lambda done: found.set_result(self._understood(done)))
        return found

    def _understood(self, done: Future[bytes]) -> Answer:
        try:
            answer = decode(done.result())
        except KilledWorker as error:
            times, last = error.allowed_failures + 1, error.last_worker.address
            what = f"{times} Dask workers that had it ended unexpectedly, the last at {last}"
            return Failed(what=what, where=last)
        except BaseException as error:  # noqa: BLE001, CancelledError too: the connection is lost
            return Refused.of(self._lost(error))
        return answer

    def _workers(self) -> dict[str, int]:
        """Return the number of threads of each worker."""
        try:
            threads: dict[str, int] = self._client.nthreads()
        except Exception as error:  # noqa: BLE001, a lost connection may raise any exception
            raise self._lost(error) from None
        return threads

    def _lost(self, error: BaseException) -> SweepError:
        return SweepError(f"lost the cluster at {self._address}: {one_line(error, type(error).__name__)}")

    def close(self) -> None:
        """End the processes of this sweep on all workers, and close the connection."""
        with contextlib.suppress(Exception):  # if the connection is lost, there is nothing to close
            self._client.run(end, self._job)
        self._client.close()


# The functions that Dask workers run. Their arguments and results are plain texts and JSON, so that another
# version of the suite can report itself.

# After so many seconds without a task the processes end, since their client may have crashed.
IDLE: Final = 60.0

_lock = threading.Lock()


class _Shared:
    """The pool of a sweep, and the number of tasks that use it."""

    def __init__(self, job: bytes, wanted: bytes) -> None:
        read = read_job(job)
        # This machine decides where compiled programs are kept.
        here = msgspec.structs.replace(read, environment={**read.environment, **compilation.kept()})
        self.pool = Pool(here, wanted=msgspec.json.decode(wanted, type=WorkerInfo))
        self.tasks, self.idle = 0, threading.Timer(IDLE, _close_pool, [job])


_shared: dict[bytes, _Shared] = {}
_ended: set[bytes] = set()


@contextmanager
def _pool_of(job: bytes, wanted: bytes) -> Iterator[Pool]:
    with _lock:
        if job in _ended:
            raise SweepError(ENDED)
        shared = _shared.get(job) or _Shared(job, wanted)
        _shared[job] = shared
        shared.tasks += 1
        shared.idle.cancel()
    try:
        yield shared.pool
    finally:
        with _lock:
            shared.tasks -= 1
            if not shared.tasks and _shared.get(job) is shared:
                shared.idle = threading.Timer(IDLE, _close_pool, [job])
                shared.idle.daemon = True
                shared.idle.start()


def end(job: bytes) -> None:
    """End the processes of a sweep on this machine; tasks that arrive later are refused."""
    with _lock:
        _ended.add(job)
    _close_pool(job, even_at_work=True)


def _close_pool(job: bytes, *, even_at_work: bool = False) -> None:
    with _lock:
        shared = _shared.get(job)
        if shared is None or (shared.tasks and not even_at_work):
            return
        del _shared[job]
    shared.idle.cancel()
    shared.pool.close()


def ready(job: bytes, wanted: bytes) -> bytes:
    """Load everything; return no bytes if the versions are those wanted, otherwise an encoded `Refused`."""
    try:
        with _pool_of(job, wanted) as pool:
            pool.worker_info()
    except Exception as error:  # noqa: BLE001, the client reports it
        return msgspec.json.encode(Refused.of(error))
    return b""


def attempt(job: bytes, wanted: bytes, shard: int, careful: bool) -> bytes:  # noqa: FBT001, plain data for Dask
    """Compute a shard; return the encoded answer, which is `Refused` if other versions are installed here."""
    try:
        with _pool_of(job, wanted) as pool:
            answer = pool.attempt(shard, careful=careful)
    except SweepError as error:
        answer = Refused.of(error)
    return encode(_placed(answer, get_worker().address))


def _placed(answer: Answer, where: str) -> Answer:
    """Add the address of the Dask worker to an answer that is a failure or refusal."""
    if isinstance(answer, Failed):
        return msgspec.structs.replace(answer, what=f"{answer.what}; on {where}", where=where)
    if isinstance(answer, Refused):
        return msgspec.structs.replace(answer, message=f"{where}: {answer.message}")
    return answer
