"""The minimal reproduction of a wrong number: the plainest mode and the simplest input that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adapters import Spec, spec_of
from adapters.modes import FACTORS, Mode, impossible, plain
from crosscheck.explain.disagreement import worst
from crosscheck.explain.element import Element
from crosscheck.explain.shrink import INPUTS, OUTPUTS, ROWS, shrink_shape, shrink_values
from crosscheck.inputs import Case, Literal, take
from crosscheck.judging.evaluation import CheckedAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.script.fillings import Filling, fill
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic

# If several outputs are wrong, the script shows the first of these, since later ones are computed from it.
FIRST_WRONG = ("y_hat", "row_loss", "loss", "grad")
# The factors whose values are ordered: every value before the mode's own is simpler, not the plain one alone.
GRADED = ("execution", "closed", "convention")

FEW = 12  # the most evaluations that try to remove rows: they cover halves, quarters and eighths

AdapterOf = Callable[[Spec], CheckedAdapter]


class NoScriptError(Exception):
    """No script can be made; the message is one line with the reason."""


@dataclass(frozen=True)
class Reproduction:
    """One wrong number, with the mode and the input that reproduce it.

    Attributes:
        mode: the mode, which says how the network is executed.
        version: the version of the framework.
        case: the input.
        element: the place of the number, with its exact value.
        got: the number that the framework returned.
        claims: the claims of the mode.
        fillings: the formulas of arrays, by name of the array.
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
        """The admissible set of the number."""
        return self.element.set_of(self.claims)

    @classmethod
    def of(cls, mode: Mode, case: Literal, outcome: Outcome, element: Element, **more: Any) -> Reproduction:
        """Make the reproduction of the number that an outcome has at an element."""
        description = outcome.description
        claims = description.arithmetic[case.dtype]
        return cls(mode, description.version, case, element, element.got(outcome), claims, **more)


def minimal_reproduction(
    mode: Mode, source: Case | Literal, outcome: Outcome, judge: Judge, adapter_of: AdapterOf
) -> Reproduction:
    """Find the plainest mode and the smallest and simplest input with which a disagreement remains.

    Args:
        mode: the mode that disagrees.
        source: the case on which it disagrees.
        outcome: the outcome of the mode on that case.
        judge: the judge of the case.
        adapter_of: a function that returns the adapter of a mode, ready to be called.

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
    if plain.by_network and element.problem_index:
        case = take(case, element.problem_index)
        element, fillings = Element(Judge(case.problem()), output, element.inner), {}
        return Reproduction.of(plain, case, evaluate_and_judge(adapter, element.judge), element)
    return Reproduction.of(plain, case, again, element, fillings=fillings)


def _problem(element: Element) -> int:
    """Return the flat index of the element's problem in the stack."""
    shape = element.judge.problem.X.shape[:-2]
    return int(np.ravel_multi_index(element.problem_index, shape)) if shape else 0


def _fails(adapter_of: AdapterOf, mode: Mode, source: Case | Literal, output: str) -> bool:
    return output in evaluate_and_judge(adapter_of(spec_of(mode)), Judge(source.problem())).disagreeing


def _smallest(adapter: CheckedAdapter, source: Case | Literal, output: str, problem: int) -> Literal:
    """Shrink the shape of a case: first outputs and inputs, then rows as long as some can be removed.

    Rows come last, since many rows may use up all evaluations.
    """
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


def plainest(mode: Mode, output: str, fails: Callable[[Mode], bool]) -> Mode:
    """Replace values of a mode by plainer ones, one factor after the other, as long as it still fails.

    An output other than the gradient is computed alone if that fails too, since code without a derivative is
    shorter.

    Args:
        mode: a mode that fails.
        output: the output that it gets wrong.
        fails: a function that returns whether another mode gets this output wrong too.
    """
    best, tried = mode, {mode}
    simpler: Mode | None = mode
    while simpler is not None:
        best, simpler = simpler, None
        for candidate in _simpler(best, output):
            if candidate not in tried:
                tried.add(candidate)
                if fails(candidate):
                    simpler = candidate
                    break
    return best


def _simpler(mode: Mode, output: str) -> Iterator[Mode]:
    """Yield the modes that are one step simpler."""
    if mode.alone is None and output != "grad":
        yield from _with(mode, outputs=output, derivative="grad")
    for factor, known in FACTORS[mode.framework].items():
        place = known.index(mode[factor])
        if factor == "outputs":
            continue
        for value in known[: place if factor in GRADED else min(place, 1)]:
            if value != "compile":
                yield from _with(mode, **{factor: value})


def _with(mode: Mode, **values: str) -> Iterator[Mode]:
    """Yield the mode with other values, if that combination is possible."""
    changed = plain(mode.framework, **{**mode.as_dict, **values})
    if not impossible(changed):
        yield changed
