"""The record of a run: everything that is found in the outcomes of its cases, counted in place.

Every way to run the suite adds its outcomes here: the comparison, the sweep of regimes, and pytest. Tables,
pytest's summary, ledgers and reports are views of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters import CORE
from adapters.protocol import Description
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from crosscheck.results.claims import ClaimEvidence, Differences, MissingClaims
from crosscheck.results.coverage import Coverage
from crosscheck.results.known import KnownDifferences, KnownMatch, combine_matches
from crosscheck.results.lines import AdapterFault
from crosscheck.results.measure import (
    add_counts,
    add_measured,
    cell_of,
    count_of,
    exact_values_within_budget,
    summarise,
)
from crosscheck.results.refusals import Refusals
from crosscheck.results.summary import EVERY, Cell, Summary, add

# How many outcomes of agreeing adapters a failing case keeps beside those that disagree.
MOST_AGREEING = 8

FAILURE = "failure"


def wrong_of(outcome: Outcome) -> set[tuple[str, str]]:
    """Return pairs of the adapter and each output on which it disagrees, or `FAILURE`."""
    what = {*outcome.disagreeing, *([FAILURE] if outcome.failure is not None else [])}
    return {(outcome.description.name, each) for each in what}


class FailingCase(NamedTuple):
    """A case on which some adapter disagrees or fails, with the outcomes of several adapters."""

    case: Case | Literal
    judge: Judge
    outcomes: tuple[Outcome, ...]

    @property
    def wrong(self) -> set[tuple[str, str]]:
        """Pairs of each wrong adapter and an output or `FAILURE`, as `wrong_of` returns them."""
        return {each for outcome in self.outcomes for each in wrong_of(outcome)}


def _agreeing(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return some outcomes of agreeing adapters: first those with outputs, the core modes before others."""
    green = [outcome for outcome in outcomes if outcome.is_green]
    return sorted(green, key=lambda o: (o.outputs is None, o.description.name not in CORE))[:MOST_AGREEING]


@dataclass
class Results:
    """The results of a run, consistent at any time.

    Attributes:
        known: the known differences, which do not fail the run.
        is_measured: whether errors in ulp, shares of the bound, hashes, claims and differences are found as
            well as counts; a case takes milliseconds with them, and less than a tenth of that without.
        summaries: the summaries by cell.
        failing_cases: the first case for each adapter, dtype and output that disagrees, and each failure.
        claim_evidence: which of the adapters' claims a result needed.
        missing_claims: which other claims would admit the wrong results.
        coverage: the judged elements by mode, dtype, class of shapes and regime.
        refusals: what adapters do not evaluate.
        differences: how often adapters differ while each is within its bounds.
        late: the time-outs other than at a case.
        judged: how many cases were judged.
        interrupted: whether Ctrl-C ended the run.
    """

    known: KnownDifferences = field(default_factory=KnownDifferences)
    is_measured: bool = True
    summaries: dict[Cell, Summary] = field(default_factory=dict)
    failing_cases: list[FailingCase] = field(default_factory=list)
    claim_evidence: ClaimEvidence = field(default_factory=ClaimEvidence)
    missing_claims: MissingClaims = field(default_factory=MissingClaims)
    coverage: Coverage = field(default_factory=Coverage)
    refusals: Refusals = field(default_factory=Refusals)
    differences: Differences = field(default_factory=Differences)
    late: list[AdapterFault] = field(default_factory=list)
    judged: int = 0
    interrupted: bool = False
    _found: set[tuple[str, str, str]] = field(default_factory=set)

    def add(
        self, case: Case | Literal, judge: Judge, outcomes: Sequence[Outcome], *, is_measured: bool = True
    ) -> list[KnownMatch]:
        """Add the outcomes of one case; return what known differences cover of each.

        Args:
            case: the case.
            judge: the judge of its problem.
            outcomes: the outcomes of the adapters that evaluated it.
            is_measured: whether it is measured in a run that is; a case with a wrong outcome always is.
        """
        known_matches: list[KnownMatch] = []
        is_measured = self.is_measured and (is_measured or not all(each.is_green for each in outcomes))
        exact = exact_values_within_budget(judge, outcomes) if is_measured else {}
        if is_measured:
            self.differences.add(judge, outcomes)
        for outcome in outcomes:
            is_green = outcome.is_green
            matches = {} if is_green else self.known.matches(judge, outcome, case.shape)
            if is_measured:
                found = summarise(case, judge, outcome, exact, matches)
                add_measured(self.summaries, found, judge, outcome, exact)
                self.claim_evidence.add(judge, outcome)
            else:
                add_counts(self.summaries, case, judge, outcome, matches)
            self.coverage.add(case, judge, outcome)
            self.refusals.add(case, outcome)
            known_matches.append(KnownMatch({}, {}) if is_green else combine_matches(outcome, matches))
            if outcome.outputs is not None and not known_matches[-1].is_green:
                self.missing_claims.add(judge, outcome)
        self._keep_if_new(case, judge, outcomes, known_matches)
        self.judged += 1
        return known_matches

    def _keep_if_new(
        self,
        case: Case | Literal,
        judge: Judge,
        outcomes: Sequence[Outcome],
        known_matches: Sequence[KnownMatch],
    ) -> None:
        """Keep the case if it shows a new fault: a new adapter, dtype, and output or failure."""
        wrong = [
            match.without_known(outcome)
            for outcome, match in zip(outcomes, known_matches, strict=True)
            if not match.is_green
        ]
        if not wrong:
            return
        failing_case = FailingCase(case, judge, (*wrong, *_agreeing(outcomes)))
        new = {(case.dtype, *each) for each in failing_case.wrong}
        if not new <= self._found:
            self._found |= new
            self.failing_cases.append(failing_case)

    def add_skipped(self, case: Case, description: Description) -> None:
        """Count a case that was not given to an adapter, because it had failed before."""
        cell = cell_of(case, description, EVERY)
        add(self.summaries, {cell: Summary(not_run=count_of(case))})
        self.coverage.add_skipped(description.name, case)
