"""Refusals: what adapters do not evaluate, by regime and class of shapes, and refusals that depend on values.

An adapter may refuse a shape, a dtype or a layout, and may lack an output there. It may not choose by values:
if it evaluates one case of a shape, dtype and layout, it evaluates every case of them, with the same outputs.
Layouts whose strides depend on values (`reference.layouts.STRIDED_BY_VALUES`) show nothing of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from crosscheck.inputs import Case, Literal, parse
from crosscheck.judging.evaluation import Evaluation, Outcome
from crosscheck.plans.shapes import shape_class
from crosscheck.results.lines import Answers, Fault
from crosscheck.results.measure import regime_of
from crosscheck.results.summary import EVERY
from reference.layouts import STRIDED_BY_VALUES

# The reason for an output that is left out, for which an adapter gives none.
LEFT_OUT: Final = "left out"


class Refusal(NamedTuple):
    """Something that an adapter does not evaluate in a dtype.

    Attributes:
        adapter, dtype: the adapter and the dtype.
        output: the output that is left out; `EVERY` if the case is refused.
        reason: the adapter's reason; `LEFT_OUT` for an output.
    """

    adapter: str
    dtype: str
    output: str
    reason: str

    @property
    def text(self) -> str:
        """What is refused and why, without the adapter and the dtype."""
        return self.reason if self.output == EVERY else f"{self.output} is {self.reason}"


class ByValues(NamedTuple):
    """A refusal that depends on values: of two cases of one shape, dtype and layout, one is refused.

    Attributes:
        refusal: what is refused.
        refused, answered: a case of each kind.
    """

    refusal: Refusal
    refused: Case | Literal
    answered: Case | Literal

    @property
    def sentence(self) -> str:
        """Say it in one line, with both cases."""
        return (
            f"{self.refusal.adapter}: refuses by values: {self.refusal.text} at {self.refused.text}, but not"
            f" at {self.answered.text}, of the same shape, dtype and layout"
        )


class _Place(NamedTuple):
    adapter: str
    dtype: str
    output: str
    shape: tuple[int, ...]
    layout: str


@dataclass
class Refusals:
    """The refusals of a run.

    Attributes:
        cases: how many cases each refusal has, by class of shapes and regime.
    """

    cases: dict[Refusal, Counter[tuple[str, str]]] = field(default_factory=dict)
    _answered: dict[_Place, Case | Literal] = field(default_factory=dict)
    _refused: dict[_Place, tuple[Refusal, Case | Literal]] = field(default_factory=dict)

    def add(self, case: Case | Literal, evaluation: Evaluation | Outcome) -> None:
        """Count one evaluation; a failure, and a dtype that the adapter does not list, are no refusals."""
        said, outputs = evaluation.description, evaluation.outputs
        if evaluation.failure is not None or case.dtype not in said.dtypes:
            return
        answers = {EVERY: outputs is not None}
        if outputs is not None:
            answers |= {name: got is not None for name, got in outputs._asdict().items()}
        for output, is_there in answers.items():
            place = _Place(said.name, case.dtype, output, case.shape, case.layout)
            if is_there:
                self._answered.setdefault(place, case)
            else:
                refusal = Refusal(said.name, case.dtype, output, evaluation.unsupported or LEFT_OUT)
                self._refused.setdefault(place, (refusal, case))
                self.cases.setdefault(refusal, Counter())[shape_class(case.shape), regime_of(case)] += 1

    def by_values(self) -> list[ByValues]:
        """Return the refusal by values of each adapter, dtype and output at the smallest shape."""
        found: dict[tuple[str, ...], ByValues] = {}
        for place in sorted(self._refused.keys() & self._answered.keys()):
            if place.layout not in STRIDED_BY_VALUES:
                found.setdefault(place[:3], ByValues(*self._refused[place], self._answered[place]))
        return list(found.values())

    def lines(self) -> list[Answers]:
        """Return what `merge` takes: a case of each kind for each shape, dtype and layout."""
        answered: dict[tuple[str, str], list[str]] = {}
        refused: dict[tuple[str, str], dict[str, str]] = {}
        for place, case in self._answered.items():
            answered.setdefault((place.adapter, place.output), []).append(case.text)
        for place, (refusal, case) in self._refused.items():
            refused.setdefault((place.adapter, place.output), {})[case.text] = refusal.reason
        return [
            Answers(
                adapter=key[0],
                output=key[1],
                answered=tuple(sorted(answered.get(key, ()))),
                refused=refused.get(key, {}),
            )
            for key in sorted({*answered, *refused})
        ]

    def merge(self, lines: Iterable[Answers]) -> None:
        """Add what other runs answered and refused; of the cases at one place the first by text is kept.

        Raises:
            CaseError: a text is that of no case.
        """
        for line in lines:
            for case in map(parse, line.answered):
                place = _Place(line.adapter, case.dtype, line.output, case.shape, case.layout)
                if place not in self._answered or case.text < self._answered[place].text:
                    self._answered[place] = case
            for text, reason in line.refused.items():
                case = parse(text)
                place = _Place(line.adapter, case.dtype, line.output, case.shape, case.layout)
                if place not in self._refused or text < self._refused[place][1].text:
                    self._refused[place] = Refusal(line.adapter, case.dtype, line.output, reason), case

    def faults(self) -> set[Fault]:
        """Return a fault for each refusal by values."""
        return {Fault(who=each.refusal.adapter, what=each.sentence) for each in self.by_values()}

    def counted(self) -> Iterator[tuple[Refusal, Counter[tuple[str, str]]]]:
        """Yield the refusals with their cases, but no output that the adapter never returned in the dtype."""
        returned = {place[:3] for place in self._answered}
        for refusal, cases in self.cases.items():
            if refusal.output == EVERY or refusal[:3] in returned:
                yield refusal, cases
