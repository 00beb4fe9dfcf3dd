"""What a script shows: one wrong number, in the plainest mode and on the simplest input that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adapters import Spec, spec_of
from adapters.modes import Mode
from crosscheck.blame.element import Element
from crosscheck.blame.reduce import INPUTS, OUTPUTS, ROWS, reduce
from crosscheck.blame.scene import worst
from crosscheck.blame.simplify import simplify
from crosscheck.cases import Case, Literal, take
from crosscheck.judge import Judge
from crosscheck.script.fillings import Filling, fill
from crosscheck.script.plainer import plainest
from crosscheck.trial import Outcome, Subject, run
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic

# The output to speak of where several are wrong: the others are computed from the ones before.
FIRST_WRONG = ("y_hat", "row_loss", "loss", "grad")

FEW = 12  # trials after which rows that cannot go stay: halves, quarters and eighths were tried

Subjects = Callable[[Spec], Subject]


class NoScriptError(Exception):
    """Why there is no script; one line."""


@dataclass(frozen=True)
class Finding:
    """One wrong number.

    Attributes:
        mode: the way to execute the network.
        version: of the framework.
        case: the input.
        element: which number, with its exact value.
        got: what it was.
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
    def of(cls, mode: Mode, case: Literal, outcome: Outcome, element: Element, **more: Any) -> Finding:
        """The number that an outcome has there."""
        description = outcome.description
        claims = description.arithmetic[case.dtype]
        return cls(mode, description.version, case, element, element.got(outcome), claims, **more)


def find(mode: Mode, source: Case | Literal, outcome: Outcome, judge: Judge, subjects: Subjects) -> Finding:
    """What is left of a disagreement when all is taken away that it does not need.

    Args:
        mode: the one that disagrees.
        source: the case.
        outcome: what it made of that.
        judge: of the case.
        subjects: the adapter of a mode, ready to be tried.

    Raises:
        NoScriptError: it does not disagree when it is asked again.
    """
    output = next(name for name in FIRST_WRONG if name in outcome.disagreeing)
    problem = _problem(worst(judge, outcome, output))
    plain = plainest(mode, output, lambda m: _fails(subjects, m, source, output))
    case = _smallest(subjects(spec_of(plain)), source, output, problem)
    plain = plainest(plain, output, lambda m: _fails(subjects, m, case, output))
    subject = subjects(spec_of(plain))
    case, fillings = fill(subject, case, output)
    case = simplify(subject, case, output)
    small = Judge(case.problem())
    again = run(subject, small)
    if output not in again.disagreeing:
        raise NoScriptError(f"{plain.name} is outside on this input at times only")
    element = worst(small, again, output)
    if plain["derivative"] == "module" and element.problem_index:  # one network after the other
        case = take(case, element.problem_index)
        element, fillings = Element(Judge(case.problem()), output, element.inner), {}
        return Finding.of(plain, case, run(subject, element.judge), element)
    return Finding.of(plain, case, again, element, fillings=fillings)


def _problem(element: Element) -> int:
    """The flat index of the element's problem in the stack."""
    shape = element.judge.problem.X.shape[:-2]
    return int(np.ravel_multi_index(element.problem_index, shape)) if shape else 0


def _fails(subjects: Subjects, mode: Mode, source: Case | Literal, output: str) -> bool:
    return output in run(subjects(spec_of(mode)), Judge(source.problem())).disagreeing


def _smallest(subject: Subject, source: Case | Literal, output: str, problem: int) -> Literal:
    """Few outputs and inputs first, since many rows may take all trials; rows as long as some can go."""
    best = reduce(subject, source, output, problem, axes=(OUTPUTS, INPUTS))
    place = problem if best is source else 0
    while True:
        fewer = reduce(subject, best, output, place, trials=FEW, axes=(ROWS,))
        if fewer.shape == best.shape:
            break
        best, place = fewer, 0
    best = reduce(subject, best, output, place, axes=(OUTPUTS, INPUTS))
    return best if isinstance(best, Literal) else _literal(best)


def _literal(case: Case) -> Literal:
    return Literal(case.dtype, *case.problem(), case.layout)
