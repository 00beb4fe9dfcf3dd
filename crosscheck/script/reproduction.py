"""The minimal reproduction of a wrong number: the plainest mode and the simplest input that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adapters import Spec, spec_of
from adapters.modes import Mode
from crosscheck.cases import Case, Literal, take
from crosscheck.evaluation import CheckedAdapter, Outcome, evaluate_and_judge
from crosscheck.explain.disagreement import worst
from crosscheck.explain.element import Element
from crosscheck.explain.shrink_shape import INPUTS, OUTPUTS, ROWS, shrink_shape
from crosscheck.explain.shrink_values import shrink_values
from crosscheck.judge import Judge
from crosscheck.script.fillings import Filling, fill
from crosscheck.script.plainer import plainest
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic

# The output to speak of where several are wrong: the others are computed from the ones before.
FIRST_WRONG = ("y_hat", "row_loss", "loss", "grad")

FEW = 12  # evaluations after which rows that cannot go stay: halves, quarters and eighths were tried

AdapterOf = Callable[[Spec], CheckedAdapter]


class NoScriptError(Exception):
    """Why there is no script; one line."""


@dataclass(frozen=True)
class Reproduction:
    """One wrong number, with what reproduces it.

    Attributes:
        mode: the way to execute the network.
        version: of the framework.
        case: the input.
        element: which number, with its exact value.
        got: what the framework returned there.
        claims: of the mode.
        fillings: by the name of an array the formula that makes it.
    """

    mode: Mode
    version: str
    case: Literal
    element: Element
    got: float
    claims: Arithmetic
    fillings: Mapping[str, Filling] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The name of the output."""
        return self.element.output

    @property
    def admissible(self) -> AdmissibleSet:
        """What the number may be."""
        return self.element.set_of(self.claims)

    @classmethod
    def of(cls, mode: Mode, case: Literal, outcome: Outcome, element: Element, **more: Any) -> Reproduction:
        """The reproduction of the number that an outcome has at the element."""
        description = outcome.description
        claims = description.arithmetic[case.dtype]
        return cls(mode, description.version, case, element, element.got(outcome), claims, **more)


def minimal_reproduction(
    mode: Mode, source: Case | Literal, outcome: Outcome, judge: Judge, adapter_of: AdapterOf
) -> Reproduction:
    """The plainest mode and the smallest and simplest input with which a disagreement remains.

    Args:
        mode: the one that disagrees.
        source: the case.
        outcome: of the mode on that case.
        judge: of the case.
        adapter_of: gives the adapter of a mode, ready to be called.

    Raises:
        NoScriptError: the mode does not disagree when it is evaluated again.
    """
    output = next(name for name in FIRST_WRONG if name in outcome.disagreeing)
    problem = _problem(worst(judge, outcome, output))
    plain = plainest(mode, output, lambda m: _fails(adapter_of, m, source, output))
    case = _smallest(adapter_of(spec_of(plain)), source, output, problem)
    plain = plainest(plain, output, lambda m: _fails(adapter_of, m, case, output))
    adapter = adapter_of(spec_of(plain))
    case, fillings = fill(adapter, case, output)
    case = shrink_values(adapter, case, output)
    small = Judge(case.problem())
    again = evaluate_and_judge(adapter, small)
    if output not in again.disagreeing:
        raise NoScriptError(f"{plain.name} is outside on this input at times only")
    element = worst(small, again, output)
    if plain["derivative"] == "module" and element.problem_index:  # one network after the other
        case = take(case, element.problem_index)
        element, fillings = Element(Judge(case.problem()), output, element.inner), {}
        return Reproduction.of(plain, case, evaluate_and_judge(adapter, element.judge), element)
    return Reproduction.of(plain, case, again, element, fillings=fillings)


def _problem(element: Element) -> int:
    """The flat index of the element's problem in the stack."""
    shape = element.judge.problem.X.shape[:-2]
    return int(np.ravel_multi_index(element.problem_index, shape)) if shape else 0


def _fails(adapter_of: AdapterOf, mode: Mode, source: Case | Literal, output: str) -> bool:
    return output in evaluate_and_judge(adapter_of(spec_of(mode)), Judge(source.problem())).disagreeing


def _smallest(adapter: CheckedAdapter, source: Case | Literal, output: str, problem: int) -> Literal:
    """Few outputs and inputs first, since many rows may take all evaluations; rows as long as some can go."""
    best = shrink_shape(adapter, source, output, problem, axes=(OUTPUTS, INPUTS))
    place = problem if best is source else 0
    while True:
        fewer = shrink_shape(adapter, best, output, place, max_evaluations=FEW, axes=(ROWS,))
        if fewer.shape == best.shape:
            break
        best, place = fewer, 0
    best = shrink_shape(adapter, best, output, place, axes=(OUTPUTS, INPUTS))
    return best if isinstance(best, Literal) else _literal(best)


def _literal(case: Case) -> Literal:
    return Literal(case.dtype, *case.problem(), case.layout)
