"""Error-free transformations, and arithmetic on unevaluated sums of two doubles, in NumPy.

Notation: a `Pair` (hi, lo) stands for hi + lo with |lo| ≤ ½ulp(hi). The relative errors
are for results and partial products that do not underflow; an underflow adds at most 2^-1070.

Sources: Dekker, A floating-point technique for extending the available precision, 1971 (`split`,
`two_product`); Knuth, The Art of Computer Programming, vol. 2, 4.2.2 (`two_sum`); Joldes, Muller and
Popescu, Tight and rigorous error bounds for basic building blocks of double-word arithmetic, 2017
(the sums and products). NumPy has no FMA, so products are Dekker's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.types import Float64

_SPLITTER = 2.0**27 + 1.0


class Pair(NamedTuple):
    """An unevaluated sum hi + lo of two float64 arrays of one shape."""

    hi: Float64
    lo: Float64


def two_sum(a: Float64, b: Float64) -> Pair:
    """a + b exactly, whatever their sizes."""
    s = a + b
    t = s - a
    return Pair(s, (a - (s - t)) + (b - t))


def fast_two_sum(a: Float64 | float, b: Float64) -> Pair:
    """a + b exactly where |a| ≥ |b|, or where a is a multiple of ulp(b)."""
    s = a + b
    return Pair(s, b - (s - a))


def split(a: Float64) -> Pair:
    """The upper 26 bits of a, and the rest in 26 bits; exact for |a| < 2^996."""
    t = _SPLITTER * a
    hi = t - (t - a)
    return Pair(hi, a - hi)


def two_product(a: Float64, b: Float64) -> Pair:
    """a·b exactly."""
    (a_hi, a_lo), (b_hi, b_lo) = split(a), split(b)
    p = a * b
    return Pair(p, ((a_hi * b_hi - p) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo)


def add(a: Pair, b: Pair) -> Pair:
    """a + b with |error| ≤ 3·2^-106·(|a| + |b|): relative to the terms, not to their sum."""
    s, e = two_sum(a.hi, b.hi)
    return fast_two_sum(s, e + (a.lo + b.lo))


def add_accurately(a: Pair, b: Pair) -> Pair:
    """a + b with a relative error of at most 3·2^-106/(1 − 2^-51), even where the terms cancel."""
    s, e = two_sum(a.hi, b.hi)
    t, f = two_sum(a.lo, b.lo)
    s, e = fast_two_sum(s, e + t)
    return fast_two_sum(s, e + f)


def multiply(a: Pair, b: Pair) -> Pair:
    """a·b with a relative error of at most 8·2^-106."""
    p, e = two_product(a.hi, b.hi)
    return fast_two_sum(p, e + (a.hi * b.lo + a.lo * b.hi))


def multiply_double(a: Float64, b: Pair) -> Pair:
    """a·b for a double a, with a relative error of at most 3·2^-106."""
    p, e = two_product(a, b.hi)
    return fast_two_sum(p, e + a * b.lo)


def square(a: Pair) -> Pair:
    """a² with a relative error of at most 8·2^-106."""
    a_hi, a_lo = split(a.hi)
    p = a.hi * a.hi
    e = ((a_hi * a_hi - p) + 2.0 * (a_hi * a_lo)) + a_lo * a_lo
    return fast_two_sum(p, e + 2.0 * (a.hi * a.lo))


def reciprocal(a: Pair) -> Pair:
    """1/a with a relative error of at most 16·2^-106: one Newton step, whose residual is exact."""
    x = 1.0 / a.hi
    p, e = two_product(a.hi, x)
    residual = ((1.0 - p) - e) - a.lo * x
    return fast_two_sum(x, x * residual)


def total(a: Pair, axis: int) -> Pair:
    """The sum along an axis, pairwise: each of n terms passes at most ⌈log₂ n⌉ + 1 roundings of `add`."""
    hi, lo = (np.moveaxis(part, axis, 0) for part in a)
    left_over: Pair | None = None
    while len(hi) > 1:
        if len(hi) % 2:
            last = Pair(hi[-1:], lo[-1:])
            left_over = last if left_over is None else add(left_over, last)
        half = len(hi) // 2
        hi, lo = add(Pair(hi[:half], lo[:half]), Pair(hi[half : 2 * half], lo[half : 2 * half]))
    result = Pair(hi, lo) if left_over is None else add(Pair(hi, lo), left_over)
    return Pair(result.hi[0], result.lo[0])
