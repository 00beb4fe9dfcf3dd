"""One shard under way, whatever its lane: the adapters are called, and what they got wrong is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import xxhash
from numpy.typing import NDArray

from adapters.errors import AdapterDied, AdapterMisbehaved
from crosscheck.blame.scene import Inquest
from crosscheck.cases import Case
from crosscheck.cases.sources import forget
from crosscheck.comparison.summarise import cell_of, count_of, known_in, wrong_in
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences, explained
from crosscheck.ledger import Fault
from crosscheck.message import replay
from crosscheck.summary import EVERY, Cell, Summary, add, mark_of
from crosscheck.trial import Outcome, Subject, evaluate
from reference.types import Outputs, Problem


class Shard:
    """What is found in one shard.

    Attributes:
        subjects: the adapters, by what selects them.
        cells: a summary for each cell.
        faults: the first disagreement for each adapter, output and source of cases.
    """

    def __init__(self, subjects: Mapping[str, Subject]) -> None:
        self.subjects = subjects
        self.cells: dict[Cell, Summary] = {}
        self.faults: dict[tuple[str, str, str], Fault] = {}
        self._known = KnownDifferences.shipped()

    @contextmanager
    def watching(self, case: Case, *problems: Problem) -> Iterator[None]:
        """See to it that nobody changes the problems of a case, or of others like it, meanwhile.

        Raises:
            AdapterMisbehaved: an adapter did.
        """
        before = [_digest(problem) for problem in problems]
        yield
        if before != [_digest(problem) for problem in problems]:
            forget()
            takes = (each.description for each in self.subjects.values())
            names = [said.name for said in takes if case.dtype in said.dtypes]
            error = AdapterMisbehaved(" or ".join(names), "changed its input in place")
            error.add_note(f"the first of its cases: {case.text}")
            raise error

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
            lacking = Summary(count_of(case), cases=mark_of(case.text.encode()), unsupported=frozenset([why]))
            add(self.cells, {cell_of(case, Outcome(said), EVERY): lacking})
        return results

    def outcomes(self, judge: Judge, results: Mapping[str, Outputs]) -> dict[str, Outcome]:
        """The results, judged."""
        return {name: self._outcome(judge, name, got) for name, got in results.items()}

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
            if self._is_new(case, name, self._counted(case, judge, name, results[name], regime)):
                self._look_again(case, judge, results, name)

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
        whole = None
        for name, places in wrong.items():
            some = Judge(Problem(*(array[places] for array in problem)))
            if self._is_new(case, name, self._counted(case, some, name, rows_of(results[name], places))):
                whole = whole or Judge(problem)
                self._look_again(case, whole, results, name)

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

    def _is_new(self, case: Case, name: str, left: Outcome) -> bool:
        """Whether an output disagrees of which no fault tells yet."""
        return any((name, output, case.regime) not in self.faults for output in left.disagreeing)

    def _look_again(self, case: Case, judge: Judge, results: Mapping[str, Outputs], name: str) -> None:
        """Accuse an adapter of what is not known, with all others for witnesses."""
        outcomes = self.outcomes(judge, results)
        mine = outcomes.pop(name)
        left = self._known.explain(judge, mine, case.shape).left(mine)
        self.accuse(case, judge, [left], list(outcomes.values()))

    def accuse(
        self, case: Case, judge: Judge, outcomes: Sequence[Outcome], witnesses: Sequence[Outcome]
    ) -> None:
        """A fault for each output that disagrees, with the smallest case that shows it.

        Args:
            case: that was evaluated.
            judge: of it.
            outcomes: of those that are accused, without what is known.
            witnesses: the outcomes of others.
        """
        inquest = Inquest(case.text, judge, [*outcomes, *witnesses], self.subjects)
        for left in outcomes:
            who = left.description.name
            name = inquest.selectors[who]
            for scene in inquest.scenes(left):
                output = scene.element.output
                what = f"{output} in {case.dtype}: {scene.extent} outside their sets in {case.text}"
                fault = Fault(who=who, what=f"{what}; replay: {replay(scene.text, name)}")
                self.faults.setdefault((name, output, case.regime), fault)


def rows_of(outputs: Outputs, rows: slice | NDArray[np.intp]) -> Outputs:
    """The outputs of some problems of a stack."""
    return Outputs(*(None if got is None else got[rows] for got in outputs))


def _digest(problem: Problem) -> tuple[int, ...]:
    return tuple(xxhash.xxh3_64_intdigest(array.view(np.uint8).data) for array in problem)
