"""Numbers of shards: sets of them as text, and the part of them that is one job's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from crosscheck.ledger import LedgerError

# A set of them is held in memory, by whoever reads a ledger too.
MOST_SHARDS = 10**6


def to_text(numbers: Iterable[int]) -> str:
    """A set of numbers as text: ``0-9,11``."""
    runs = groupby(enumerate(sorted(numbers)), lambda each: each[1] - each[0])
    ends = ([number for _, number in run] for _, run in runs)
    return ",".join(f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in ends)


def numbers(text: str, of: int) -> frozenset[int]:
    """The set that `to_text` wrote down.

    Args:
        text: of it.
        of: how many shards there are; numbers begin with 0.

    Raises:
        LedgerError: there are more shards than a sweep has, a number is none of a shard, or they are in
            disorder.
    """
    if of > MOST_SHARDS:
        raise LedgerError(f"speaks of {of} shards; a sweep has at most {MOST_SHARDS}; make it again")
    ends = [part[:20].partition("-") for part in text.split(",")] if text else []
    runs = [range(int(first), int(last or first) + 1) for first, _, last in ends]
    found = frozenset(number for run in runs if run.stop <= of for number in run)
    if to_text(found) != text:
        raise LedgerError(f"speaks of shards {text} of {of} in a form that no sweep writes; make it again")
    return found


class Slice(NamedTuple):
    """Every N-th shard: what one of N jobs computes.

    Attributes:
        place: which one, from 1 to ``of``.
        of: how many jobs there are.
    """

    place: int = 1
    of: int = 1

    def shards(self, count: int) -> range:
        """The numbers of its shards, of a sweep with ``count`` shards."""
        return range(self.place - 1, count, self.of)

    def __str__(self) -> str:
        return f"{self.place}/{self.of}"


WHOLE = Slice()


def slice_of(text: str) -> Slice:
    """The slice that a text such as ``2/4`` names.

    Raises:
        ValueError: it names none.
    """
    found = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"{text!r} is no part; write I/N with I from 1 to N, 1/4 for the first of four")
    return Slice(int(found[1]), int(found[2]))
