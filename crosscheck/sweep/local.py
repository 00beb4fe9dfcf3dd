"""The executor that uses worker processes of this machine."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from adapters.child import ChildLostError
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, AdapterError
from crosscheck.hosts import WorkerProcesses
from crosscheck.sweep.messages import Answer, Failed, Job, WorkerInfo
from crosscheck.sweep.pool import Pool


class LocalExecutor:
    """Computes shards in worker processes of this machine.

    Attributes:
        max_pending: as `crosscheck.sweep.engine.Executor`.
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
        """As `crosscheck.sweep.engine.Executor`; a second attempt never has the worker of the first.

        A shard that took too long is computed again while no other is.
        """
        alone = first is not None and first.late
        return self._threads.submit(self._pool.attempt, shard, careful=first is not None, alone=alone)

    def close(self) -> None:
        """As `crosscheck.sweep.engine.Executor`."""
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
