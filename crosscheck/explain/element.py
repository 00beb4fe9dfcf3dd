"""One element of one output that lies outside its set, with its exact value and its admissible set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from crosscheck.inputs import take
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from reference import oracle
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import Format
from reference.ulp import Category, category, error_in_ulp

EQUATIONS: Final = {
    "z": "(10.3) z = X·W",
    "y_hat": "(10.1–10.3) ŷ = σ(X·W)",
    "loss": "L = ½(y − ŷ)²",
    "row_loss": "L = ½(y − ŷ)², for each row",
    "dL_dyhat": "(13) ∂L/∂ŷ = ŷ − y",
    "dyhat_dz": "(14–16) ∂ŷ/∂z = ŷ·(1 − ŷ)",
    "delta": "(17, 20) Δ = (ŷ − y)·ŷ·(1 − ŷ)",
    "grad": "(18–19) ∂L/∂W = Xᵀ·Δ",
}
# For each output, the quantities that must be right before it, in the document's order.
BEFORE: Final = {
    "y_hat": ("z",),
    "loss": ("z", "y_hat"),
    "row_loss": ("z", "y_hat"),
    "grad": ("z", "y_hat", "dL_dyhat", "dyhat_dz", "delta"),
}


class EquationDiagnosis(NamedTuple):
    """The first equation that differs, and the evidence for it."""

    equation: str
    evidence: str


@dataclass(frozen=True)
class Element:
    """One element of one output of a stack.

    Attributes:
        judge: the judge of the whole stack.
        output: the name of the output.
        index: the element's index in the output's array, stack axes first.
    """

    judge: Judge
    output: str
    index: tuple[int, ...]

    @property
    def format(self) -> Format:
        """The format of the problem."""
        return self.judge.format

    @property
    def problem_index(self) -> tuple[int, ...]:
        """The index of the element's problem in the stack."""
        return self.index[: self.judge.problem.X.ndim - 2]

    @property
    def inner(self) -> tuple[int, ...]:
        """The index of the element in the output of its problem alone, that is, without stack axes."""
        return self.index[self.judge.problem.X.ndim - 2 :]

    @cached_property
    def alone(self) -> Judge:
        """The judge of the element's problem alone, without stack axes."""
        return Judge(take(self.judge.problem, self.problem_index).problem())

    @cached_property
    def ball(self) -> Any:
        """The exact value, a `flint.arb`; NaN if the numbers that it depends on are not all finite."""
        X, y, W = self.alone.problem
        rows, columns = (at if isinstance(at, slice) else slice(at, at + 1) for at in self.sources[-2:])
        part = oracle.evaluate(X[rows], y[rows, columns], W[:, columns])
        inner = {"y_hat": (0, 0), "row_loss": (0,), "loss": (), "grad": (*self.inner[:1], 0)}
        return getattr(part, self.output)[inner[self.output]]

    @cached_property
    def exact(self) -> tuple[float, float]:
        """The exact value as a pair of float64 numbers (hi, lo), of which it is the sum."""
        hi, lo = oracle.to_floats(np.array(self.ball, dtype=object))
        return float(hi), float(lo)

    @property
    def sources(self) -> tuple[Any, ...]:
        """The index, into arrays ``[*stack, m, p]``, of the elements of ŷ on which this element depends."""
        all_of = slice(None)
        inner = {
            "y_hat": self.inner,
            "row_loss": (*self.inner, all_of),
            "loss": (all_of, all_of),
            "grad": (all_of, *self.inner[-1:]),
        }
        return (*self.problem_index, *inner[self.output])

    def got(self, outcome: Outcome) -> float:
        """Return an adapter's value of the element; NaN if it has no such output."""
        found = None if outcome.outputs is None else getattr(outcome.outputs, self.output)
        return np.nan if found is None else float(found[self.index])

    def ulp_error(self, got: float) -> tuple[float, Category]:
        """Return the error in ulp of the exact value, NaN if its category has none, and the category."""
        value = np.array(got)
        kind = Category(int(category(value, *self.exact, self.format)))
        return float(error_in_ulp(value, *self.exact, self.format)), kind

    def set_of(self, claims: Arithmetic) -> AdmissibleSet:
        """Return the admissible set of the element, with scalars in all its arrays."""
        whole = self.alone.sets(claims)[self.output]
        return at(whole, self.inner)

    def share(self, got: float, claims: Arithmetic) -> float:
        """Return |got − reference| as a share of the radius, as `AdmissibleSet.share` defines it."""
        one, value = self.set_of(claims), np.array(got)
        return float(one.share(value, one.contains(value)))


def at(whole: AdmissibleSet, index: tuple[Any, ...]) -> AdmissibleSet:
    """Return the part of a set at an index of its output's array."""
    return whole.mapped(lambda array: array[index])
