"""The admissible set of one output: an interval around the reference, with or without infinities and NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference.formats import Format
from reference.types import Bool, Float64
from reference.ulp import ulp


class AdmissibleSet(NamedTuple):
    """The values that a conforming implementation could have returned, element by element.

    All arrays have the output's shape or broadcast to it.

    Attributes:
        center: the reference's value, float64; infinite or NaN where the exact result is.
        radius: the largest distance from the center that a finite value may have.
        plus: +inf, and every finite value above the center, is admissible.
        minus: −inf, and every finite value below the center, is admissible.
        may: NaN is admissible.
        must: nothing but NaN is admissible.
        judged: False where the set holds everything that the output can be, so that a check cannot fail.
        low: least value that the mathematics allows.
        high: largest value that the mathematics allows.
        holes: open intervals inside the set whose values are not admissible, in ascending order, each as its
            lower and its upper end; both ends are inf for an element without that hole.
        roundings: how many roundings lead to an element; those of the logistic count as κ.
    """

    center: Float64
    radius: Float64
    plus: Bool
    minus: Bool
    may: Bool
    must: Bool
    judged: Bool
    low: float = -np.inf
    high: float = np.inf
    holes: tuple[tuple[Float64, Float64], ...] = ()
    roundings: float = 0.0

    def contains(self, got: Float64) -> Bool:
        """Which elements of ``got`` (float64, exact from its own format) are admissible."""
        with np.errstate(invalid="ignore", over="ignore"):
            inside = np.abs(got - self.center) <= self.radius
            inside |= (self.plus & (got >= self.center)) | (self.minus & (got <= self.center))
            inside &= (got >= self.low) & (got <= self.high)
            for low, high in self.holes:
                inside &= (got <= low) | (got >= high)
        nan = np.isnan(got)
        return np.where(self.must, nan, inside | (nan & self.may))

    def share(self, got: Float64, admissible: Bool) -> Float64:
        """|got − center| / radius, element by element, in the shape of ``got``.

        NaN where the set has no finite end on that side, or where an admissible result is no finite number.
        At least 1 where the result is inadmissible: inf if it lies within the radius and breaks another rule,
        or nothing but NaN is admissible.

        Args:
            got: float64, exact from its own format.
            admissible: what `contains` says of them.
        """
        with np.errstate(all="ignore"):
            distance = np.abs(got - self.center)
            share = np.where(distance == 0, 0.0, distance / self.radius)
            open_ended = (self.plus & (got >= self.center)) | (self.minus & (got <= self.center))
            measured = np.isfinite(distance) & np.isfinite(self.radius) & ~open_ended & ~self.must
        share = np.where(measured, share, np.nan)
        return np.where(admissible | (share > 1), share, np.inf)

    def well_conditioned(self, format: Format) -> Bool:
        """Which elements are well-conditioned: the radius is at most one ulp of the center for each rounding.

        Their set is one interval of finite ends, without NaN.
        """
        closed = ~(self.plus | self.minus | self.may | self.must) & np.isfinite(self.center)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(closed & (self.radius <= self.roundings * ulp(self.center, format)))

    def mapped(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> AdmissibleSet:
        """The same set after a change of shape, such as indexing, of all its arrays, broadcast before."""
        ends = [end for hole in self.holes for end in hole]
        flags = (self.plus, self.minus, self.may, self.must, self.judged)
        arrays = np.broadcast_arrays(self.center, self.radius, *flags, *ends)
        center, radius, plus, minus, may, must, judged, *ends = map(change, arrays)
        holes = tuple(zip(ends[::2], ends[1::2], strict=True))
        return AdmissibleSet(
            center, radius, plus, minus, may, must, judged, self.low, self.high, holes, self.roundings
        )

    def without_gaps(self, pieces: Sequence[AdmissibleSet]) -> AdmissibleSet:
        """The same set without the gaps between the pieces, which together contain every possible value.

        Each gap becomes one of the `holes`.

        Nothing changes where a piece has an infinite end or contains only NaN.
        """
        closed = ~np.logical_or.reduce([one.plus | one.minus | one.must for one in (self, *pieces)])
        starts, ends = np.array([one.lo for one in pieces]), np.array([one.hi for one in pieces])
        order = np.argsort(starts, axis=0)
        starts = np.take_along_axis(starts, order, 0)
        ends = np.maximum.accumulate(np.take_along_axis(ends, order, 0))
        opens = [closed & (end < start) for end, start in zip(ends, starts[1:], strict=False)]
        holes = [
            (np.where(here, end, np.inf), np.where(here, start, np.inf))
            for here, end, start in zip(opens, ends, starts[1:], strict=False)
        ]
        known = np.logical_or.reduce(opens) & np.logical_and.reduce([one.judged for one in pieces])
        return self._replace(holes=(*self.holes, *holes), judged=self.judged | known)

    def intervals(self) -> list[tuple[float, float]]:
        """The ends of each closed interval of a set of one element, ascending."""
        holes = [(float(low), float(high)) for low, high in self.holes if low < high]
        starts = [float(self.lo), *(high for _, high in holes)]
        return list(zip(starts, [*(low for low, _ in holes), float(self.hi)], strict=True))

    @property
    def lo(self) -> Float64:
        """Least admissible value, float64."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.maximum(np.where(self.minus, -np.inf, self.center - self.radius), self.low)

    @property
    def hi(self) -> Float64:
        """Largest admissible value, float64."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.minimum(np.where(self.plus, np.inf, self.center + self.radius), self.high)
