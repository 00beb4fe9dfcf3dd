"""The work on one shard of any kind of sweep: it calls the adapters, and counts and reports wrong results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import numpy as np
import xxhash
from msgspec.structs import replace
from numpy.typing import NDArray

from adapters.errors import AdapterCrashed, AdapterMisbehaved, NoAnswer, one_line
from crosscheck.explain.disagreement import DisagreementAnalysis
from crosscheck.explain.message import replay
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import clear_cache
from crosscheck.judging.accuracy import ExactValue
from crosscheck.judging.evaluation import CheckedAdapter, Evaluation, Outcome, evaluate, judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.results.known import KnownDifferences, combine_matches
from crosscheck.results.lines import Fault
from crosscheck.results.measure import add_measured, cell_of, count_known, count_of, summarise, wrong_in
from crosscheck.results.refusals import Refusals
from crosscheck.results.summary import EVERY, Cell, Summary, add, hash_of
from crosscheck.sweep.job import ShardResult
from reference.types import Outputs, Problem

# The failure in a summary. How an adapter failed may differ from shard to shard, and summaries must not grow.
FAILURE: Final = "failed; a fault names the case"


class Shard:
    """The work on one shard, and its results.

    Attributes:
        adapters: all adapters, by selector.
        cells: the summary of each cell.
        faults: the first disagreement for each adapter, output and source of cases, and each failure.
    """

    def __init__(self, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False) -> None:
        """Begin with no results; ``careful`` is as in `SweepKind.run`."""
        self.adapters, self._careful = adapters, careful
        self._failed: set[str] = set()
        self.cells: dict[Cell, Summary] = {}
        self.faults: dict[tuple[str, str, str], Fault] = {}
        self._known = KnownDifferences.shipped()
        self._refusals = Refusals()

    @contextmanager
    def check_inputs_unchanged(self, case: Case, *problems: Problem) -> Iterator[None]:
        """Check that no adapter writes to the arrays of the problem while the block runs.

        Raises:
            AdapterMisbehaved: one of the arrays has changed.
        """
        before = [_digest(problem) for problem in problems]
        yield
        if before != [_digest(problem) for problem in problems]:
            clear_cache()
            descriptions = (each.description for each in self.adapters.values())
            names = [said.name for said in descriptions if case.dtype in said.dtypes]
            error = AdapterMisbehaved(" or ".join(names), "changed its input in place")
            error.add_note(f"the first of its cases: {case.text}")
            raise error

    def evaluated(self, case: Case, problem: Problem) -> dict[str, Outputs]:
        """Evaluate a problem with every adapter.

        An adapter that does not support the case is left out, and its cell has the reason. In a careful
        attempt, so is an adapter that fails, which is not called again.

        Returns:
            The outputs of the others, by selector.

        Raises:
            AdapterCrashed, AdapterMisbehaved: as `SweepKind.run`.
        """
        results = dict[str, Outputs]()
        for name, adapter in self.adapters.items():
            if name in self._failed:
                self._add_without_outputs(case, name, Summary(not_run=count_of(case)))
                continue
            evaluation = evaluate(adapter, problem)
            if evaluation.failure is not None:
                self._add_failure(case, name, evaluation.failure)
                continue
            self._refusals.add(case, evaluation)
            if evaluation.outputs is not None:
                results[name] = evaluation.outputs
                continue
            why = frozenset([evaluation.unsupported or ""])
            summary = Summary(count_of(case), cases=hash_of(case.text.encode()), unsupported=why)
            self._add_without_outputs(case, name, summary)
        return results

    def _add_failure(self, case: Case, name: str, failure: AdapterMisbehaved | AdapterCrashed) -> None:
        """Report the failure of an adapter, or raise it as `SweepKind.run` says."""
        again = f"replay: {replay(case.text, name)}"
        if not self._careful or isinstance(failure, NoAnswer):
            failure.add_note(again)
            raise failure
        self._failed.add(name)
        fault = Fault(who=failure.adapter, what=f"{one_line(failure)}; {again}")
        self.faults[name, FAILURE, _source(case)] = fault
        summary = Summary(count_of(case), cases=hash_of(case.text.encode()), failures=frozenset([FAILURE]))
        self._add_without_outputs(case, name, summary)

    def _add_without_outputs(self, case: Case, name: str, summary: Summary) -> None:
        add(self.cells, {cell_of(case, self.adapters[name].description, EVERY): summary})

    def outcome(self, judge: Judge, name: str, got: Outputs) -> Outcome:
        """Judge the outputs of an adapter."""
        return judge_evaluation(judge, Evaluation(self.adapters[name].description, got))

    def add_outcomes(
        self,
        case: Case,
        judge: Judge,
        outcomes: Mapping[str, Outcome],
        exact: Mapping[str, ExactValue],
        regime: str | None = None,
    ) -> None:
        """Count all adapters' outcomes and errors as `compare` does, and report new disagreements.

        The results count in cells of ``regime``; if it is None, in those of the case's own regime.
        """
        for name, outcome in outcomes.items():
            matches = self._known.matches(judge, outcome, case.shape)
            found = summarise(case, judge, outcome, exact, matches)
            cells = {replace(cell, regime=regime or cell.regime): summary for cell, summary in found.items()}
            add_measured(self.cells, cells, judge, outcome, exact)
            self._report_first(case, judge, name, combine_matches(outcome, matches).without_known(outcome))

    def add_disagreements(
        self, case: Case, judge: Judge, name: str, outcome: Outcome, regime: str | None = None
    ) -> None:
        """Count the elements of one outcome that lie outside their sets, and report new disagreements.

        Elements that a known difference covers are counted, but not reported. ``regime`` is as in
        `add_outcomes`.
        """
        self._report_first(case, judge, name, self._count_outside(case, judge, outcome, regime))

    def add_disagreements_at(
        self, case: Case, problem: Problem, name: str, got: Outputs, places: NDArray[np.intp]
    ) -> None:
        """Do the same as `add_disagreements`, but judge only the problems that are known to disagree.

        ``places`` are the places of these problems in the one stack axis of the case.
        """
        some = Judge(Problem(*(array[places] for array in problem)))
        left = self._count_outside(case, some, self.outcome(some, name, rows_of(got, places)))
        if self._is_new(case, name, left):
            judge = Judge(problem)
            outcome = self.outcome(judge, name, got)
            left = self._known.match(judge, outcome, case.shape).without_known(outcome)
            self._report_first(case, judge, name, left)

    def _count_outside(
        self, case: Case, judge: Judge, outcome: Outcome, regime: str | None = None
    ) -> Outcome:
        """Count the elements outside their sets; return the outcome without those that are known."""
        matches = self._known.matches(judge, outcome, case.shape)
        for output in outcome.disagreeing:
            cell = cell_of(case, outcome.description, output)
            outside = wrong_in(outcome.judgements[output], output)
            count_known(outside, judge, output, matches[output])
            add(self.cells, {replace(cell, regime=regime or cell.regime): outside})
        return combine_matches(outcome, matches).without_known(outcome)

    def _is_new(self, case: Case, name: str, left: Outcome) -> bool:
        """Return whether an output disagrees for which no fault has been reported yet."""
        return any((name, output, _source(case)) not in self.faults for output in left.disagreeing)

    def _report_first(self, case: Case, judge: Judge, name: str, left: Outcome) -> None:
        """Add a fault for each output that disagrees for the first time, with a case as small as possible.

        ``left`` is the outcome without the elements that known differences cover.
        """
        if not self._is_new(case, name, left):
            return
        analysis = DisagreementAnalysis(case.text, judge, [left], {name: self.adapters[name]})
        for disagreement in analysis.disagreements(left):
            output = disagreement.element.output
            what = f"{output} in {case.dtype}: {disagreement.extent} outside their sets in {case.text}"
            fault = Fault(
                who=left.description.name, what=f"{what}; replay: {replay(disagreement.text, name)}"
            )
            self.faults.setdefault((name, output, _source(case)), fault)

    def result(self, problems: int) -> ShardResult:
        """Return the result of the shard.

        Args:
            problems: how many problems each adapter evaluated.
        """
        faults = frozenset(self.faults.values())
        return ShardResult(problems, self.cells, faults, tuple(self._refusals.lines()))


def _source(case: Case) -> str:
    """Return the name of the source of cases; all regimes of a plan are one source."""
    return "plan" if case.regime in REGIMES else case.regime


def rows_of(outputs: Outputs, rows: slice | NDArray[np.intp]) -> Outputs:
    """Select the outputs of some problems of a stack."""
    return Outputs(*(None if got is None else got[rows] for got in outputs))


def _digest(problem: Problem) -> tuple[int, ...]:
    return tuple(xxhash.xxh3_64_intdigest(array.view(np.uint8).data) for array in problem)
