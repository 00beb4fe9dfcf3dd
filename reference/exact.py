"""Where sums of products cannot round, and which multiples they are made of whatever is rounded.

Every finite number ≠ 0 is an odd integer times a power of two, its *lowest digit*. A product is a multiple of
the product of both lowest digits, and a sum of products is one of the least of these: the sum's *grid*.
``docs/accuracy.md``, "Exact sums" and "The logistic", has the proofs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reference.formats import FORMATS, Format
from reference.types import Bool, Float64, Problem
from reference.units import Units

Exponents = NDArray[np.int32]

# The exponent of the grid of a sum whose terms are all 0, which is a multiple of everything.
NO_TERMS = 2**20
DIGITS = FORMATS["float64"].precision
# The layout of a float64: bits of the fraction, the 1 before them, and the field and bias of the exponent.
FRACTION = DIGITS - 1
ONE, FIELD, BIAS = 1 << FRACTION, 2047, 1023


def rounded_size(problem: Problem, T: Float64, units: Units) -> Float64:
    """T where an implementation may round the sum, 0 where none of its orders of operations can.

    Args:
        problem: in float64; a sum with a number that is not finite is never exact.
        T: |X|·|W|, ``[*stack, m, p]``.
        units: of an implementation that computes in this format, or in one with more digits; where it
            rounds its inputs, nothing is exact.
    """
    if units.claims.u_in:
        return T
    X, W, size = (a.reshape(-1, *a.shape[-2:]) for a in (problem.X, problem.W, T))
    if 2 * units.format.precision <= DIGITS:
        return np.where(_are_multiples(X, W, size, units.format), 0.0, size).reshape(T.shape)
    found = _may_be_exact(X, W, units.format)
    places = np.flatnonzero(found)
    if not places.size:
        return T
    network, i, k = np.unravel_index(places, found.shape)
    size = size.copy()
    grid = _grid(X[network, i], W[network, :, k])
    size[network, i, k] *= _rounds(size[network, i, k], grid, units.format)
    return size.reshape(T.shape)


def _are_multiples(X: Float64, W: Float64, T: Float64, format: Format) -> Bool:
    """Where T ≤ Ω and all products, which float64 holds, are multiples of U, with T < 2^t·U.

    U is 2^(1−t) times the power of two at or below T, and at least the least subnormal.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        power = (T.view(np.int64) & (FIELD << FRACTION)).view(np.float64)
        inverse = 1 / np.maximum(power * 2.0 ** (1 - format.precision), format.least_subnormal)
        found = format.largest >= T
        for j in range(X.shape[-1]):
            multiple = X[:, :, j, None] * W[:, j, None, :] * inverse
            found &= np.rint(multiple) == multiple
    return np.asarray(found)


def _may_be_exact(X: Float64, W: Float64, format: Format) -> Bool:
    """The sums in whose terms one factor each has half of the format's digits at most, ``[S, m, p]``.

    An odd integer of a digits times one of b digits has a + b − 1 digits at least.
    """
    mask = (1 << DIGITS - (format.precision + 1) // 2) - 1
    short_x, short_w = ((a.view(np.int64) & mask) == 0 for a in (X, W))
    found = short_x[:, :, 0, None] | short_w[:, 0, None, :]
    for j in range(1, X.shape[-1]):
        found &= short_x[:, :, j, None] | short_w[:, j, None, :]
    return found


def _rounds(T: Float64, grid: Exponents, format: Format) -> Float64:
    """0 where T is below 2^t of the grid and no end of the format is passed, else 1."""
    with np.errstate(over="ignore"):
        exact = np.ldexp(1.0, grid + format.precision) > T
    exact &= (format.largest >= T) & (np.ldexp(1.0, np.minimum(grid, 0)) >= format.least_subnormal)
    return np.where(exact, 0.0, 1.0)


def grids(X: Float64, W: Float64) -> Exponents:
    """The exponent of each sum's grid, ``[*stack, m, p]``; of sums of zeros far above any other."""
    return _grid(X[..., :, None, :], np.swapaxes(W, -1, -2)[..., None, :, :])


def _grid(x: Float64, w: Float64) -> Exponents:
    """The same over the last axis of both."""
    return np.asarray(np.min(lowest_digits(x) + lowest_digits(w), axis=-1))


def lowest_digits(A: Float64) -> Exponents:
    """The exponent of each number's lowest digit; `NO_TERMS` for 0, −`NO_TERMS` if subnormal in float64."""
    bits = np.ascontiguousarray(A).view(np.int64)
    fields = (bits >> FRACTION).astype(np.int32) & FIELD
    integers = (bits & (ONE - 1)) | ONE
    lowest = (integers & -integers).astype(np.float64).view(np.int64) >> FRACTION  # biased, as the fields are
    found = fields + lowest.astype(np.int32) - np.int32(2 * BIAS + FRACTION)
    special = fields == 0
    if special.any():
        found = np.where(special, np.where(A == 0, np.int32(NO_TERMS), np.int32(-NO_TERMS)), found)
    return found
