"""The sweep of regimes: the rounds of `crosscheck compare`, any number of them.

`crosscheck.plans.core` defines a round: every regime at every shape of the list, in each dtype. The
cells are those of a comparison: they have the error of each number whose exact value is known, and its share
of the bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import Judge
from crosscheck.plans.core import ROUND, core_cases
from crosscheck.results.measure import count_of, exact_values_within_budget
from crosscheck.sweep.job import ShardResult
from crosscheck.sweep.shard import Shard
from reference.formats import FORMATS


@cache
def _in_a_round(regimes: tuple[str, ...], least: int) -> int:
    """Return the number of problems of a round in one dtype; it is the same for every dtype."""
    return sum(map(count_of, core_cases(("float64",), regimes, least)))


class Regimes(Struct, frozen=True, tag="regimes"):
    """The kind of sweep with every regime at every shape; a shard is a round (`plans.core`) in one dtype.

    Attributes:
        count: how many problems each dtype and regime gets at least, if every shape can host the regime; the
            last round has no more cases than this number needs.
        dtypes: the dtypes of the cases.
        regimes: the regimes of the cases.
        seed: the seed of the first round.
    """

    count: int
    dtypes: tuple[str, ...] = tuple(FORMATS)
    regimes: tuple[str, ...] = tuple(REGIMES)
    seed: int = 0
    profile: str = "sweep regimes"

    def __len__(self) -> int:
        return len(self.dtypes) * -(-self.count // ROUND)

    def problems(self, shard: int) -> int:
        """Return the number of problems of a shard."""
        return _in_a_round(self.regimes, self._least(shard))

    def _least(self, shard: int) -> int:
        """Return the least number of problems of each regime: a whole round, or the rest in the last."""
        return min(ROUND, self.count - shard // len(self.dtypes) * ROUND)

    def cases(self, shard: int) -> Iterator[Case]:
        """Yield the cases of a shard."""
        number, place = divmod(shard, len(self.dtypes))
        return core_cases((self.dtypes[place],), self.regimes, self._least(shard), self.seed + number)

    def run(
        self, shard: int, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False
    ) -> ShardResult:
        """Compute a shard; see `SweepKind.run`."""
        work = Shard(adapters, careful=careful)
        for case in self.cases(shard):
            problem = case.problem()
            with work.check_inputs_unchanged(case, problem):
                results = work.evaluated(case, problem)
            judge = Judge(problem)
            outcomes = {name: work.outcome(judge, name, got) for name, got in results.items()}
            exact = exact_values_within_budget(judge, list(outcomes.values()))
            work.add_outcomes(case, judge, outcomes, exact)
        return work.result(self.problems(shard))
