"""The comparison: adapters evaluate every case of a plan in their processes; this process judges them.

The processes compute the next cases while this process judges. All adapters of a case share one judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters import CORE
from adapters.protocol import Description
from crosscheck.cases import Case
from crosscheck.comparison.claims import ClaimEvidence
from crosscheck.comparison.planned import PlannedCase
from crosscheck.comparison.summarise import cell_of, count_of, exact_values_within_budget, summarise
from crosscheck.evaluation import Outcome, judge_evaluation
from crosscheck.explain.differing import Differences
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences, combine_matches
from crosscheck.matrix.coverage import Coverage
from crosscheck.pool import AdapterPool
from crosscheck.summary import EVERY, Cell, Summary, add

# How many outcomes of agreeing adapters a failing case keeps beside those that disagree.
MOST_AGREEING = 8

FAILURE = "failure"

Advance = Callable[[Case], None]


def wrong_of(outcome: Outcome) -> set[tuple[str, str]]:
    """Return pairs of the adapter and each output on which it disagrees, or `FAILURE`."""
    what = {*outcome.disagreeing, *([FAILURE] if outcome.failure is not None else [])}
    return {(outcome.description.name, each) for each in what}


class FailingCase(NamedTuple):
    """A case on which some adapter disagrees or fails, with the outcomes of several adapters."""

    case: Case
    judge: Judge
    outcomes: tuple[Outcome, ...]

    @property
    def wrong(self) -> set[tuple[str, str]]:
        """Pairs of each wrong adapter and an output or `FAILURE`, as `wrong_of` returns them."""
        return {each for outcome in self.outcomes for each in wrong_of(outcome)}


def _agreeing(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return some outcomes of agreeing adapters: first those with results, among them the plain modes."""
    green = [outcome for outcome in outcomes if outcome.is_green]
    return sorted(green, key=lambda o: (o.outputs is None, o.description.name not in CORE))[:MOST_AGREEING]


@dataclass
class Results:
    """The results of a comparison, consistent at any time.

    Attributes:
        summaries: the summaries by cell.
        failing_cases: the first case for each adapter, dtype and output that disagrees, and each failure.
        claim_evidence: which of the adapters' claims a result needed.
        coverage: the judged elements by mode, dtype, class of shapes and regime.
        differences: how often adapters differ while each is within its bounds.
        known: the known differences, which do not fail the run.
        late: one sentence for each time-out other than at a case.
        judged: how many cases were judged.
        interrupted: whether Ctrl-C ended the comparison.
    """

    summaries: dict[Cell, Summary] = field(default_factory=dict)
    failing_cases: list[FailingCase] = field(default_factory=list)
    claim_evidence: ClaimEvidence = field(default_factory=ClaimEvidence)
    coverage: Coverage = field(default_factory=Coverage)
    differences: Differences = field(default_factory=Differences)
    known: KnownDifferences = field(default_factory=KnownDifferences)
    late: list[str] = field(default_factory=list)
    judged: int = 0
    interrupted: bool = False
    _found: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, case: Case, judge: Judge, outcomes: Sequence[Outcome]) -> None:
        """Add the outcomes of one case."""
        exact = exact_values_within_budget(judge, outcomes)
        without_known: list[Outcome] = []
        self.differences.add(judge, outcomes)
        for outcome in outcomes:
            matches = self.known.matches(judge, outcome, case.shape)
            add(self.summaries, summarise(case, judge, outcome, exact, matches))
            self.claim_evidence.add(judge, outcome)
            self.coverage.add(case, judge, outcome)
            without_known.append(
                combine_matches(outcome, matches).without_known(outcome) if matches else outcome
            )
        self._keep_if_new(
            case, judge, [outcome for outcome in without_known if not outcome.is_green], outcomes
        )
        self.judged += 1

    def _keep_if_new(
        self, case: Case, judge: Judge, wrong: Sequence[Outcome], outcomes: Sequence[Outcome]
    ) -> None:
        """Keep the case if it shows a new fault: a new adapter, dtype, and output or failure."""
        failing_case = FailingCase(case, judge, (*wrong, *_agreeing(outcomes)))
        new = {(case.dtype, *each) for each in failing_case.wrong}
        if not new <= self._found:
            self._found |= new
            self.failing_cases.append(failing_case)

    def add_skipped(self, case: Case, description: Description) -> None:
        """Count a case that was not given to an adapter, because it had failed before."""
        cell = cell_of(case, Outcome(description), EVERY)
        add(self.summaries, {cell: Summary(not_run=count_of(case))})
        self.coverage.add_skipped(description.name, case)


def compare(
    planned_cases: Iterable[PlannedCase],
    pool: AdapterPool,
    advance: Advance,
    known: KnownDifferences | None = None,
) -> Results:
    """Evaluate the cases with the adapters of the pool, and judge them; Ctrl-C ends it early.

    Args:
        planned_cases: the cases of a plan, each with the names of the adapters that evaluate it.
        pool: the adapters by these names.
        advance: a function that is called after each case.
        known: the known differences, which do not fail the run; None for none.

    Raises:
        JournalError: an input could not be written, so that a crash would have lost it.
    """
    results = Results(known=known or KnownDifferences())
    try:
        for case, problem, calls in pool.stream(planned_cases):
            judge = Judge(problem)
            evaluations = ((name, call.result()) for name, call in calls)
            outcomes = {name: one and judge_evaluation(judge, one) for name, one in evaluations}
            for name in (name for name, outcome in outcomes.items() if outcome is None):
                results.add_skipped(case, pool.adapters[name].description)
            results.add(case, judge, [outcome for outcome in outcomes.values() if outcome is not None])
            advance(case)
    except KeyboardInterrupt:
        results.interrupted = True
    return results
