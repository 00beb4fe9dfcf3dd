"""The product z = X·W: its radius, how far its partial sums may run, and how far σ moves within it.

Notation as in ``docs/accuracy.md``: T = |X|·|W|, P and N are the sums of the positive and of the negative
products by size, and Ω is the largest finite number; p = σ(z) and q = σ(−z); z_lo and z_hi are the ends of
z ± e_z; `reference.units` defines ν, μ and h.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference import stable
from reference.formats import FORMATS
from reference.nonfinite import flushed_size, special_terms
from reference.types import Bool, Float64, Problem
from reference.units import ROOM, Units

LARGEST = FORMATS["float64"].largest


class Product(NamedTuple):
    """z = X·W with its radius, all arrays ``[*stack, m, p]``.

    Attributes:
        z: X·W.
        e_z: the radius around z.
        plus, minus: where a partial sum may overflow to +inf and to −inf.
        may, must: where z may be NaN, and where it must be.
    """

    z: Float64
    e_z: Float64
    plus: Bool
    minus: Bool
    may: Bool
    must: Bool


def _signed_sizes(X: Float64, W: Float64) -> tuple[Float64, Float64]:
    """P and N: the sums of the positive and of the negative products, by size."""
    x_up, x_down, w_up, w_down = np.maximum(X, 0), np.maximum(-X, 0), np.maximum(W, 0), np.maximum(-W, 0)
    positive = stable.contract(x_up, w_up) + stable.contract(x_down, w_down)
    return positive, stable.contract(x_up, w_down) + stable.contract(x_down, w_up)


def _past_float64(z: Float64, e_z: Float64, P: Float64, N: Float64) -> tuple[Float64, Float64]:
    """z and its radius where |X|·|W| exceeds float64: from Ω/4 to Ω if one sign dominates, else unbounded."""
    one_sided = np.minimum(P, N) < LARGEST / 4
    center = np.where(one_sided, np.copysign(LARGEST * 0.75, P - np.minimum(N, LARGEST)), 0.0)
    past = ~np.isfinite(P + N) | ~np.isfinite(z)
    return np.where(past, center, z), np.where(past, np.where(one_sided, LARGEST / 2, np.inf), e_z)


def product(problem: Problem, reference: stable.Reference, rounded: Float64, units: Units) -> Product:
    """Compute z, its radius e_z, and where partial sums may overflow.

    e_z = μT + (1+ν)(S + 2n·h), where S is the sum of |x·w| over the products with a subnormal operand if
    those may vanish, and 0 otherwise. ``rounded`` takes the place of T.

    Args:
        problem: finite, in float64.
        reference: the float64 reference of the problem.
        rounded: T where the sum may be rounded, else 0.
        units: the error constants of the implementation.
    """
    X, _, W = problem
    n = X.shape[-1]
    nu = units.nu_dot(n)
    mu = units.with_inputs(nu)
    z, T = reference.z, reference.T
    e_z = mu * rounded + 2 * n * units.h * (1 + nu)
    if units.flushes:
        e_z = e_z + (1 + nu) * flushed_size(X, W, units)
    none = np.zeros(z.shape, bool)
    plus = minus = may = none
    if not T.size or not T.max() < units.overflows(mu) / 2:
        P, N = _signed_sizes(X, W)
        plus, minus = units.overflows(mu) <= P, units.overflows(mu) <= N
        z, e_z = _past_float64(z, e_z, P, N)
        may = plus & minus
    return Product(z, e_z, plus, minus, may, none)


def with_special(found: Product, original: Problem, units: Units) -> Product:
    """The same product where X or W hold infinities or NaN."""
    special = special_terms(original.X, original.W, units)
    may = found.may | special.may | special.free
    may |= (special.plus & found.minus) | (special.minus & found.plus)
    z = np.where(special.plus, np.inf, np.where(special.minus, -np.inf, found.z))
    infinite = special.plus | special.minus
    return Product(
        np.where(special.free, 0.0, z),
        np.where(special.free, np.inf, np.where(infinite, 0.0, found.e_z)),
        (found.plus & ~infinite) | special.plus | special.free,
        (found.minus & ~infinite) | special.minus | special.free,
        may,
        special.must,
    )


def spread(z: Product, p: Float64, q: Float64) -> Float64:
    """s = max{σ(z_hi)·q·(1−e^(z−z_hi)), p·σ(−z_lo)·(1−e^(z_lo−z))}: how far σ moves within the radius."""
    up = np.where(z.plus, np.inf, z.e_z)
    down = np.where(z.minus, np.inf, z.e_z)
    above = stable.logistic(z.z + up)[0] * q * -np.expm1(-up)
    below = p * stable.logistic(z.z - down)[1] * -np.expm1(-down)
    return np.maximum(above, below) * ROOM
