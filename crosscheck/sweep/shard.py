"""One shard under way, whatever its lane: the adapters are called, and what they got wrong is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from adapters.errors import AdapterDied, AdapterMisbehaved
from crosscheck.accuracy import BestKnown
from crosscheck.blame.scene import Inquest
from crosscheck.cases import Case
from crosscheck.comparison.summarise import cell_of, count_of, known_in, summarise, wrong_in
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences, explained
from crosscheck.ledger import Fault
from crosscheck.message import replay
from crosscheck.summary import EVERY, Cell, Summary, add
from crosscheck.trial import Outcome, Subject, evaluate
from reference.types import Outputs, Problem


class Shard:
    """What is found in one shard.

    Attributes:
        subjects: the adapters, by what selects them.
        cells: a summary for each cell.
        faults: the first disagreement for each adapter and output.
    """

    def __init__(self, subjects: Mapping[str, Subject]) -> None:
        self.subjects = subjects
        self.cells: dict[Cell, Summary] = {}
        self.faults: dict[tuple[str, str], Fault] = {}
        self._known = KnownDifferences.of_checkout()

    @contextmanager
    def watching(self, *problems: Problem) -> Iterator[None]:
        """See to it that nobody changes the problems meanwhile.

        Raises:
            AdapterMisbehaved: an adapter did.
        """
        before = [_digest(problem) for problem in problems]
        yield
        if before != [_digest(problem) for problem in problems]:
            raise AdapterMisbehaved(" or ".join(self.subjects), "changed its input in place")

    def evaluated(self, case: Case, problem: Problem) -> dict[str, Outputs]:
        """What the adapters returned, by what selects them; a cell that one does not have says why.

        Raises:
            AdapterDied: an adapter in a process of its own did not survive.
            AdapterMisbehaved: an adapter raised.
        """
        results = dict[str, Outputs]()
        for name, subject in self.subjects.items():
            said = subject.description
            why = f"{said.name} has no {case.dtype}"
            if case.dtype in said.dtypes:
                try:
                    results[name] = evaluate(subject, problem)
                    continue
                except NotImplementedError as reason:
                    why = str(reason) or "no reason given"
                except (AdapterDied, AdapterMisbehaved) as failure:
                    failure.add_note(f"replay: {replay(case.text, name)}")
                    raise
            lacking = Summary(count_of(case), unsupported=frozenset([why]))
            add(self.cells, {cell_of(case, Outcome(said), EVERY): lacking})
        return results

    def outcomes(self, judge: Judge, results: Mapping[str, Outputs]) -> dict[str, Outcome]:
        """The results, judged."""
        return {name: self._outcome(judge, name, got) for name, got in results.items()}

    def tell(
        self,
        case: Case,
        judge: Judge,
        outcomes: Mapping[str, Outcome],
        best: Mapping[str, BestKnown],
        **cells: Any,
    ) -> None:
        """Add the summaries of a case, but for what `blame` counts.

        Args:
            case: that was evaluated.
            judge: of it.
            outcomes: of all adapters.
            best: the best known values.
            cells: fields of the cells that are not the case's.
        """
        for outcome in outcomes.values():
            for cell, summary in summarise(case, judge, outcome, best).items():
                bare = dataclasses.replace(summary, wrong_problems=0, wrong_elements=0)
                add(self.cells, {dataclasses.replace(cell, **cells): bare})

    def blame(
        self,
        case: Case,
        judge: Judge,
        results: Mapping[str, Outputs],
        wrong: Collection[str],
        regime: str | None = None,
    ) -> None:
        """Count what lies outside its set, and tell the first of it that is not known.

        Args:
            case: in which it does.
            judge: of the case.
            results: what all adapters returned.
            wrong: which of them are wrong somewhere.
            regime: of the cells, if it is not the case's.
        """
        for name in wrong:
            if self._is_new(name, self._counted(case, judge, name, results[name], regime)):
                self._tell(case, judge, results, name)

    def blame_some(
        self,
        case: Case,
        problem: Problem,
        results: Mapping[str, Outputs],
        wrong: Mapping[str, NDArray[np.intp]],
    ) -> None:
        """The same where the problems are known of which some number is outside: no others are looked at.

        Args:
            case: in which they are.
            problem: of the case, with one stack axis.
            results: what all adapters returned.
            wrong: their places in the stack, by adapter.
        """
        for name, places in wrong.items():
            some = Judge(Problem(*(array[places] for array in problem)))
            if self._is_new(name, self._counted(case, some, name, rows_of(results[name], places))):
                self._tell(case, Judge(problem), results, name)

    def _outcome(self, judge: Judge, name: str, got: Outputs) -> Outcome:
        said = self.subjects[name].description
        return Outcome(said, got, judge.judge(got, said.arithmetic[judge.format.name]))

    def _counted(
        self, case: Case, judge: Judge, name: str, got: Outputs, regime: str | None = None
    ) -> Outcome:
        """Count what lies outside its set; what is left of it that is not known."""
        outcome = self._outcome(judge, name, got)
        covering = self._known.covering(judge, outcome, case.shape)
        for output in outcome.disagreeing:
            cell = cell_of(case, outcome, output)
            outside = wrong_in(outcome.judgements[output], output)
            summary = dataclasses.replace(outside, **known_in(judge, output, covering[output]))
            add(self.cells, {dataclasses.replace(cell, regime=regime or cell.regime): summary})
        return explained(outcome, covering).left(outcome)

    def _is_new(self, name: str, left: Outcome) -> bool:
        """Whether an output disagrees of which no fault tells yet."""
        return any((name, output) not in self.faults for output in left.disagreeing)

    def _tell(self, case: Case, judge: Judge, results: Mapping[str, Outputs], name: str) -> None:
        """A fault for each output that is not known, with the smallest case that shows it."""
        outcomes = self.outcomes(judge, results)
        mine = outcomes.pop(name)
        left = self._known.explain(judge, mine, case.shape).left(mine)
        for scene in Inquest(case.text, judge, [left, *outcomes.values()], self.subjects).scenes(left):
            output, dtype = scene.element.output, judge.format.name
            what = f"{output} in {dtype}: {scene.extent} outside their sets in {case.text}"
            fault = Fault(who=left.description.name, what=f"{what}; replay: {replay(scene.text, name)}")
            self.faults.setdefault((name, output), fault)


def rows_of(outputs: Outputs, rows: slice | NDArray[np.intp]) -> Outputs:
    """The outputs of some problems of a stack."""
    return Outputs(*(None if got is None else got[rows] for got in outputs))


def _digest(problem: Problem) -> tuple[int, ...]:
    return tuple(xxhash.xxh3_64_intdigest(array.view(np.uint8).data) for array in problem)
