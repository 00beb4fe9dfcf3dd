"""The workers of this machine as a crew."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from adapters.child import ChildLostError
from adapters.conditions import Conditions
from adapters.errors import AdapterDied, AdapterError
from crosscheck.hosts import Hosts
from crosscheck.sweep.messages import Answer, Failed, Job, Told
from crosscheck.sweep.pool import Pool


class Local:
    """So many workers.

    Attributes:
        ahead: as `crosscheck.sweep.engine.Crew`.
    """

    def __init__(self, pool: Pool, workers: int) -> None:
        """Start nothing yet.

        Args:
            pool: where the workers are, closed with the crew.
            workers: how many.
        """
        self.ahead = 2 * workers
        self._pool = pool
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="shard")

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """As `crosscheck.sweep.engine.Crew`; the worker of a failed attempt is no more.

        What took too long is tried once more alone.
        """
        alone = first is not None and first.late
        return self._threads.submit(self._pool.attempt, shard, careful=first is not None, alone=alone)

    def close(self) -> None:
        """As `crosscheck.sweep.engine.Crew`."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()
        self._threads.shutdown()


def told_here(pool: Pool, workers: int, job: Job, conditions: Conditions) -> Told:
    """What workers of this machine say of their adapters, which they have loaded.

    Args:
        pool: where they are from now on.
        workers: how many.
        job: of the pool.
        conditions: of the job.

    Raises:
        AdapterError: an adapter cannot be loaded, or kills its process as it is.
    """
    try:
        return pool.told(workers)
    except ChildLostError as lost:
        with Hosts(conditions) as hosts:
            try:
                for spec in job.specs:
                    _ = hosts.subject(spec).description
            except AdapterDied as death:
                raise AdapterError(str(death)) from None
        raise AdapterError(
            f"a worker {lost} while it loaded all adapters, each of which loads alone"
        ) from None
