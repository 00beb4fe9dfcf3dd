"""What the bulk lane keeps of results: counts, marks, and the problems that get a close look."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import xxhash

from crosscheck.cases import Case
from crosscheck.comparison.summarise import equal_bits
from crosscheck.summary import Cell, mark_of
from reference.types import Array, Float64, Outputs, Problem

# Suspects of each adapter and output that get a close look, each of another case.
SUSPECTS: Final = 4


class Row(NamedTuple):
    """One problem of a case that gets a close look.

    Attributes:
        case: the text.
        place: of the problem in its stack.
        problem: X, y and W, a stack of one.
        results: what every adapter returned for it, by what selects it.
    """

    case: str
    place: int
    problem: Problem
    results: Mapping[str, Outputs]


class Suspect(NamedTuple):
    """A problem by its largest share in one output; sorted by share, of equal ones the later is smaller."""

    share: float
    number: int
    row: Row


@dataclass
class Counts:
    """Of one output of one adapter.

    Attributes:
        cell: of it.
        totals: what is counted.
        suspects: the worst so far, a heap.
    """

    cell: Cell
    totals: Counter[str] = field(default_factory=Counter)
    suspects: list[Suspect] = field(default_factory=list)

    def mark(self, case: str, got: Array, digest: bytes) -> None:
        """Count the results of a case, and mark it and them."""
        text = case.encode()
        self.totals["problems"] += len(got)
        self.totals["elements"] += got.size
        self.totals["cases"] += mark_of(text)
        self.totals["bits"] += mark_of(text, digest)

    @property
    def least(self) -> float:
        """What the share of one more suspect must exceed."""
        return self.suspects[0].share if len(self.suspects) == SUSPECTS else -1.0

    def suspect(self, suspect: Suspect) -> None:
        """Keep it as one of the worst."""
        keep = heapq.heappushpop if len(self.suspects) == SUSPECTS else heapq.heappush
        keep(self.suspects, suspect)


@dataclass
class Alike:
    """Results of a case with the same bits, under the same claims: what is said of one is said of all.

    Attributes:
        digest: of the bits.
        adapters: whose they are.
        counts: of each.
        equal: how many numbers have the bits of the reference.
        not_judged: how many have no verdict.
        share: the largest share so far, or what it must exceed to make a suspect.
        place: of its problem in the stack; None before there is one.
        some_nan: whether there was a share that is NaN.
    """

    digest: bytes
    adapters: list[str] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    equal: int = 0
    not_judged: int = 0
    share: float = np.inf
    place: int | None = None
    some_nan: bool = False

    def add(self, adapter: str, counts: Counts) -> None:
        """Have what is said of the others said of this one, too."""
        self.adapters.append(adapter)
        self.counts.append(counts)
        self.share = min(self.share, counts.least)

    def hear(self, got: Array, nearest: Array, shares: Float64, largest: float, start: int) -> None:
        """Look at a block of the results, which begins so far into the stack."""
        some_nan = bool(np.isnan(largest))
        self.equal += equal_bits(got, nearest, some_nan=some_nan)
        self.some_nan |= some_nan
        if some_nan:  # nothing bounds one of the results, and its share says nothing
            shares = np.where(np.isnan(shares), -1.0, shares)
            largest = float(shares.max())
        if largest > self.share:
            self.share, self.place = largest, start + int(shares.argmax()) * len(shares) // shares.size


def digest_of(got: Array, *, some_nan: bool = False) -> bytes:
    """A digest of 128 bits of the numbers; one NaN is like another, if there are some."""
    if some_nan:
        got = np.where(np.isnan(got), got.dtype.type(np.nan), got)
    return xxhash.xxh3_128_digest(np.ascontiguousarray(got).view(np.uint8).data)


def row_of(case: Case, place: int, problem: Problem, results: Mapping[str, Outputs]) -> Row:
    """The problem at a place; copies, since it outlives the case."""
    one = slice(place, place + 1)
    kept = {
        name: Outputs(*(None if got is None else got[one].copy() for got in outputs))
        for name, outputs in results.items()
    }
    return Row(case.text, place, Problem(*(array[one].copy() for array in problem)), kept)
