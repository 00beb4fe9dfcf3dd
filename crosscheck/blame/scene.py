"""Where one output of one adapter goes wrong, as small as it can be shown, with all adapters there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from adapters.errors import AdapterDied
from crosscheck.blame.element import Element
from crosscheck.blame.reduce import reduce
from crosscheck.cases import Case, CaseError, Literal, parse
from crosscheck.contract import history
from crosscheck.judge import Judge
from crosscheck.trial import Outcome, Subject, run

LONGEST = 2000  # characters of a literal case in a line to be pasted; a longer one is shown as it came


class Scene(NamedTuple):
    """One output of one adapter that lies outside its set.

    Attributes:
        text: what replays it.
        element: the worst element.
        culprit: the adapter's outcome.
        others: the outcomes of the other adapters on the same input.
        extent: how many elements lie outside, of how many, in the case as it came.
        came: the worst element in the case as it came, and what the culprit returned there.
        broken: sentences about a contract that is broken, which explain more than any equation.
        reduced: whether the input is smaller than what came.
    """

    text: str
    element: Element
    culprit: Outcome
    others: tuple[Outcome, ...]
    extent: str
    came: tuple[Element, float]
    reduced: bool
    broken: Sequence[str] = ()


@dataclass(frozen=True)
class Inquest:
    """One case as it came, with what all adapters made of it, to be explained.

    Attributes:
        text: the case, or the file that it came from.
        judge: of the case.
        outcomes: of all adapters.
        subjects: those that can be asked again, by the name or ``package.module:object`` that selects them.
    """

    text: str
    judge: Judge
    outcomes: Sequence[Outcome]
    subjects: Mapping[str, Subject]

    @cached_property
    def selectors(self) -> dict[str, str]:
        """From the name of an adapter to what selects it."""
        return {subject.description.name: name for name, subject in self.subjects.items()}

    @cached_property
    def source(self) -> Case | Literal:
        """The case; the numbers themselves where the text is the name of a file."""
        try:
            return parse(self.text)
        except CaseError:
            return Literal(self.judge.format.name, *self.judge.problem)

    @property
    def _answering(self) -> list[Subject]:
        """The subjects without those that failed on this case, which may take their time to fail again."""
        failed = {outcome.description.name for outcome in self.outcomes if outcome.failure is not None}
        return [subject for subject in self.subjects.values() if subject.description.name not in failed]

    def subject_of(self, outcome: Outcome) -> Subject | None:
        """The adapter that the outcome belongs to, if it still answers."""
        return self.subjects.get(self.selectors.get(outcome.description.name, ""))

    def scenes(self, outcome: Outcome) -> Iterator[Scene]:
        """A scene for each output that disagrees; they share one reduced case where that shows both.

        Nothing is reduced where a result depends on more than its input.
        """
        subject = self.subject_of(outcome)
        broken = self._broken(subject) if subject and outcome.disagreeing else []
        smaller: Case | Literal | None = None
        for output in outcome.disagreeing:
            whole = self._as_it_came(outcome, output)._replace(broken=broken)
            if subject is None or broken:
                yield whole
                continue
            scene = smaller and self._on(smaller, subject, whole)
            if not scene:
                smaller = reduce(subject, self.source, output, _problem_of(whole.element))
                scene = self._on(smaller, subject, whole)
            yield scene or whole

    def _broken(self, subject: Subject) -> list[str]:
        try:
            return history(subject, self.judge.problem)
        except AdapterDied as death:
            return [str(death)]

    def _as_it_came(self, outcome: Outcome, output: str) -> Scene:
        inside = outcome.judgements[output].admissible
        others = tuple(other for other in self.outcomes if other is not outcome)
        extent = f"{int((~inside).sum())} of {inside.size} elements of {output}"
        element = worst(self.judge, outcome, output)
        return Scene(
            self.text, element, outcome, others, extent, (element, element.got(outcome)), reduced=False
        )

    def _on(self, smaller: Case | Literal, subject: Subject, whole: Scene) -> Scene | None:
        """The same output on a smaller case; None if it agrees there, or the case is too long to paste."""
        if smaller is self.source or len(smaller.text) > LONGEST:
            return None
        judge, output = Judge(smaller.problem()), whole.element.output
        culprit = run(subject, judge)
        if output not in culprit.disagreeing:
            return None
        others = tuple(run(other, judge) for other in self._answering if other is not subject)
        element, reduced = worst(judge, culprit, output), smaller.text != self.text
        return Scene(smaller.text, element, culprit, others, whole.extent, whole.came, reduced)


def worst(judge: Judge, outcome: Outcome, output: str) -> Element:
    """The element of a disagreeing output that lies farthest outside its set, as a share of the radius."""
    got = np.asarray(getattr(outcome.outputs, output)).astype(np.float64)
    whole = judge.sets(outcome.description.arithmetic[judge.format.name])[output]
    admissible = outcome.judgements[output].admissible
    share = np.where(admissible, -1.0, whole.share(got, admissible))
    return Element(judge, output, tuple(map(int, np.unravel_index(int(np.argmax(share)), share.shape))))


def _problem_of(element: Element) -> int:
    """The flat index of the element's problem in the stack."""
    shape = element.judge.problem.X.shape[:-2]
    return int(np.ravel_multi_index(element.problem_index, shape)) if shape else 0
