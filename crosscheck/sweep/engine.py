"""Shards put to a crew, each a second time if need be; what comes back, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import NamedTuple, Protocol

from crosscheck.sweep.messages import Answer, Done, Failed, Refused


class Crew(Protocol):
    """Whoever computes shards: workers of this machine, or a cluster's."""

    @property
    def ahead(self) -> int:
        """How many shards it is given at a time: enough that no worker waits for the next."""

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """Have a shard computed.

        Args:
            shard: its number.
            first: how its first attempt failed; the second is a careful one, elsewhere. None: this is it.
        """

    def close(self) -> None:
        """End all that is under way, at once."""


class Result(NamedTuple):
    """What became of a shard.

    Attributes:
        shard: its number.
        answer: what is found there, or why nothing.
        first: how its first attempt failed, if it did.
    """

    shard: int
    answer: Done | Failed
    first: Failed | None = None


def results(crew: Crew, shards: Iterable[int]) -> Iterator[Result]:
    """What becomes of each shard, as soon as it does; a shard that fails twice is set aside.

    Raises:
        AdapterError, JournalError, SweepError: the crew cannot compute any shard.
    """
    todo = iter(shards)
    waiting: dict[Future[Answer], tuple[int, Failed | None]] = {}
    while True:
        while len(waiting) < crew.ahead and (shard := next(todo, None)) is not None:
            waiting[crew.submit(shard, None)] = shard, None
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            shard, first = waiting.pop(future)
            answer = future.result()
            if isinstance(answer, Refused):
                raise answer.error
            if isinstance(answer, Failed) and first is None:
                waiting[crew.submit(shard, answer)] = shard, answer
            else:
                yield Result(shard, answer, first)
