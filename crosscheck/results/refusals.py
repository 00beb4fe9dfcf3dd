"""Refusals: what adapters do not evaluate, by regime and class of shapes, and refusals that depend on values.

An adapter may refuse a shape, a dtype or a layout, and may lack an output there. It may not choose by values:
if it evaluates one case of a shape, dtype and layout, it evaluates every case of them, with the same outputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import Evaluation, Outcome
from crosscheck.plans.shapes import shape_class
from crosscheck.results.measure import regime_of
from crosscheck.results.summary import EVERY

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
        refused, answered: the first case of each kind.
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
    _by_values: dict[tuple[str, ...], ByValues] = field(default_factory=dict)

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
            if place in self._refused and place in self._answered:
                by_values = ByValues(*self._refused[place], self._answered[place])
                self._by_values.setdefault(place[:3], by_values)

    def by_values(self) -> list[ByValues]:
        """Return the first refusal by values of each adapter, dtype and output."""
        return list(self._by_values.values())

    def counted(self) -> Iterator[tuple[Refusal, Counter[tuple[str, str]]]]:
        """Yield the refusals with their cases, but no output that the adapter never returned in the dtype."""
        returned = {place[:3] for place in self._answered}
        for refusal, cases in self.cases.items():
            if refusal.output == EVERY or refusal[:3] in returned:
                yield refusal, cases
