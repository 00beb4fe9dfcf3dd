"""Where sums of products cannot round, and which multiples they are made of whatever is rounded.

Every finite number ≠ 0 is an odd integer times a power of two, its *lowest digit*. A product is a multiple of
the product of both lowest digits, and a sum of products is one of the least of these: the sum's *grid*.
``docs/accuracy.md``, "Exact sums" and "The logistic", has the proofs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference.formats import FORMATS, Format
from reference.types import Bool, Float64, Problem
from reference.units import Units

Exponents = NDArray[np.int32]

# The exponent of the grid of a sum whose terms are all 0, which is a multiple of everything.
NO_TERMS = 2**20
DIGITS = FORMATS["float64"].precision


class Exact(NamedTuple):
    """What no order of operations rounds in some networks of a stack.

    Attributes:
        networks: their places in the flat stack, ascending.
        sums: which elements of X·W, ``[networks, m, p]``.
        columns: of which inputs the products with Δ, ``[networks, n]``.
    """

    networks: NDArray[np.intp]
    sums: Bool
    columns: Bool

    def rounded(self, T: Float64) -> Float64:
        """T, but 0 where the sum is exact."""
        if not self.sums.any():
            return T
        found = T.reshape(-1, *T.shape[-2:]).copy()
        found[self.networks] = np.where(self.sums, 0.0, found[self.networks])
        return found.reshape(T.shape)

    def in_columns(self, without: Float64, otherwise: Float64) -> Float64:
        """Of two arrays ``[*stack, n, p]`` the first in columns that are exact."""
        found, first = (a.reshape(-1, *a.shape[-2:]) for a in (otherwise.copy(), without))
        where = self.columns[..., None]
        found[self.networks] = np.where(where, first[self.networks], found[self.networks])
        return found.reshape(otherwise.shape)


def of(problem: Problem, T: Float64, units: Units) -> Exact:
    """What an implementation cannot round that computes in this format, or in one with more digits.

    Args:
        problem: in float64; a sum with a number that is not finite is never exact.
        T: |X|·|W|, ``[*stack, m, p]``.
        units: of the implementation; where it rounds its inputs, nothing is exact.
    """
    X, W, T = (a.reshape(-1, *a.shape[-2:]) for a in (problem.X, problem.W, T))
    format, networks = units.format, np.zeros(0, np.intp)
    if not units.claims.u_in:
        short_x, short_w = _has_few_digits(X, format), _has_few_digits(W, format)
        found = [np.flatnonzero(short) // short[0].size for short in (short_x, short_w)]
        networks = np.unique(np.concatenate(found))
        if networks.size:
            networks = networks[_may_be(short_x[networks], short_w[networks])]
    X, W, T = (a[networks] for a in (X, W, T))
    return Exact(networks, _exact_sums(X, W, T, format), _exact_columns(X))


def _has_few_digits(A: Float64, format: Format) -> Bool:
    """Which numbers have at most half of the format's digits, as one factor of every exact product has."""
    unused = DIGITS - (format.precision + 1) // 2
    return np.asarray((A.view(np.int64) & ((1 << unused) - 1)) == 0)


def _may_be(short_x: Bool, short_w: Bool) -> Bool:
    """In which networks each term of some sum, or some input, has such a factor."""
    terms = short_x | short_w.any(-1)[..., None, :]
    return np.asarray(terms.all(-1).any(-1) | short_x.all(-2).any(-1))


def _exact_sums(X: Float64, W: Float64, T: Float64, format: Format) -> Bool:
    """Where T is below 2^t of the grid, and no end of the format is passed."""
    grid = grids(X, W)
    with np.errstate(over="ignore"):
        found = np.ldexp(1.0, grid + format.precision) > T
    found &= np.ldexp(1.0, np.minimum(grid, 0)) >= format.least_subnormal
    return np.asarray(found & (format.largest >= T))


def _exact_columns(X: Float64) -> Bool:
    """The inputs with one sample ≠ 0 at most, which is a power of two."""
    power = np.abs(np.frexp(X)[0]) == 0.5
    return np.asarray(((X == 0) | power).all(-2) & (power.sum(-2) <= 1))


def grids(X: Float64, W: Float64) -> Exponents:
    """The exponent of each sum's grid, ``[*stack, m, p]``; of sums of zeros far above any other."""
    x, w = lowest_digits(X), lowest_digits(W)
    found = x[..., :, 0, None] + w[..., 0, None, :]
    for j in range(1, X.shape[-1]):
        np.minimum(found, x[..., :, j, None] + w[..., j, None, :], out=found)
    return found


def lowest_digits(A: Float64) -> Exponents:
    """The exponent of each number's lowest digit; `NO_TERMS` for 0, and 0 for what is not finite."""
    fractions, exponents = np.frexp(np.where(np.isfinite(A), A, 1.0))
    integers = np.ldexp(np.abs(fractions), DIGITS).astype(np.int64)
    places = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    return np.where(integers == 0, np.int32(NO_TERMS), exponents - np.int32(DIGITS) + places)
