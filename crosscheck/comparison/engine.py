"""The comparison: every adapter on every case of a plan, each in its child, judged here.

The children work ahead while this process judges. All adapters share one judge per case.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from crosscheck.accuracy import best_known
from crosscheck.cases import Case
from crosscheck.comparison.claims import Support
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.summarise import cell_of, count_of, summarise, suspicion
from crosscheck.judge import Judge
from crosscheck.summary import EVERY, Cell, Summary, add
from crosscheck.trial import Outcome
from reference.types import Outputs, Problem

# Cases handed to the children before the first of them is judged: enough that nobody waits, a few MB.
AHEAD = 4
# Problems of one case that the oracle takes where nothing cheaper is sure: half suspects, half a sample.
BUDGET = 32

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


@dataclass
class Record:
    """What a comparison found, complete at any time.

    Attributes:
        summaries: by cell.
        findings: the first case for each adapter, dtype and output that disagrees, and each failure.
        support: what supports the adapters' claims.
        judged: how many cases were judged.
        interrupted: by Ctrl-C.
    """

    summaries: dict[Cell, Summary] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    support: Support = field(default_factory=Support)
    judged: int = 0
    interrupted: bool = False
    _found: set[tuple[str, str, str]] = field(default_factory=set)

    def hear(self, case: Case, judge: Judge, outcomes: Sequence[Outcome]) -> None:
        """Take in the outcomes of one case."""
        best = best_known(judge, BUDGET, suspicion(judge, outcomes))
        found = [summarise(case, judge, outcome, best) for outcome in outcomes]
        for outcome, summaries in zip(outcomes, found, strict=True):
            add(self.summaries, summaries)
            self.support.hear(judge, outcome)
        finding = Finding(case, judge, tuple(outcomes))
        new = {(case.dtype, *wrong) for wrong in finding.wrong}
        if not new <= self._found:
            self._found |= new
            self.findings.append(finding)
        self.judged += 1

    def miss(self, case: Case, contestant: Contestant) -> None:
        """Count what a contestant that is out was not given."""
        cell = cell_of(case, Outcome(contestant.description), EVERY)
        add(self.summaries, {cell: Summary(not_run=count_of(case))})


Call = tuple[Contestant, "Future[Outputs]"]


def _under_way(
    cases: Iterable[Case], contestants: Sequence[Contestant]
) -> Iterator[tuple[Case, Problem, list[Call]]]:
    """The cases in order, each with its calls, `AHEAD` of which are handed in already."""
    waiting: deque[tuple[Case, Problem, list[Call]]] = deque()
    for case in cases:
        problem = case.problem()
        waiting.append((case, problem, [(c, c.submit(problem)) for c in contestants]))
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    yield from waiting


def compare(cases: Iterable[Case], contestants: Sequence[Contestant], advance: Advance) -> Record:
    """Judge every contestant on every case; Ctrl-C ends it early.

    Args:
        cases: a plan.
        contestants: the adapters; who fails is put out, and the others go on.
        advance: called after each case.

    Raises:
        JournalError: an input could not be written, so that a crash would have lost it.
    """
    record = Record()
    try:
        for case, problem, calls in _under_way(cases, contestants):
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
