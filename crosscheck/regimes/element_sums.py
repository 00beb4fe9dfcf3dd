"""The numbers of each element of ŷ by which regimes are defined, computed once for a stack of problems."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from crosscheck.regimes.thresholds import half_digits
from reference.formats import Format
from reference.types import Array, Bool, Float64


class ElementSums:
    """P, N, z and finiteness of every element of ŷ of a stack, each ``[*stack, m, p]``."""

    def __init__(self, X: Array, y: Array, W: Array, format: Format) -> None:
        self.format = format
        with np.errstate(invalid="ignore"):  # a signalling NaN warns
            self.X, self.y, self.W = (array.astype(np.float64) for array in (X, y, W))
        self.h = half_digits(format)

    @cached_property
    def sums(self) -> tuple[Float64, Float64]:
        """P and N, from products in order of their index."""
        positive = np.zeros((*self.X.shape[:-1], self.W.shape[-1]))
        negative = positive
        with np.errstate(all="ignore"):  # inf and NaN are answers here
            for j in range(self.X.shape[-1]):
                product = self.X[..., j, None] * self.W[..., j, None, :]
                positive = positive + np.maximum(product, 0.0)
                negative = negative - np.minimum(product, 0.0)
        return positive, negative

    @cached_property
    def z(self) -> Float64:
        """P − N."""
        positive, negative = self.sums
        with np.errstate(invalid="ignore"):  # inf − inf is NaN; the regime overflow comes first
            return positive - negative

    @cached_property
    def finite(self) -> Bool:
        """All numbers that the element depends on are finite."""
        return ~self.any_operand(lambda array: ~np.isfinite(array)) & np.isfinite(self.y)

    def any_operand(self, holds: Callable[[Float64], Bool]) -> Bool:
        """Whether it holds for one of X_i or W_k."""
        in_row = np.asarray(holds(self.X).any(axis=-1, keepdims=True))
        return np.asarray(in_row | holds(self.W).any(axis=-2, keepdims=True))
