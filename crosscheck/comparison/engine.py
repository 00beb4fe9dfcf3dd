"""The comparison: every case of a plan, put to all adapters that meet it, in their processes, judged here.

The processes work ahead while this one judges. All adapters share one judge per case.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters import CORE
from crosscheck.cases import Case
from crosscheck.comparison.claims import Support
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.planned import Meeting
from crosscheck.comparison.summarise import best_within_budget, cell_of, count_of, summarise
from crosscheck.differing import Differences
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences, explained
from crosscheck.matrix.coverage import Coverage
from crosscheck.summary import EVERY, Cell, Summary, add
from crosscheck.trial import Outcome
from reference.types import Outputs, Problem

# Numbers of problems and results that wait to be judged: enough that nobody waits for long, some 100 MB.
AHEAD = 2**24
# Adapters that are right, which a finding keeps beside those that are wrong.
WITNESSES = 8

FAILURE = "failure"

Advance = Callable[[Case], None]


def wrong_of(outcome: Outcome) -> set[tuple[str, str]]:
    """The adapter with each output on which it disagrees, or with `FAILURE`."""
    what = {*outcome.disagreeing, *([FAILURE] if outcome.failure is not None else [])}
    return {(outcome.description.name, each) for each in what}


class Finding(NamedTuple):
    """A case on which some adapter disagrees or fails, and what all of them returned."""

    case: Case
    judge: Judge
    outcomes: tuple[Outcome, ...]

    @property
    def wrong(self) -> set[tuple[str, str]]:
        """`wrong_of` all its outcomes."""
        return {each for outcome in self.outcomes for each in wrong_of(outcome)}


def _witnesses(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Some that are right: those with results, and of them the plain modes first."""
    green = [outcome for outcome in outcomes if outcome.is_green]
    return sorted(green, key=lambda o: (o.outputs is None, o.description.name not in CORE))[:WITNESSES]


@dataclass
class Record:
    """What a comparison found, complete at any time.

    Attributes:
        summaries: by cell.
        findings: the first case for each adapter, dtype and output that disagrees, and each failure.
        support: what supports the adapters' claims.
        coverage: what was judged where.
        differences: how often adapters differ, each within its bounds.
        known: the differences that speak against nobody.
        judged: how many cases were judged.
        interrupted: by Ctrl-C.
    """

    summaries: dict[Cell, Summary] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    support: Support = field(default_factory=Support)
    coverage: Coverage = field(default_factory=Coverage)
    differences: Differences = field(default_factory=Differences)
    known: KnownDifferences = field(default_factory=KnownDifferences)
    judged: int = 0
    interrupted: bool = False
    _found: set[tuple[str, str, str]] = field(default_factory=set)

    def hear(self, case: Case, judge: Judge, outcomes: Sequence[Outcome]) -> None:
        """Take in the outcomes of one case."""
        best = best_within_budget(judge, outcomes)
        left: list[Outcome] = []
        self.differences.hear(judge, outcomes)
        for outcome in outcomes:
            covering = self.known.covering(judge, outcome, case.shape)
            add(self.summaries, summarise(case, judge, outcome, best, covering))
            self.support.hear(judge, outcome)
            self.coverage.hear(case, judge, outcome)
            left.append(explained(outcome, covering).left(outcome) if covering else outcome)
        self._find(case, judge, [outcome for outcome in left if not outcome.is_green], outcomes)
        self.judged += 1

    def _find(self, case: Case, judge: Judge, wrong: Sequence[Outcome], outcomes: Sequence[Outcome]) -> None:
        """Keep the case if it shows something wrong for the first time."""
        finding = Finding(case, judge, (*wrong, *_witnesses(outcomes)))
        new = {(case.dtype, *each) for each in finding.wrong}
        if not new <= self._found:
            self._found |= new
            self.findings.append(finding)

    def miss(self, case: Case, contestant: Contestant) -> None:
        """Count what a contestant that is out was not given."""
        cell = cell_of(case, Outcome(contestant.description), EVERY)
        add(self.summaries, {cell: Summary(not_run=count_of(case))})
        self.coverage.miss(contestant.description.name, case)


Call = tuple[Contestant, "Future[Outputs]"]


class _Waiting(NamedTuple):
    case: Case
    problem: Problem
    calls: list[Call]

    @property
    def numbers(self) -> int:
        """About how many numbers are there when all calls are done; results are smaller than problems."""
        return sum(array.size for array in self.problem) * (1 + len(self.calls))


def _under_way(meetings: Iterable[Meeting], contestants: Mapping[str, Contestant]) -> Iterator[_Waiting]:
    """The cases in order, each with its calls; those after it are handed in as far as `AHEAD` goes."""
    waiting: deque[_Waiting] = deque()
    ahead = 0
    for case, names in meetings:
        problem = case.problem()
        calls = [(contestants[name], contestants[name].submit(problem)) for name in names]
        waiting.append(_Waiting(case, problem, calls))
        ahead += waiting[-1].numbers
        while waiting and ahead > AHEAD:
            ahead -= waiting[0].numbers
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def compare(
    meetings: Iterable[Meeting],
    contestants: Mapping[str, Contestant],
    advance: Advance,
    known: KnownDifferences | None = None,
) -> Record:
    """Judge the contestants on the cases that they meet; Ctrl-C ends it early.

    Args:
        meetings: the cases of a plan, each with the names of those who meet it.
        contestants: the adapters by these names; who fails is put out, and the others go on.
        advance: called after each case.
        known: differences that speak against nobody; None: none.

    Raises:
        JournalError: an input could not be written, so that a crash would have lost it.
    """
    record = Record(known=known or KnownDifferences())
    try:
        for case, problem, calls in _under_way(meetings, contestants):
            judge = Judge(problem)
            heard = [(contestant, contestant.outcome(judge, call)) for contestant, call in calls]
            for contestant, outcome in heard:
                if outcome is None:
                    record.miss(case, contestant)
            record.hear(case, judge, [outcome for _, outcome in heard if outcome is not None])
            advance(case)
    except KeyboardInterrupt:
        record.interrupted = True
    return record
