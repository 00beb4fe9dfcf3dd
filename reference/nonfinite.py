"""The effects of infinities and NaN in X and W: where the product must be infinite or NaN, or may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.stable import contract
from reference.types import Bool, Float64
from reference.units import Units


class Special(NamedTuple):
    """Masks over the elements of a product A·B.

    Attributes:
        plus: a term is +inf.
        minus: a term is −inf.
        must: the sum is NaN in every order: because of a NaN operand, 0·inf, or infinite terms of both signs.
        may: the sum may be NaN: a subnormal operand may be flushed to zero and multiplied by inf.
        free: inputs that are rounded first may become infinite, so any value is admissible.
    """

    plus: Bool
    minus: Bool
    must: Bool
    may: Bool
    free: Bool


def _meets(A: Bool, B: Bool) -> Bool:
    """Whether some j has both A[i, j] and B[j, k] true, for each i and k."""
    return contract(A.astype(np.float64), B.astype(np.float64)) > 0


def _infinite_terms(X: Float64, W: Float64) -> tuple[Bool, Bool]:
    x_inf, w_inf = np.isinf(X), np.isinf(W)
    same = _meets(x_inf & (X > 0), W > 0) | _meets(x_inf & (X < 0), W < 0)
    same |= _meets(X > 0, w_inf & (W > 0)) | _meets(X < 0, w_inf & (W < 0))
    opposite = _meets(x_inf & (X > 0), W < 0) | _meets(x_inf & (X < 0), W > 0)
    opposite |= _meets(X > 0, w_inf & (W < 0)) | _meets(X < 0, w_inf & (W > 0))
    return same, opposite


def special_terms(X: Float64, W: Float64, units: Units) -> Special:
    """The masks of X·W, ``[*stack, m, p]`` each."""
    every_x, every_w = np.ones_like(X, bool), np.ones_like(W, bool)
    plus, minus = _infinite_terms(X, W)
    must = _meets(np.isnan(X), every_w) | _meets(every_x, np.isnan(W)) | (plus & minus)
    must |= _meets(np.isinf(X), W == 0) | _meets(X == 0, np.isinf(W))
    may = free = np.zeros_like(must)
    if units.flushes:
        small_x, small_w = subnormal(X, units), subnormal(W, units)
        may = _meets(small_x, np.isinf(W)) | _meets(np.isinf(X), small_w)
    if units.claims.u_in:
        near = units.format.largest / (1 + 2 * units.claims.u_in)
        free = _meets(np.abs(X) >= near, every_w) | _meets(every_x, np.abs(W) >= near)
    return Special(plus, minus, must, may, free)


def subnormal(A: Float64, units: Units) -> Bool:
    """Which elements are subnormal in the format."""
    return (A != 0) & (np.abs(A) < units.format.least_normal)


def flushed_size(X: Float64, W: Float64, units: Units) -> Float64:
    """Σ |x·w| over the terms with a subnormal operand, ``[*stack, m, p]``."""
    small_x, small_w = subnormal(X, units), subnormal(W, units)
    size_x, size_w = np.abs(X), np.abs(W)
    rest = np.where(small_x, 0.0, size_x)
    return contract(np.where(small_x, size_x, 0.0), size_w) + contract(rest, np.where(small_w, size_w, 0.0))
