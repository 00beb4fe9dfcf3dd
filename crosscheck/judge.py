"""The verdict: is what an implementation returned in the set that its claims admit?

The filter answers for almost every problem; the full set is computed for the rest, and only for them.
"""

from __future__ import annotations

import enum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from reference import bounds, stable
from reference import filter as first
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import format_of
from reference.types import Array, Bool, Outputs, Problem
from reference.units import Units

OUTPUTS = Outputs._fields


class Verdict(enum.Enum):
    """What a check of one output says."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_JUDGED = "not judged"


class Judgement(NamedTuple):
    """The judgement of one output of one adapter on one stack.

    Attributes:
        admissible: which elements lie in their admissible set; the output's shape.
        judged: False where the set is so wide that lying in it says nothing.
        filtered: which problems of the stack the filter accepted whole, ``[problems]``.
    """

    admissible: Bool
    judged: bool
    filtered: Bool

    @property
    def verdict(self) -> Verdict:
        """Outside the set is a disagreement however wide it is; inside a trivial set is no agreement."""
        if not self.admissible.all():
            return Verdict.DISAGREES
        return Verdict.AGREES if self.judged else Verdict.NOT_JUDGED


def flat(array: Array, axes: int) -> Array:
    """The array with its stack as one leading axis in front of its own last ``axes`` axes."""
    return array.reshape((-1, *array.shape[array.ndim - axes :]))


AXES = {"y_hat": 2, "loss": 0, "grad": 2, "row_loss": 1}


class Judge:
    """Judges any number of adapters on one problem; what they share is computed once.

    Args:
        problem: ``X[*stack, m, n]``, ``y[*stack, m, p]``, ``W[*stack, n, p]``, of one dtype.

    Raises:
        ValueError: an axis or the stack is empty: there is nothing that could disagree.
    """

    def __init__(self, problem: Problem) -> None:
        if not all(array.size for array in problem):
            shapes = ", ".join(f"{name} {array.shape}" for name, array in zip("XyW", problem, strict=True))
            raise ValueError(f"an empty problem cannot be judged: {shapes}")
        self.problem = problem
        self.format = format_of(problem.X)
        self.wide = stable.widen(problem)
        self._radii: dict[Units, first.Radii] = {}
        self._sets: dict[Arithmetic, dict[str, AdmissibleSet]] = {}

    @cached_property
    def reference(self) -> stable.Reference:
        """The float64 reference of the whole stack."""
        return stable.evaluate(*self.wide)

    @cached_property
    def centers(self) -> first.Centers:
        """The reference's outputs."""
        return first.centers(self.reference)

    def radii(self, units: Units) -> first.Radii:
        """The filter's radii of the whole stack."""
        if units not in self._radii:
            self._radii[units] = first.radii(self.wide, self.reference, units)
        return self._radii[units]

    def sets(self, claims: Arithmetic) -> dict[str, AdmissibleSet]:
        """The full admissible sets of the whole stack, by quantity."""
        if claims not in self._sets:
            self._sets[claims] = bounds.admissible(self.problem, self.format, claims, self.reference)
        return self._sets[claims]

    def judge(self, outputs: Outputs, claims: Arithmetic) -> dict[str, Judgement]:
        """The judgement of every output that is there.

        Args:
            outputs: what the adapter returned; shapes and dtypes must already be right.
            claims: what it claims about its arithmetic in this dtype.
        """
        units = Units.of(self.format, claims)
        radii, judged = self.radii(units), first.judged(self.wide, units)
        return {
            name: self._judgement(name, got, claims, radii, judged=judged[name])
            for name, got in zip(OUTPUTS, outputs, strict=True)
            if got is not None
        }

    def _judgement(
        self, name: str, got: Array, claims: Arithmetic, radii: first.Radii, *, judged: bool
    ) -> Judgement:
        accepted = first.accepts(name, got, getattr(self.centers, name), getattr(radii, name))
        if accepted.all():
            return Judgement(accepted, judged, np.broadcast_to(np.True_, self.problem.stack_size))
        whole = np.asarray(accepted.reshape(self.problem.stack_size, -1).all(-1))
        admissible = accepted | self._in_full_set(name, got, claims, ~whole).reshape(accepted.shape)
        return Judgement(admissible, judged, whole)

    def _in_full_set(self, name: str, got: Array, claims: Arithmetic, rows: Bool) -> Bool:
        """Which elements of the chosen problems lie in the full set; False elsewhere."""
        some = Problem(*(flat(a, 2)[rows] for a in self.problem))
        reference = stable.Reference(*(flat(a, 2)[rows] for a in self.reference))
        values = flat(got, AXES[name])
        found = np.zeros(values.shape, bool)
        full = bounds.admissible(some, self.format, claims, reference)[name]
        with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
            found[rows] = full.contains(values[rows].astype(np.float64))
        return found
