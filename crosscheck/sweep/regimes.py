"""The sweep of regimes: what `compare` compares, round after round.

`crosscheck.comparison.plan` says what a round is: every regime at every shape of the list, in each dtype. The
engine is that of a comparison, `crosscheck.comparison.engine.Results`, and so are the cells: the error of
each number whose exact value is known, and its share of the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from crosscheck.comparison.engine import Results
from crosscheck.comparison.plan import ROUND, CorePlan
from crosscheck.comparison.summarise import count_of
from crosscheck.evaluation import CheckedAdapter, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences
from crosscheck.message import replay
from crosscheck.regimes import REGIMES
from crosscheck.sweep.kind import ShardResult
from crosscheck.sweep.shard import Shard
from reference.formats import FORMATS


@cache
def _in_a_round(regimes: tuple[str, ...], least: int) -> int:
    """The problems of a round in one dtype: shapes host regimes whatever the dtype is."""
    return sum(map(count_of, CorePlan(("float64",), regimes, least)))


class Regimes(Struct, frozen=True, tag="regimes"):
    """Problems of every regime and shape; a shard is a round in one dtype.

    Attributes:
        count: how many problems of each dtype and regime there are at least, where every shape hosts it; the
            last round has no more cases than that takes.
        dtypes: of the cases.
        regimes: the same.
        seed: of the first round.
    """

    count: int
    dtypes: tuple[str, ...] = tuple(FORMATS)
    regimes: tuple[str, ...] = tuple(REGIMES)
    seed: int = 0
    profile: str = "sweep regimes"

    def __len__(self) -> int:
        return len(self.dtypes) * -(-self.count // ROUND)

    def problems(self, shard: int) -> int:
        """How many problems a shard has."""
        return _in_a_round(self.regimes, self._least(shard))

    def _least(self, shard: int) -> int:
        """The problems of each regime: a whole round, or the rest in the last shard."""
        return min(ROUND, self.count - shard // len(self.dtypes) * ROUND)

    def cases(self, shard: int) -> CorePlan:
        """The cases of a shard."""
        number, place = divmod(shard, len(self.dtypes))
        return CorePlan((self.dtypes[place],), self.regimes, self._least(shard), self.seed + number)

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """As `SweepKind.run`."""
        work, results = Shard(adapters), Results(known=KnownDifferences.shipped())
        for case in self.cases(shard):
            judge = Judge(case.problem())
            with work.check_inputs_unchanged(case, judge.problem):
                outcomes = {name: evaluate_and_judge(adapter, judge) for name, adapter in adapters.items()}
            for name, outcome in outcomes.items():
                if outcome.failure is not None:
                    outcome.failure.add_note(f"replay: {replay(case.text, name)}")
                    raise outcome.failure
            results.add(case, judge, list(outcomes.values()))
        for failing_case in results.failing_cases:
            wrong = [outcome for outcome in failing_case.outcomes if outcome.disagreeing]
            others = [outcome for outcome in failing_case.outcomes if not outcome.disagreeing]
            work.report_faults(failing_case.case, failing_case.judge, wrong, others)
        return ShardResult(self.problems(shard), results.summaries, frozenset(work.faults.values()))
