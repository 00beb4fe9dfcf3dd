"""The random sweep: millions of ordinary problems, and in every shard a stack with all regimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Final

from msgspec import Struct

from crosscheck.inputs import Case
from crosscheck.inputs.sources import CROSSINGS, SCALE_PERIOD, supported_regimes
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.results.summary import add
from crosscheck.sweep.bulk import BulkJudge
from crosscheck.sweep.job import ShardResult
from crosscheck.sweep.shard import Shard
from reference.formats import FORMATS

# How many numbers X, y and W of one stack have together: enough to make up for the time that a call of a
# framework costs, and few enough to stay in the caches.
NUMBERS: Final = 2**20
# The number of crossed cases in a shard: all that share one set of random bits.
CASES: Final = CROSSINGS
# The number of problems in the stack with all regimes.
MIXED: Final = 4096
# The size of a stack of crossed problems is a multiple of this number.
UNIT: Final = SCALE_PERIOD * CROSSINGS


@cache
def _regimes(size: tuple[int, int, int]) -> int:
    return len(supported_regimes((1, *size), FORMATS["float32"]))  # every dtype can host the same regimes


class Random(Struct, frozen=True, tag="random"):
    """The kind of sweep with random problems of one size.

    Attributes:
        count: the number of problems of each dtype; there is at least one of each regime.
        dtypes: the dtypes of the cases.
        size: the sizes m, n and p.
        seed: the seed of the first shard of each dtype; the next shards have the next seeds.
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
        """The number of problems of a crossed case, a power of two."""
        m, n, p = self.size
        fitting = NUMBERS // (m * n + n * p + m * p)
        return max(UNIT, 1 << fitting.bit_length() >> 1)

    @property
    def problems_per_shard(self) -> int:
        """The number of problems of a shard, except the last shard of each dtype."""
        return CASES * self.stack + MIXED

    @property
    def regimes(self) -> int:
        """The number of regimes that this size can host."""
        return _regimes(self.size)

    def problems(self, shard: int) -> int:
        """Return the number of problems of a shard."""
        return sum(self._parts(shard))

    def _parts(self, shard: int) -> tuple[int, int]:
        """Count the crossed problems and the problems of all regimes; the last shard has the rest."""
        if shard < len(self) - len(self.dtypes):
            return CASES * self.stack, MIXED
        left = self.count - shard // len(self.dtypes) * self.problems_per_shard
        crossed = min(max(0, left - self.regimes) // UNIT * UNIT, CASES * self.stack)
        return crossed, max(left - crossed, self.regimes)

    def cases(self, shard: int) -> Iterator[list[Case]]:
        """Yield the cases of a shard, in lists of those that differ in their seeds alone."""
        number, place = divmod(shard, len(self.dtypes))
        dtype, seed = self.dtypes[place], self.seed + number
        crossed, mixed = self._parts(shard)
        stacks = [self.stack] * (crossed // self.stack) + [crossed % self.stack]
        seeds = enumerate(stacks, CROSSINGS * seed)
        made = [Case("crossed", at, (stack, *self.size), dtype=dtype) for at, stack in seeds if stack]
        for _, same_shape in groupby(made, key=lambda case: case.shape):
            yield list(same_shape)
        yield [Case("mixed", seed, (mixed, *self.size), dtype=dtype)]

    def run(
        self, shard: int, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False
    ) -> ShardResult:
        """Compute a shard; see `SweepKind.run`."""
        work = Shard(adapters, careful=careful)
        for cases in self.cases(shard):
            bulk = BulkJudge({name: adapter.description for name, adapter in adapters.items()})
            problems = [case.problem_view() for case in cases]
            with work.check_inputs_unchanged(cases[0], problems[0], problems[-1]):  # their whole memory
                for case, problem in zip(cases, problems, strict=True):
                    results = work.evaluated(case, problem)
                    for name, places in bulk.judge(case, problem, results).items():
                        work.add_disagreements_at(case, problem, name, results[name], places)
            add(work.cells, bulk.summaries())
        return work.result(self.problems(shard))
