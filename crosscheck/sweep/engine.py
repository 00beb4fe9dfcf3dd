"""Hands shards to an executor, after a failure a second time; the answers come in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import NamedTuple, Protocol

from crosscheck.sweep.messages import Answer, Done, Failed, Refused


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
    """Have shards computed; yield each one's answer when it is there, after two failures that of the second.

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
