"""A Dask worker's side: shards put to worker processes of its machine, which the tasks of a sweep share.

Only texts and bytes in JSON come in and go out, so that a suite of another version can say so.
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
from crosscheck.sweep.errors import SweepError
from crosscheck.sweep.messages import Answer, Failed, Refused, Told, read_job
from crosscheck.sweep.pool import ENDED, Pool

# Seconds after which processes that nobody asks end: their client may be no more.
IDLE: Final = 60.0

_lock = threading.Lock()


class _Shared:
    """The pool of a sweep, and how many tasks use it."""

    def __init__(self, job: bytes, wanted: str) -> None:
        read = read_job(job)
        # Where compiled programs are kept is this machine's business.
        here = msgspec.structs.replace(read, environment={**read.environment, **compilation.kept()})
        self.pool = Pool(here, msgspec.convert(json.loads(wanted), Told))
        self.tasks, self.idle = 0, threading.Timer(IDLE, _rest, [job])


_shared: dict[bytes, _Shared] = {}
_ended: set[bytes] = set()


@contextmanager
def _borrowed(job: bytes, wanted: str) -> Iterator[Pool]:
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
                shared.idle = threading.Timer(IDLE, _rest, [job])
                shared.idle.daemon = True
                shared.idle.start()


def end(job: bytes) -> None:
    """End the processes of a sweep here, those at work too, for good: tasks may still be on their way."""
    with _lock:
        _ended.add(job)
    _rest(job, even_at_work=True)


def _rest(job: bytes, *, even_at_work: bool = False) -> None:
    with _lock:
        shared = _shared.get(job)
        if shared is None or (shared.tasks and not even_at_work):
            return
        del _shared[job]
    shared.idle.cancel()
    shared.pool.close()


def ready(job: bytes, wanted: str) -> bytes:
    """Load everything: nothing where all is as it is wanted, or a `Refused`."""
    try:
        with _borrowed(job, wanted) as pool:
            pool.told()
    except ChildLostError as lost:
        return msgspec.json.encode(Refused.of(SweepError(f"a worker {lost} while it loaded the adapters")))
    except Exception as error:  # noqa: BLE001, the client says it
        return msgspec.json.encode(Refused.of(error))
    return b""


def attempt(job: bytes, wanted: str, shard: int, careful: bool) -> bytes:  # noqa: FBT001, plain data for Dask
    """The answer to a shard; a machine where something else is installed refuses."""
    try:
        with _borrowed(job, wanted) as pool:
            answer = pool.attempt(shard, careful=careful)
    except SweepError as error:
        answer = Refused.of(error)
    return msgspec.json.encode(_placed(answer, get_worker().address))


def _placed(answer: Answer, where: str) -> Answer:
    """The answer, with the Dask worker if that is of use."""
    if isinstance(answer, Failed):
        return msgspec.structs.replace(answer, what=f"{answer.what}; on {where}", where=where)
    if isinstance(answer, Refused):
        return msgspec.structs.replace(answer, message=f"{where}: {answer.message}")
    return answer
