"""Executors: what computes shards, in processes of this machine here; and how shards are handed to one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

from adapters.child import ChildLostError
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, AdapterError
from crosscheck.hosts import WorkerProcesses
from crosscheck.sweep.messages import Answer, Done, Failed, Job, Refused, WorkerInfo
from crosscheck.sweep.pool import Pool


class Executor(Protocol):
    """What computes shards: worker processes of this machine, or a Dask cluster."""

    @property
    def max_pending(self) -> int:
        """How many shards it may hold at a time: enough that no worker has to wait."""

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """Have a shard computed.

        Args:
            shard: its number.
            first: how its first attempt failed, for a second, careful one elsewhere; None for the first.
        """

    def close(self) -> None:
        """End every computation at once."""


class ShardAnswer(NamedTuple):
    """The last answer for a shard.

    Attributes:
        shard: its number.
        answer: its result, or why there is none.
        first: how its first attempt failed, if it did.
    """

    shard: int
    answer: Done | Failed
    first: Failed | None = None


def compute(executor: Executor, shards: Iterable[int]) -> Iterator[ShardAnswer]:
    """Have shards computed, after a failure a second time; yield each one's last answer when it is there.

    Raises:
        AdapterError, JournalError, SweepError: the executor cannot compute any shard.
    """
    todo = iter(shards)
    waiting: dict[Future[Answer], tuple[int, Failed | None]] = {}
    while True:
        while len(waiting) < executor.max_pending and (shard := next(todo, None)) is not None:
            waiting[executor.submit(shard, None)] = shard, None
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            shard, first = waiting.pop(future)
            answer = future.result()
            if isinstance(answer, Refused):
                raise answer.error
            if isinstance(answer, Failed) and first is None:
                waiting[executor.submit(shard, answer)] = shard, answer
            else:
                yield ShardAnswer(shard, answer, first)


class LocalExecutor:
    """Computes shards in worker processes of this machine.

    Attributes:
        max_pending: as `crosscheck.sweep.executor.Executor`.
    """

    def __init__(self, pool: Pool, workers: int) -> None:
        """Start nothing yet.

        Args:
            pool: of the workers, closed with the executor.
            workers: how many.
        """
        self.max_pending = 2 * workers
        self._pool = pool
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="shard")

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """As `crosscheck.sweep.executor.Executor`; a second attempt never has the worker of the first.

        A shard that took too long is computed again while no other is.
        """
        alone = first is not None and first.late
        return self._threads.submit(self._pool.attempt, shard, careful=first is not None, alone=alone)

    def close(self) -> None:
        """As `crosscheck.sweep.executor.Executor`."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()
        self._threads.shutdown()


def local_worker_info(pool: Pool, workers: int, job: Job, options: ProcessOptions) -> WorkerInfo:
    """The versions and adapters of this machine's workers, once they have loaded everything.

    Args:
        pool: that keeps the workers.
        workers: how many.
        job: of the pool.
        options: of the job.

    Raises:
        AdapterError: an adapter cannot be loaded, or kills its process as it is.
    """
    try:
        return pool.worker_info(workers)
    except ChildLostError as lost:
        with WorkerProcesses(options) as processes:
            try:
                for spec in job.specs:
                    _ = processes.adapter(spec).description
            except AdapterCrashed as crash:
                raise AdapterError(str(crash)) from None
        raise AdapterError(
            f"a worker {lost} while it loaded all adapters, each of which loads alone"
        ) from None
