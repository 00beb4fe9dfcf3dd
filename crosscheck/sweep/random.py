"""The random lane: ordinary problems by the million, and in every shard a stack of all regimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from crosscheck.cases import Case
from crosscheck.cases.sources import CROSSINGS, LIKE
from crosscheck.summary import add
from crosscheck.sweep.bulk import Bulk
from crosscheck.sweep.lane import Found
from crosscheck.sweep.shard import Shard
from crosscheck.trial import Subject

# Numbers in X, y and W of one stack: calls of frameworks take their time, and memory stays near.
NUMBERS: Final = 2**20
# Crossed cases of a shard: all of one set of words.
CASES: Final = CROSSINGS
# Problems of the stack of all regimes.
MIXED: Final = 4096


class Random(Struct, frozen=True, tag="random"):
    """Problems of one size, drawn anew for every seed.

    Attributes:
        least: how many problems of each dtype there are at least.
        dtypes: of the cases.
        size: m, n and p.
        seed: of the first shard of each dtype; the others have those after it.
    """

    least: int
    dtypes: tuple[str, ...] = ("float64", "float32")
    size: tuple[int, int, int] = (1, 3, 1)
    seed: int = 0
    profile: str = "sweep random"

    def __len__(self) -> int:
        return len(self.dtypes) * -(-self.least // self.problems(0))

    @property
    def stack(self) -> int:
        """Problems of a crossed case: a power of two."""
        m, n, p = self.size
        fitting = NUMBERS // (m * n + n * p + m * p)
        return max(LIKE * CROSSINGS, 1 << fitting.bit_length() >> 1)

    def problems(self, shard: int) -> int:
        """How many problems a shard has, which is the same for all."""
        del shard
        return CASES * self.stack + MIXED

    def cases(self, shard: int) -> Iterator[list[Case]]:
        """The cases of a shard, those together that differ in their seeds alone."""
        number, place = divmod(shard, len(self.dtypes))
        dtype, seed = self.dtypes[place], self.seed + number
        shape = (self.stack, *self.size)
        yield [Case("crossed", CROSSINGS * seed + t, shape, dtype=dtype) for t in range(CASES)]
        yield [Case("mixed", seed, (MIXED, *self.size), dtype=dtype)]

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
