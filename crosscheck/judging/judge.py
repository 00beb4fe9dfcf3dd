"""The judge: does a result lie in the set that the implementation's claims admit?

A fast filter decides almost every problem. The *full sets*, the admissible sets that `reference.bounds`
computes, are needed only for the others.
"""

from __future__ import annotations

import enum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crosscheck.inputs.regimes import REGIMES, classify
from reference import bounds, exact, stable, unjudged
from reference import filter as first
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import format_of
from reference.types import Array, Bool, Float64, Outputs, Problem
from reference.units import Units

OUTPUTS = Outputs._fields


class Verdict(enum.Enum):
    """The verdict on one output."""

    WITHIN_BOUNDS = "within bounds"
    OUTSIDE = "outside"
    NOT_JUDGED = "not judged"


class Judgement(NamedTuple):
    """The judgement of one output of one adapter on one stack.

    Attributes:
        admissible: which elements lie in their admissible set; the output's shape.
        judged: for which elements a value could lie outside the set; the same shape. False if the set holds
            all values that the output can have.
        filtered: for which problems of the stack the filter accepted all elements, ``[problems]``.
    """

    admissible: Bool
    judged: Bool
    filtered: Bool

    @property
    def verdict(self) -> Verdict:
        """*Outside* if one element is, however wide its set; *within bounds* if at least one is judged."""
        if not self.admissible.all():
            return Verdict.OUTSIDE
        return Verdict.WITHIN_BOUNDS if self.judged.any() else Verdict.NOT_JUDGED

    @property
    def decided(self) -> Bool:
        """Which elements have a verdict: those that are judged, and those outside their set."""
        return self.judged | ~self.admissible

    @property
    def not_judged(self) -> int:
        """How many elements have no verdict; every count of unjudged elements uses this number."""
        if self.judged.all():
            return 0
        return self.admissible.size - int(np.count_nonzero(self.decided))


def flat(array: Array, axes: int) -> Array:
    """Reshape an array so that its stack is one leading axis before its last ``axes`` axes."""
    return array.reshape((-1, *array.shape[array.ndim - axes :]))


AXES = {"y_hat": 2, "loss": 0, "grad": 2, "row_loss": 1}


