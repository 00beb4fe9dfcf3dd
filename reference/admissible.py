"""The admissible set of one output: an interval around the reference, and what may lie outside the reals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.types import Bool, Float64


class AdmissibleSet(NamedTuple):
    """The values that a conforming implementation could have returned, element by element.

    All arrays have the output's shape or broadcast to it.

    Attributes:
        center: the reference's value, float64; infinite or NaN where the exact result is.
        radius: how far from it a finite value may lie.
        plus: +inf, and every finite value above the center, is admissible.
        minus: −inf, and every finite value below the center, is admissible.
        may: NaN is admissible.
        must: nothing but NaN is admissible.
        judged: False where the set is as wide as the trivial one, so that a check could not fail.
        low: least value that the mathematics allows.
        high: largest value that the mathematics allows.
    """

    center: Float64
    radius: Float64
    plus: Bool
    minus: Bool
    may: Bool
    must: Bool
    judged: bool
    low: float = -np.inf
    high: float = np.inf

    def contains(self, got: Float64) -> Bool:
        """Which elements of ``got`` (float64, exact from its own format) are admissible."""
        with np.errstate(invalid="ignore", over="ignore"):
            inside = np.abs(got - self.center) <= self.radius
            inside |= (self.plus & (got >= self.center)) | (self.minus & (got <= self.center))
            inside &= (got >= self.low) & (got <= self.high)
        nan = np.isnan(got)
        return np.where(self.must, nan, inside | (nan & self.may))

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
