"""The sweep of regimes: the cases of `crosscheck compare`, for any number of rounds.

`crosscheck.plans.core` defines a round: every regime at every shape of the list, in each dtype. The
cases are evaluated as in a comparison, by `crosscheck.results.record.Results`, and the cells are the same:
they have the error of each number whose exact value is known, and its share of the bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from crosscheck.explain.message import replay
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import CheckedAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.plans.core import ROUND, core_cases
from crosscheck.results.known import KnownDifferences
from crosscheck.results.measure import count_of
from crosscheck.results.record import Results
from crosscheck.sweep.kind import ShardResult
from crosscheck.sweep.shard import Shard
from reference.formats import FORMATS


@cache
def _in_a_round(regimes: tuple[str, ...], least: int) -> int:
    """Return the number of problems of a round in one dtype; it is the same for every dtype."""
    return sum(map(count_of, core_cases(("float64",), regimes, least)))


class Regimes(Struct, frozen=True, tag="regimes"):
    """The kind of sweep with problems of every regime and shape; a shard is a round in one dtype.

    Attributes:
        count: the least number of problems of each dtype and regime, for regimes that every shape can host;
            the last round stops when this number is reached.
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

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """See `SweepKind.run`."""
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
            assert isinstance(failing_case.case, Case)  # noqa: S101, for mypy: all cases of a plan are
            wrong = [outcome for outcome in failing_case.outcomes if outcome.disagreeing]
            others = [outcome for outcome in failing_case.outcomes if not outcome.disagreeing]
            work.report_faults(failing_case.case, failing_case.judge, wrong, others)
        return ShardResult(self.problems(shard), results.summaries, frozenset(work.faults.values()))
