"""Sets of shard numbers as text, and the slice of a sweep's shards that one of several jobs computes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from crosscheck.results.ledger import LedgerError

# Every reader of a ledger holds the set of its shard numbers in memory.
MOST_SHARDS = 10**6


def to_text(numbers: Iterable[int]) -> str:
    """Write a set of numbers as text, such as ``0-9,11``."""
    runs = groupby(enumerate(sorted(numbers)), lambda each: each[1] - each[0])
    ends = ([number for _, number in run] for _, run in runs)
    return ",".join(f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in ends)


def numbers(text: str, of: int) -> frozenset[int]:
    """Read a set of numbers that `to_text` wrote.

    Args:
        text: the text of the set.
        of: the number of shards of the sweep; their numbers begin with 0.

    Raises:
        LedgerError: ``of`` is more than `MOST_SHARDS`, or `to_text` would not write this text for shards
            below ``of``.
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
    """The shards that one of N jobs computes: every N-th one.

    Attributes:
        place: the number of the job, from 1 to ``of``.
        of: the number of jobs.
    """

    place: int = 1
    of: int = 1

    def shards(self, count: int) -> range:
        """Return the numbers of this slice's shards in a sweep with ``count`` shards."""
        return range(self.place - 1, count, self.of)

    def __str__(self) -> str:
        return f"{self.place}/{self.of}"


WHOLE = Slice()


def slice_of(text: str) -> Slice:
    """Read a slice from a text such as ``2/4``.

    Raises:
        ValueError: the text is not of the form I/N with I from 1 to N.
    """
    found = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"{text!r} is no part; write I/N with I from 1 to N, 1/4 for the first of four")
    return Slice(int(found[1]), int(found[2]))
