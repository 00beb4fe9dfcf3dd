"""The lane of regimes: what `compare` compares, round after round.

`crosscheck.comparison.plan` says what a round is: every regime at every shape of the list, in each dtype. The
engine is that of a comparison, `crosscheck.comparison.engine.Record`, and so are the cells: the error of each
number whose exact value is known, and its share of the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from crosscheck.comparison.engine import Record
from crosscheck.comparison.plan import ROUND, Plan
from crosscheck.comparison.summarise import count_of
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences
from crosscheck.message import replay
from crosscheck.regimes import REGIMES
from crosscheck.sweep.lane import Found
from crosscheck.sweep.shard import Shard
from crosscheck.trial import Subject
from crosscheck.trial import run as put
from reference.formats import FORMATS


@cache
def _in_a_round(regimes: tuple[str, ...], least: int) -> int:
    """The problems of a round in one dtype: shapes host regimes whatever the dtype is."""
    return sum(map(count_of, Plan(("float64",), regimes, least)))


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
        """Of each regime: a whole round, or what is left."""
        return min(ROUND, self.count - shard // len(self.dtypes) * ROUND)

    def cases(self, shard: int) -> Plan:
        """The cases of a shard."""
        number, place = divmod(shard, len(self.dtypes))
        return Plan((self.dtypes[place],), self.regimes, self._least(shard), self.seed + number)

    def run(self, shard: int, subjects: Mapping[str, Subject]) -> Found:
        """As `Lane.run`."""
        work, record = Shard(subjects), Record(known=KnownDifferences.shipped())
        for case in self.cases(shard):
            judge = Judge(case.problem())
            with work.watching(case, judge.problem):
                outcomes = {name: put(subject, judge) for name, subject in subjects.items()}
            for name, outcome in outcomes.items():
                if outcome.failure is not None:
                    outcome.failure.add_note(f"replay: {replay(case.text, name)}")
                    raise outcome.failure
            record.hear(case, judge, list(outcomes.values()))
        for finding in record.findings:
            accused = [outcome for outcome in finding.outcomes if outcome.disagreeing]
            others = [outcome for outcome in finding.outcomes if not outcome.disagreeing]
            work.accuse(finding.case, finding.judge, accused, others)
        return Found(self.problems(shard), record.summaries, frozenset(work.faults.values()))
