"""Errors in ulp: the unit, the distance to the exact value in it, and what has no such distance.

The ulp (unit in the last place) of an *exact* value v ≠ 0 in a format of precision t is

    ulp(v) = 2^(max(e, e_min) − t + 1),    2^e ≤ |v| < 2^(e+1),    e unbounded above,

so it is the distance between neighbours of the format around v, and below the least normal number,
and at zero, it stays the least subnormal number. It belongs to the exact value, not to the result:
a result in the next binade is measured with the same unit. This is Harrison's and Muller's ulp
(Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., section 2.3.2) with e bounded below.
Ω is the largest finite number.

An exact value is given as the unevaluated sum hi + lo of doubles, hi the double nearest to it and lo
the double nearest to the rest, as `reference.oracle.to_floats` gives it; hi = ±inf beyond float64.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from reference.formats import FORMATS, Format
from reference.types import Array, Float64

Numbers = Array | float
_FLOAT64 = FORMATS["float64"]


class Category(IntEnum):
    """What kind of result stands beside the exact value.

    ORDINARY has an error in ulp. OVERFLOW: an infinity where the nearest number of the format is not
    that infinity. LOST_TO_ZERO: zero where the nearest number is not zero. UNDEFINED: the result or
    the exact value is NaN.
    """

    ORDINARY = 0
    OVERFLOW = 1
    LOST_TO_ZERO = 2
    UNDEFINED = 3


def ulp(hi: Numbers, format: Format, lo: Numbers = 0.0) -> Float64:
    """The ulp of the exact values hi + lo in `format`; inf where hi is infinite, NaN where it is NaN.

    Args:
        hi: float64, any shape.
        format: the format whose unit is wanted.
        lo: float64, the rest; it matters where hi is a power of two and the value lies just below it.
    """
    high = np.asarray(hi, dtype=np.float64)
    size = np.abs(high)
    below = np.asarray(lo) * np.sign(high) < 0.0
    size = np.where(below, np.nextafter(size, 0.0), size)  # same binade as the exact value
    with np.errstate(invalid="ignore"):  # spacing(inf) is NaN, replaced below
        widened = np.spacing(size) * 2.0 ** (_FLOAT64.precision - format.precision)
    unit = np.maximum(widened, format.least_subnormal)
    return np.asarray(np.where(np.isinf(high), np.inf, unit), dtype=np.float64)


def nearest(hi: Numbers, lo: Numbers, format: Format) -> Float64:
    """The numbers of `format` nearest to hi + lo, ties to even, ±inf from Ω + ½ulp on; as float64.

    hi + lo is first rounded to odd in float64, which keeps enough to round once more without error
    (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008).
    """
    high, low = np.broadcast_arrays(np.asarray(hi, dtype=np.float64), np.asarray(lo, dtype=np.float64))
    if format == _FLOAT64:
        return high.copy()
    odd = np.where(np.isfinite(high) & (low != 0.0), _round_to_odd(high, low), high)
    unit = ulp(np.where(np.isinf(odd), 0.0, odd), format)
    rounded: Float64 = np.copysign(np.rint(odd / unit) * unit, high)
    return np.where(np.abs(rounded) > format.largest, np.copysign(np.inf, high), rounded)


def _round_to_odd(hi: Float64, lo: Float64) -> Float64:
    """The sum hi + lo, lo ≠ 0, truncated to float64 with its last bit set."""
    bits = np.abs(hi).view(np.int64)
    toward_zero = bits - (lo * np.sign(hi) < 0.0)
    odd: Float64 = np.copysign((toward_zero | 1).view(np.float64), hi)
    return odd


def category(got: Array, hi: Numbers, lo: Numbers, format: Format) -> NDArray[np.int8]:
    """The `Category` of each result.

    Args:
        got: results in their own dtype or in float64.
        hi: float64, the exact values.
        lo: float64, the rest of the exact values.
        format: the format that the results are in.

    Returns:
        int8, of the shape that the arguments broadcast to.
    """
    value, high, low = np.broadcast_arrays(
        np.asarray(got).astype(np.float64), np.asarray(hi, dtype=np.float64), np.asarray(lo, dtype=np.float64)
    )
    kind = np.zeros(value.shape, dtype=np.int8)
    suspect = ~np.isfinite(value) | (value == 0.0) | np.isnan(high)
    if not suspect.any():
        return kind
    want = nearest(high, low, format)
    kind[np.isinf(value) & (value != want)] = Category.OVERFLOW
    kind[(value == 0.0) & (want != 0.0)] = Category.LOST_TO_ZERO
    kind[np.isnan(value) | np.isnan(high)] = Category.UNDEFINED
    return kind


def error_in_ulp(got: Array, hi: Numbers, lo: Numbers, format: Format) -> Float64:
    """|got − exact| in ulps of the exact value.

    NaN where the category is OVERFLOW or UNDEFINED. LOST_TO_ZERO has the number that it has. An
    infinity that is the nearest number of the format has error 0; a finite result beside an exact
    value beyond float64 has error inf, as has one of 2^1024 ulp or more.

    The figure is within a factor 1 ± 2^-50 of the true one while lo is a normal number. In float64,
    where the exact value is below about 2^-968, lo runs out of digits, and the figure is within
    ½ ulp of the true one at worst (in the subnormal range).

    Args:
        got: results in their own dtype or in float64.
        hi: float64, the exact values.
        lo: float64, the rest of the exact values.
        format: the format that the results are in.
    """
    value = np.asarray(got).astype(np.float64)
    high = np.asarray(hi, dtype=np.float64)
    kind = category(value, high, lo, format)
    with np.errstate(all="ignore"):  # overflow to inf is the answer; inf − inf is replaced below
        unit = ulp(high, format, lo)
        error = np.abs((value / unit - high / unit) - np.asarray(lo) / unit)
    error = np.where(np.isinf(high) & np.isfinite(value), np.inf, error)
    error = np.where(np.isinf(value), 0.0, error)
    return np.where((kind == Category.OVERFLOW) | (kind == Category.UNDEFINED), np.nan, error)
