"""The random lane: ordinary problems by the million, and in every shard a stack of all regimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Final

from msgspec import Struct

from crosscheck.cases import Case
from crosscheck.cases.sources import CROSSINGS, LIKE, hosted
from crosscheck.summary import add
from crosscheck.sweep.bulk import Bulk
from crosscheck.sweep.lane import Found
from crosscheck.sweep.shard import Shard
from crosscheck.trial import Subject
from reference.formats import FORMATS

# Numbers in X, y and W of one stack: calls of frameworks take their time, and memory stays near.
NUMBERS: Final = 2**20
# Crossed cases of a shard: all of one set of words.
CASES: Final = CROSSINGS
# Problems of the stack of all regimes.
MIXED: Final = 4096
# A stack of crossed problems is a multiple of it.
UNIT: Final = LIKE * CROSSINGS


@cache
def _regimes(size: tuple[int, int, int]) -> int:
    return len(hosted((1, *size), FORMATS["float32"]))  # every dtype hosts what one hosts


class Random(Struct, frozen=True, tag="random"):
    """Problems of one size, drawn anew for every seed.

    Attributes:
        count: how many problems of each dtype there are; where that is less than there are regimes, so many.
        dtypes: of the cases.
        size: m, n and p.
        seed: of the first shard of each dtype; the others have those after it.
    """

    count: int
    dtypes: tuple[str, ...] = ("float64", "float32")
    size: tuple[int, int, int] = (1, 3, 1)
    seed: int = 0
    profile: str = "sweep random"

    def __len__(self) -> int:
        return len(self.dtypes) * max(1, -(-(self.count + 1 - self.regimes) // self.whole))

    @property
    def stack(self) -> int:
        """Problems of a crossed case: a power of two."""
        m, n, p = self.size
        fitting = NUMBERS // (m * n + n * p + m * p)
        return max(UNIT, 1 << fitting.bit_length() >> 1)

    @property
    def whole(self) -> int:
        """How many problems a shard has, but for the last of each dtype."""
        return CASES * self.stack + MIXED

    @property
    def regimes(self) -> int:
        """How many regimes there are at this size."""
        return _regimes(self.size)

    def problems(self, shard: int) -> int:
        """How many problems a shard has."""
        return sum(self._parts(shard))

    def _parts(self, shard: int) -> tuple[int, int]:
        """Its crossed problems, and those of its stack of all regimes; in the last shard what is left."""
        if shard < len(self) - len(self.dtypes):
            return CASES * self.stack, MIXED
        left = self.count - shard // len(self.dtypes) * self.whole
        crossed = min(max(0, left - self.regimes) // UNIT * UNIT, CASES * self.stack)
        return crossed, max(left - crossed, self.regimes)

    def cases(self, shard: int) -> Iterator[list[Case]]:
        """The cases of a shard, those together that differ in their seeds alone."""
        number, place = divmod(shard, len(self.dtypes))
        dtype, seed = self.dtypes[place], self.seed + number
        crossed, mixed = self._parts(shard)
        stacks = [self.stack] * (crossed // self.stack) + [crossed % self.stack]
        seeds = enumerate(stacks, CROSSINGS * seed)
        made = [Case("crossed", at, (stack, *self.size), dtype=dtype) for at, stack in seeds if stack]
        for _, alike in groupby(made, key=lambda case: case.shape):
            yield list(alike)
        yield [Case("mixed", seed, (mixed, *self.size), dtype=dtype)]

    def run(self, shard: int, subjects: Mapping[str, Subject]) -> Found:
        """As `Lane.run`."""
        work = Shard(subjects)
        for cases in self.cases(shard):
            bulk = Bulk({name: subject.description for name, subject in subjects.items()})
            problems = [case.lent() for case in cases]
            with work.watching(cases[0], problems[0], problems[-1]):  # of crossed ones all memory
                for case, problem in zip(cases, problems, strict=True):
                    results = work.evaluated(case, problem)
                    if wrong := bulk.hear(case, problem, results):
                        work.blame_some(case, problem, results, wrong)
            add(work.cells, bulk.summaries())
        return Found(self.problems(shard), work.cells, frozenset(work.faults.values()))
