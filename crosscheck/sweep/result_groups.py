"""The bulk judge's data on results: counts, hashes, and the problems whose errors are measured."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import xxhash

from crosscheck.inputs import Case
from crosscheck.results.measure import equal_bits
from crosscheck.results.summary import Cell, hash_of
from reference.types import Array, Float64, Outputs, Problem

# The number of candidates of each adapter and output, each from another case, whose errors are measured.
CANDIDATES: Final = 4


class ProblemResults(NamedTuple):
    """One problem of a case and its results, which are kept so that their errors can be measured.

    Attributes:
        case: the text of the case.
        place: the place of the problem in its stack.
        problem: X, y and W, as a stack of one.
        results: the outputs of every adapter for the problem, by selector.
    """

    case: str
    place: int
    problem: Problem
    results: Mapping[str, Outputs]


class Candidate(NamedTuple):
    """A problem and its largest share of the filter's radius in one output.

    Of candidates with equal shares the later one sorts first.
    """

    share: float
    number: int
    row: ProblemResults


@dataclass
class Counts:
    """Counts and candidates of one output of one adapter.

    Attributes:
        cell: the cell that is counted.
        totals: the counts, by name of a field of `Summary`.
        candidates: a heap of the problems with the largest shares so far.
    """

    cell: Cell
    totals: Counter[str] = field(default_factory=Counter)
    candidates: list[Candidate] = field(default_factory=list)

    def add(self, case: str, got: Array, digest: bytes) -> None:
        """Count the results of a case, and add the hashes of the case and of the results."""
        text = case.encode()
        self.totals["problems"] += len(got)
        self.totals["elements"] += got.size
        self.totals["cases"] += hash_of(text)
        self.totals["bits"] += hash_of(text, digest)

    @property
    def threshold(self) -> float:
        """The share of the filter's radius that a problem must exceed to become a candidate.

        It is −1 as long as there are fewer than `CANDIDATES`, so that every problem does.
        """
        return self.candidates[0].share if len(self.candidates) == CANDIDATES else -1.0

    def add_candidate(self, candidate: Candidate) -> None:
        """Keep a problem; if there are enough candidates, it replaces the one with the smallest share."""
        keep = heapq.heappushpop if len(self.candidates) == CANDIDATES else heapq.heappush
        keep(self.candidates, candidate)


@dataclass
class ResultGroup:
    """Results of a case with the same bits under the same claims, which are judged once.

    Attributes:
        digest: the digest of the bits.
        adapters: the adapters that returned these results.
        counts: the counts of each of these adapters.
        equal: how many numbers have the bits of the reference.
        not_judged: how many numbers have no verdict.
        share: the largest share so far, or the threshold that a share must exceed to make a candidate.
        place: the place in the stack of the problem with that share; None before there is one.
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
        """Add an adapter that returned these results, with its counts."""
        self.adapters.append(adapter)
        self.counts.append(counts)
        self.share = min(self.share, counts.threshold)

    def add_block(self, got: Array, nearest: Array, shares: Float64, largest: float, start: int) -> None:
        """Count a block of the results, whose first problem has the place ``start`` in the stack."""
        some_nan = bool(np.isnan(largest))
        self.equal += equal_bits(got, nearest, some_nan=some_nan)
        self.some_nan |= some_nan
        if some_nan:  # one of the results has no finite bound, so its share is meaningless
            shares = np.where(np.isnan(shares), -1.0, shares)
            largest = float(shares.max())
        if largest > self.share:
            self.share, self.place = largest, start + int(shares.argmax()) * len(shares) // shares.size


def digest_of(got: Array, *, some_nan: bool = False) -> bytes:
    """Return a 128-bit digest of the numbers; with ``some_nan``, all NaNs count as the same."""
    if some_nan:
        got = np.where(np.isnan(got), got.dtype.type(np.nan), got)
    return xxhash.xxh3_128_digest(np.ascontiguousarray(got).view(np.uint8).data)


def problem_results(
    case: Case, place: int, problem: Problem, results: Mapping[str, Outputs]
) -> ProblemResults:
    """Copy the problem and the results at a place, since they outlive the arrays of the case."""
    one = slice(place, place + 1)
    kept = {
        name: Outputs(*(None if got is None else got[one].copy() for got in outputs))
        for name, outputs in results.items()
    }
    return ProblemResults(case.text, place, Problem(*(array[one].copy() for array in problem)), kept)
