"""The functions that Dask workers run: they pass shards to worker processes, which a sweep's tasks share.

Their arguments and results are plain texts and JSON, so that another version of the suite can report itself.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from distributed import get_worker

from adapters import compilation
from adapters.child import ChildLostError
from crosscheck.sweep.kind import SweepError
from crosscheck.sweep.messages import Answer, Failed, Refused, WorkerInfo, encode, read_job
from crosscheck.sweep.pool import ENDED, Pool

# After so many seconds without a task the processes end, since their client may have crashed.
IDLE: Final = 60.0

_lock = threading.Lock()


class _Shared:
    """The pool of a sweep, and the number of tasks that use it."""

    def __init__(self, job: bytes, wanted: str) -> None:
        read = read_job(job)
        # This machine decides where compiled programs are kept.
        here = msgspec.structs.replace(read, environment={**read.environment, **compilation.kept()})
        self.pool = Pool(here, msgspec.convert(json.loads(wanted), WorkerInfo))
        self.tasks, self.idle = 0, threading.Timer(IDLE, _close_pool, [job])


_shared: dict[bytes, _Shared] = {}
_ended: set[bytes] = set()


@contextmanager
def _pool_of(job: bytes, wanted: str) -> Iterator[Pool]:
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


def ready(job: bytes, wanted: str) -> bytes:
    """Load everything; return no bytes if the versions are those wanted, otherwise an encoded `Refused`."""
    try:
        with _pool_of(job, wanted) as pool:
            pool.worker_info()
    except ChildLostError as lost:
        return msgspec.json.encode(Refused.of(SweepError(f"a worker {lost} while it loaded the adapters")))
    except Exception as error:  # noqa: BLE001, the client reports it
        return msgspec.json.encode(Refused.of(error))
    return b""


def attempt(job: bytes, wanted: str, shard: int, careful: bool) -> bytes:  # noqa: FBT001, plain data for Dask
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
