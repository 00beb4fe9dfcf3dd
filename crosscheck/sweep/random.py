"""The random sweep: ordinary problems by the million, and in every shard a stack of all regimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Final

from msgspec import Struct

from crosscheck.cases import Case
from crosscheck.cases.sources import CROSSINGS, SCALE_PERIOD, supported_regimes
from crosscheck.evaluation import CheckedAdapter
from crosscheck.summary import add
from crosscheck.sweep.bulk import BulkJudge
from crosscheck.sweep.kind import ShardResult
from crosscheck.sweep.shard import Shard
from reference.formats import FORMATS

# Numbers in X, y and W of one stack: calls of frameworks take their time, and memory stays near.
NUMBERS: Final = 2**20
# Crossed cases of a shard: all of one set of words.
CASES: Final = CROSSINGS
# Problems of the stack of all regimes.
MIXED: Final = 4096
# A stack of crossed problems is a multiple of it.
UNIT: Final = SCALE_PERIOD * CROSSINGS


@cache
def _regimes(size: tuple[int, int, int]) -> int:
    return len(supported_regimes((1, *size), FORMATS["float32"]))  # every dtype hosts what one hosts


class Random(Struct, frozen=True, tag="random"):
    """Problems of one size, drawn anew for every seed.

    Attributes:
        count: how many problems of each dtype there are, but at least one of each regime.
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
        return len(self.dtypes) * max(1, -(-(self.count + 1 - self.regimes) // self.problems_per_shard))

    @property
    def stack(self) -> int:
        """Problems of a crossed case: a power of two."""
        m, n, p = self.size
        fitting = NUMBERS // (m * n + n * p + m * p)
        return max(UNIT, 1 << fitting.bit_length() >> 1)

    @property
    def problems_per_shard(self) -> int:
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
        """The numbers of its crossed problems and of those of all regimes; the last shard has the rest."""
        if shard < len(self) - len(self.dtypes):
            return CASES * self.stack, MIXED
        left = self.count - shard // len(self.dtypes) * self.problems_per_shard
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
        for _, same_shape in groupby(made, key=lambda case: case.shape):
            yield list(same_shape)
        yield [Case("mixed", seed, (mixed, *self.size), dtype=dtype)]

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """As `SweepKind.run`."""
        work = Shard(adapters)
        for cases in self.cases(shard):
            bulk = BulkJudge({name: adapter.description for name, adapter in adapters.items()})
            problems = [case.problem_view() for case in cases]
            with work.check_inputs_unchanged(cases[0], problems[0], problems[-1]):  # their whole memory
                for case, problem in zip(cases, problems, strict=True):
                    results = work.evaluated(case, problem)
                    if wrong := bulk.judge(case, problem, results):
                        work.add_disagreements_at(case, problem, results, wrong)
            add(work.cells, bulk.summaries())
        return ShardResult(self.problems(shard), work.cells, frozenset(work.faults.values()))