class Judge:
    """Judges any number of adapters on one problem, and computes what they share only once.

    Args:
        problem: ``X[*stack, m, n]``, ``y[*stack, m, p]``, ``W[*stack, n, p]``, of one dtype.

    Raises:
        ValueError: an axis or the stack is empty, so that nothing could disagree.
    """

    def __init__(self, problem: Problem) -> None:
        if not all(array.size for array in problem):
            shapes = ", ".join(f"{name} {array.shape}" for name, array in zip("XyW", problem, strict=True))
            raise ValueError(f"an empty problem cannot be judged: {shapes}")
        self.problem = problem
        self.format = format_of(problem.X)
        self.wide = stable.widen(problem)
        self._radii: dict[first.Factors, tuple[first.Radii, first.Packed]] = {}
        self._sets: dict[Arithmetic, dict[str, AdmissibleSet]] = {}
        self._sets_of_rows: dict[tuple[Arithmetic, bytes], dict[str, AdmissibleSet]] = {}
        self._judged: dict[Arithmetic, dict[str, Bool]] = {}
        self._rounded: dict[bool, Float64] = {}
        self._sizes: dict[bool, unjudged.Sizes] = {}

    @cached_property
    def reference(self) -> stable.Reference:
        """The float64 reference of the whole stack."""
        return stable.evaluate(*self.wide)

    @cached_property
    def centers(self) -> first.Centers:
        """The reference's outputs."""
        return first.centers(self.reference)

    @cached_property
    def nearest(self) -> first.Centers:
        """The reference's outputs, rounded to the format."""
        with np.errstate(over="ignore", invalid="ignore"):
            return first.Centers(*(a.astype(self.format.dtype, copy=False) for a in self.centers))

    @cached_property
    def places(self) -> NDArray[np.int8]:
        """The regime of each ŷ, ``[*stack, m, p]``, as its index in `REGIMES`."""
        return classify(*self.problem, self.format)

    @cached_property
    def regimes(self) -> dict[str, int]:
        """The number of elements of ŷ in each regime; regimes without elements are left out."""
        return self.regimes_of(np.ones(self.places.shape, np.bool_))

    def regimes_of(self, elements: Bool) -> dict[str, int]:
        """Count these elements of ŷ by regime; regimes without elements are left out."""
        counts = np.bincount(self.places[elements], minlength=len(REGIMES)).tolist()
        return {regime: count for regime, count in zip(REGIMES, counts, strict=True) if count}

    def radii(self, units: Units) -> tuple[first.Radii, first.Packed]:
        """Return the filter's radii for the whole stack, and their inverses."""
        factors = first.Factors.of(units, self.wide)
        if factors not in self._radii:
            radii = first.radii(self.wide, self.reference, factors, self.rounded(units))
            self._radii[factors] = radii, first.inverses(radii)
        return self._radii[factors]

    def sets(self, claims: Arithmetic) -> dict[str, AdmissibleSet]:
        """Return the full admissible sets of the whole stack, by the name of the quantity."""
        if claims not in self._sets:
            self._sets[claims] = bounds.admissible(self.problem, self.format, claims, self.reference)
        return self._sets[claims]

    def rounded(self, units: Units) -> Float64:
        """Return T = |X|·|W| where an implementation may round X·W, and 0 elsewhere, ``[*stack, m, p]``."""
        key = bool(units.claims.u_in)
        if key not in self._rounded:
            self._rounded[key] = exact.rounded_size(self.wide, self.reference.T, units)
        return self._rounded[key]

    def sizes(self, units: Units) -> unjudged.Sizes:
        """Return the largest magnitudes in the stack."""
        key = bool(units.claims.u_in)
        if key not in self._sizes:
            self._sizes[key] = unjudged.Sizes.of(self.wide, self.reference, self.rounded(units))
        return self._sizes[key]

    def judged(self, claims: Arithmetic) -> dict[str, Bool]:
        """Return which elements of each output are judged (`Judgement.judged`); do not write to them."""
        if claims not in self._judged:
            units = Units.of(self.format, claims)
            shape = (*self.problem.X.shape, self.problem.y.shape[-1])
            narrow = unjudged.judged(shape, units)
            found = {n: np.broadcast_to(narrow[n], a.shape) for n, a in self.centers._asdict().items()}
            rounded = self.rounded(units)
            networks = unjudged.doubtful(self.wide, self.reference, units, rounded, self.sizes(units))
            if networks.size:
                full = self._full_sets(claims, networks)
                for name in (name for name in found if narrow[name]):
                    found[name] = np.array(found[name])
                    flat(found[name], AXES[name])[networks] = full[name].judged
            self._judged[claims] = found
        return self._judged[claims]

    def shares(self, outputs: Outputs, claims: Arithmetic) -> first.Packed:
        """Return |got − reference| / the filter's radius for every output, as `first.shares` defines it."""
        _, inverses = self.radii(Units.of(self.format, claims))
        return first.shares(outputs, self.centers, inverses)

    def judge(
        self, outputs: Outputs, claims: Arithmetic, shares: first.Packed | None = None
    ) -> dict[str, Judgement]:
        """Judge every output that is present.

        Args:
            outputs: the adapter's outputs, whose shapes and dtypes must already be checked.
            claims: the adapter's claims about its arithmetic in this dtype.
            shares: the result of `shares` for these outputs, if the caller has it already.
        """
        units = Units.of(self.format, claims)
        judged = self.judged(claims)
        shares = self.shares(outputs, claims) if shares is None else shares
        accepted = {
            name: np.ones(share.shape, np.bool_)
            if np.max(share) <= first.SURE
            else self._accepted(name, getattr(outputs, name), units)
            for name, share in shares.parts._asdict().items()
            if getattr(outputs, name) is not None
        }
        filtered = {name: self._whole(mask) for name, mask in accepted.items()}
        left = ~np.logical_and.reduce([*filtered.values()])
        if left.any():
            full = self._full_sets(claims, np.flatnonzero(left))
            for name in (name for name, mask in filtered.items() if not mask.all()):
                flat(accepted[name], AXES[name])[left] |= self._contains(
                    full[name], flat(getattr(outputs, name), AXES[name])[left]
                )
        return {name: Judgement(accepted[name], judged[name], filtered[name]) for name in accepted}

    def _accepted(self, name: str, got: Array, units: Units) -> Bool:
        """Return where the filter accepts, as a writeable array in C order for the problems left over."""
        radii, _ = self.radii(units)
        return np.array(
            first.accepts(name, got, getattr(self.centers, name), getattr(radii, name)), order="C"
        )

    def _whole(self, mask: Bool) -> Bool:
        """Return for which problems the mask holds at every element, ``[problems]``."""
        if mask.all():
            return np.broadcast_to(np.True_, self.problem.stack_size)
        return np.asarray(mask.reshape(self.problem.stack_size, -1).all(-1))

    def _full_sets(self, claims: Arithmetic, rows: NDArray[np.intp]) -> dict[str, AdmissibleSet]:
        """Return the full sets of some problems; ``rows`` are their places in the flat stack.

        They are cached, since `judged` and `judge` often need the sets of the same problems.
        """
        key = claims, rows.tobytes()
        if key not in self._sets_of_rows:
            some = Problem(*(flat(a, 2)[rows] for a in self.problem))
            reference = stable.Reference(*(flat(a, 2)[rows] for a in self.reference))
            self._sets_of_rows[key] = bounds.admissible(some, self.format, claims, reference)
        return self._sets_of_rows[key]

    @staticmethod
    def _contains(full: AdmissibleSet, values: Array) -> Bool:
        with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
            return full.contains(values.astype(np.float64))
