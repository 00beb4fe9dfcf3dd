"""The lane of regimes: what `compare` compares, round after round.

`crosscheck.comparison.plan` says what a round is: every regime at every shape of the list, in each dtype. Of
every case all is told that a comparison tells: the error of each number whose exact value is known, and its
share of the bound. The same rounds give the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from crosscheck.comparison.plan import ROUND, Plan
from crosscheck.comparison.summarise import best_within_budget, count_of
from crosscheck.judge import Judge
from crosscheck.regimes import REGIMES
from crosscheck.sweep.lane import Found
from crosscheck.sweep.shard import Shard
from crosscheck.trial import Subject
from reference.formats import FORMATS


class Regimes(Struct, frozen=True, tag="regimes"):
    """Problems of every regime and shape; a shard is a round in one dtype.

    Attributes:
        least: how many problems of each dtype and regime there are at least.
        dtypes: of the cases.
        regimes: the same.
        seed: of the first round.
    """

    least: int
    dtypes: tuple[str, ...] = tuple(FORMATS)
    regimes: tuple[str, ...] = tuple(REGIMES)
    seed: int = 0
    profile: str = "sweep regimes"

    def __len__(self) -> int:
        return len(self.dtypes) * -(-self.least // ROUND)

    def problems(self, shard: int) -> int:
        """How many problems a shard has, which is the same for all."""
        return sum(map(count_of, self.cases(shard)))

    def cases(self, shard: int) -> Plan:
        """The cases of a shard."""
        number, place = divmod(shard, len(self.dtypes))
        return Plan((self.dtypes[place],), self.regimes, ROUND, self.seed + number)

    def run(self, shard: int, subjects: Mapping[str, Subject]) -> Found:
        """As `Lane.run`."""
        work = Shard(subjects)
        for case in self.cases(shard):
            problem = case.problem()
            with work.watching(problem):
                results = work.evaluated(case, problem)
            judge = Judge(problem)
            outcomes = work.outcomes(judge, results)
            work.tell(case, judge, outcomes, best_within_budget(judge, list(outcomes.values())))
            work.blame(case, judge, results, [name for name, found in outcomes.items() if found.disagreeing])
        return Found(self.problems(shard), work.cells, frozenset(work.faults.values()))
