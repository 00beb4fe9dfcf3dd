"""Where sums of products cannot round, and which multiples they are made of whatever is rounded.

Every finite number ≠ 0 is an odd integer times a power of two, its *lowest digit*. A product is a multiple of
the product of both lowest digits, and a sum of products is one of the least of these: the sum's *grid*.
``docs/accuracy.md``, "Exact sums" and "The logistic", has the proofs. T is |X|·|W|, and Ω is the largest
finite number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reference.eft import two_product
from reference.formats import FORMATS
from reference.types import Float64, Problem
from reference.units import Units

Exponents = NDArray[np.int32]

# The exponent of the grid of a sum whose terms are all 0, which is a multiple of everything.
NO_TERMS = 2**20
DIGITS = FORMATS["float64"].precision
# The layout of a float64: bits of the fraction, the 1 before them, and the field and bias of the exponent.
FRACTION = DIGITS - 1
ONE, FIELD, BIAS = 1 << FRACTION, 2047, 1023
# What a product of float64 must be a multiple of, so that `two_product` does not underflow.
LEAST = 2.0**-960


def rounded_size(problem: Problem, T: Float64, units: Units) -> Float64:
    """T where an implementation may round the sum, 0 where none of its orders of operations can.

    A sum is exact if T is at most Ω and all its products are multiples of U, with T < 2^t·U. Here t is the
    format's precision, and U is 2^(1−t) times the power of two at or below T, but at least the least
    subnormal, or `LEAST` in float64.

    Args:
        problem: in float64; a sum with a number that is not finite is never exact.
        T: |X|·|W|, ``[*stack, m, p]``.
        units: the error constants of an implementation that computes in this format, or in one with more
            digits; if it rounds its inputs, no sum is exact.
    """
    if units.claims.u_in:
        return T
    X, W, size = (a.reshape(-1, *a.shape[-2:]) for a in (problem.X, problem.W, T))
    format, is_narrow = units.format, 2 * units.format.precision <= DIGITS
    with np.errstate(all="ignore"):
        power = (np.ascontiguousarray(size).view(np.int64) & (FIELD << FRACTION)).view(np.float64)
        least = format.least_subnormal if is_narrow else LEAST
        inverse = 1 / np.maximum(power * 2.0 ** (1 - format.precision), least)
        exact = format.largest >= size
        for j in range(X.shape[-1]):
            if not exact.any():
                break
            multiple = X[..., :, j, None] * W[..., j, None, :] * inverse
            exact &= np.rint(multiple) == multiple
        if not is_narrow:  # of the few that are left, whether float64 holds their products
            network, i, k = np.nonzero(exact)
            exact[network, i, k] = (two_product(X[network, i], W[network, :, k]).lo == 0).all(-1)
    return np.where(exact, 0.0, size).reshape(T.shape)


def grids(X: Float64, W: Float64) -> Exponents:
    """The exponent of each sum's grid, ``[*stack, m, p]``; if all terms are 0 it is far above any other."""
    x, w = lowest_digits(X), lowest_digits(W)
    terms = x[..., :, None, :] + np.swapaxes(w, -1, -2)[..., None, :, :]
    return np.asarray(np.min(terms, axis=-1))


def lowest_digits(A: Float64) -> Exponents:
    """The exponent of each number's lowest digit, a power of two.

    It is `NO_TERMS` for 0, and −`NO_TERMS` for numbers that are subnormal in float64.
    """
    bits = np.ascontiguousarray(A).view(np.int64)
    fields = (bits >> FRACTION).astype(np.int32) & FIELD
    integers = (bits & (ONE - 1)) | ONE
    lowest = (integers & -integers).astype(np.float64).view(np.int64) >> FRACTION  # biased, as the fields are
    found = fields + lowest.astype(np.int32) - np.int32(2 * BIAS + FRACTION)
    special = fields == 0
    if special.any():
        found = np.where(special, np.where(A == 0, np.int32(NO_TERMS), np.int32(-NO_TERMS)), found)
    return found
