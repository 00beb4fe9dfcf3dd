"""Executors, which compute shards: the protocol, the executor for this machine, and the loop over shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

from adapters.child import ChildLostError
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, AdapterError
from adapters.isolated import WorkerProcesses
from crosscheck.sweep.messages import Answer, Done, Failed, Job, Refused, WorkerInfo
from crosscheck.sweep.pool import Pool


class Executor(Protocol):
    """An object that computes shards, in worker processes of this machine or on a Dask cluster."""

    @property
    def max_pending(self) -> int:
        """The number of shards that may be submitted at a time: enough that no worker has to wait."""

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """Submit a shard for computation.

        Args:
            shard: the number of the shard.
            first: how the first attempt failed, if this is the second, which runs carefully on another
                worker; None for the first attempt.
        """

    def close(self) -> None:
        """Stop every computation at once."""


class ShardAnswer(NamedTuple):
    """The last answer for a shard.

    Attributes:
        shard: the number of the shard.
        answer: the result of the shard, or the reason why there is none.
        first: how the first attempt failed; None if it did not.
    """

    shard: int
    answer: Done | Failed
    first: Failed | None = None


def compute(executor: Executor, shards: Iterable[int]) -> Iterator[ShardAnswer]:
    """Compute shards, trying each failed one a second time; yield the last answer for each as it arrives.

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
        max_pending: see `crosscheck.sweep.executor.Executor`.
    """

    def __init__(self, pool: Pool, workers: int) -> None:
        """Make the executor; workers start when the first shards are submitted.

        Args:
            pool: the pool of workers, which `close` closes.
            workers: the number of workers.
        """
        self.max_pending = 2 * workers
        self._pool = pool
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="shard")

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """See `crosscheck.sweep.executor.Executor`; a second attempt never runs on the worker of the first.

        A shard that took too long is tried again while no other shard is being computed.
        """
        alone = first is not None and first.late
        return self._threads.submit(self._pool.attempt, shard, careful=first is not None, alone=alone)

    def close(self) -> None:
        """See `crosscheck.sweep.executor.Executor`."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()
        self._threads.shutdown()


def local_worker_info(pool: Pool, workers: int, job: Job, options: ProcessOptions) -> WorkerInfo:
    """Return the versions and adapters of this machine's workers, once they have loaded everything.

    Args:
        pool: the pool that keeps the workers.
        workers: the number of workers.
        job: the job of the pool.
        options: the options of the adapters' processes in the job.

    Raises:
        AdapterError: an adapter cannot be loaded, or its process crashes while it is loaded.
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
