"""The work on one shard of any kind of sweep: it calls the adapters, and counts and reports wrong results."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import xxhash
from msgspec.structs import replace
from numpy.typing import NDArray

from adapters.errors import AdapterCrashed, AdapterMisbehaved
from crosscheck.explain.disagreement import DisagreementAnalysis
from crosscheck.explain.message import replay
from crosscheck.inputs import Case
from crosscheck.inputs.sources import clear_cache
from crosscheck.judging.evaluation import CheckedAdapter, Outcome, evaluate_stack
from crosscheck.judging.judge import Judge
from crosscheck.results.known import KnownDifferences, combine_matches
from crosscheck.results.lines import Fault
from crosscheck.results.measure import cell_of, count_known, count_of, wrong_in
from crosscheck.results.summary import EVERY, Cell, Summary, add, hash_of
from reference.types import Outputs, Problem


class Shard:
    """The work on one shard, and its results.

    Attributes:
        adapters: all adapters, by selector.
        cells: the summary of each cell.
        faults: the first disagreement for each adapter, output and source of cases.
    """

    def __init__(self, adapters: Mapping[str, CheckedAdapter]) -> None:
        self.adapters = adapters
        self.cells: dict[Cell, Summary] = {}
        self.faults: dict[tuple[str, str, str], Fault] = {}
        self._known = KnownDifferences.shipped()

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

        An adapter that does not support the case is left out, and its cell has the reason.

        Returns:
            The outputs of the others, by selector.

        Raises:
            AdapterCrashed: an adapter in a process of its own crashed.
            AdapterMisbehaved: an adapter raised.
        """
        results = dict[str, Outputs]()
        for name, adapter in self.adapters.items():
            said = adapter.description
            why = f"{said.name} has no {case.dtype}"
            if case.dtype in said.dtypes:
                try:
                    results[name] = evaluate_stack(adapter, problem)
                    continue
                except NotImplementedError as reason:
                    why = str(reason) or "no reason given"
                except (AdapterCrashed, AdapterMisbehaved) as failure:
                    failure.add_note(f"replay: {replay(case.text, name)}")
                    raise
            lacking = Summary(count_of(case), cases=hash_of(case.text.encode()), unsupported=frozenset([why]))
            add(self.cells, {cell_of(case, said, EVERY): lacking})
        return results

    def outcomes(self, judge: Judge, results: Mapping[str, Outputs]) -> dict[str, Outcome]:
        """Judge the results of all adapters; return the outcomes, by selector."""
        return {name: self._outcome(judge, name, got) for name, got in results.items()}

    def add_disagreements(
        self,
        case: Case,
        judge: Judge,
        results: Mapping[str, Outputs],
        wrong: Collection[str],
        regime: str | None = None,
    ) -> None:
        """Count the elements outside their sets, and report the first that no known difference covers.

        Args:
            case: a case with such elements.
            judge: the judge of the case.
            results: the outputs of all adapters, by selector.
            wrong: the selectors of the adapters with such elements.
            regime: the regime of the cells; None: that of the case.
        """
        for name in wrong:
            if self._is_new(case, name, self._count_outside(case, judge, name, results[name], regime)):
                self._report_unknown(case, judge, results, name)

    def add_disagreements_at(
        self,
        case: Case,
        problem: Problem,
        results: Mapping[str, Outputs],
        wrong: Mapping[str, NDArray[np.intp]],
    ) -> None:
        """Do the same as `add_disagreements`, but judge only the problems that are known to disagree.

        Args:
            case: a case with such elements.
            problem: the arrays of the case, with one stack axis.
            results: the outputs of all adapters, by selector.
            wrong: the places of the problems with elements outside their sets, by selector.
        """
        whole = None
        for name, places in wrong.items():
            some = Judge(Problem(*(array[places] for array in problem)))
            if self._is_new(
                case, name, self._count_outside(case, some, name, rows_of(results[name], places))
            ):
                whole = whole or Judge(problem)
                self._report_unknown(case, whole, results, name)

    def _outcome(self, judge: Judge, name: str, got: Outputs) -> Outcome:
        said = self.adapters[name].description
        return Outcome(said, got, judge.judge(got, said.arithmetic[judge.format.name]))

    def _count_outside(
        self, case: Case, judge: Judge, name: str, got: Outputs, regime: str | None = None
    ) -> Outcome:
        """Count the elements outside their sets; return the outcome without those that are known."""
        outcome = self._outcome(judge, name, got)
        matches = self._known.matches(judge, outcome, case.shape)
        for output in outcome.disagreeing:
            cell = cell_of(case, outcome.description, output)
            outside = wrong_in(outcome.judgements[output], output)
            count_known(outside, judge, output, matches[output])
            add(self.cells, {replace(cell, regime=regime or cell.regime): outside})
        return combine_matches(outcome, matches).without_known(outcome)

    def _is_new(self, case: Case, name: str, left: Outcome) -> bool:
        """Return whether an output disagrees for which no fault has been reported yet."""
        return any((name, output, case.regime) not in self.faults for output in left.disagreeing)

    def _report_unknown(self, case: Case, judge: Judge, results: Mapping[str, Outputs], name: str) -> None:
        """Report an adapter's disagreements that no known difference covers, beside all other outcomes."""
        outcomes = self.outcomes(judge, results)
        mine = outcomes.pop(name)
        left = self._known.match(judge, mine, case.shape).without_known(mine)
        self.report_faults(case, judge, [left], list(outcomes.values()))

    def report_faults(
        self, case: Case, judge: Judge, outcomes: Sequence[Outcome], others: Sequence[Outcome]
    ) -> None:
        """Add a fault for each output that disagrees, with the smallest case that shows it.

        Args:
            case: the case that was evaluated.
            judge: the judge of the case.
            outcomes: the outcomes of adapters that disagree, without elements that known differences cover.
            others: the outcomes of other adapters.
        """
        analysis = DisagreementAnalysis(case.text, judge, [*outcomes, *others], self.adapters)
        for left in outcomes:
            who = left.description.name
            name = analysis.selectors[who]
            for disagreement in analysis.disagreements(left):
                output = disagreement.element.output
                what = f"{output} in {case.dtype}: {disagreement.extent} outside their sets in {case.text}"
                fault = Fault(who=who, what=f"{what}; replay: {replay(disagreement.text, name)}")
                self.faults.setdefault((name, output, case.regime), fault)


def rows_of(outputs: Outputs, rows: slice | NDArray[np.intp]) -> Outputs:
    """Select the outputs of some problems of a stack."""
    return Outputs(*(None if got is None else got[rows] for got in outputs))


def _digest(problem: Problem) -> tuple[int, ...]:
    return tuple(xxhash.xxh3_64_intdigest(array.view(np.uint8).data) for array in problem)
