"""Generators of X and W for each regime: they turn random bits into bit patterns by integer operations only.

Notation: s is the scale of a problem, whose X is multiplied by 2^s and whose W by 2^−s; t is the scale of a
row of X, which is multiplied by 2^t as well. Most elements that a generator makes, but not all, lie in its
regime; only `crosscheck.inputs.regimes` decides that. Ω is the largest finite number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crosscheck.inputs.random_bits import (
    Int64,
    RandomBits,
    below,
    field,
    nudge_bits,
    number_bits,
    own_sign,
    sign_bits,
    special_bits,
    subnormal_bits,
)
from crosscheck.inputs.thresholds import exponent, half_digits, saturation, underflow
from reference.formats import Format
from reference.types import Bool

MakeXW = Callable[[RandomBits, Format], tuple[Int64, Int64]]


def _column(bits: RandomBits) -> tuple[Bool, Bool]:
    """Choose one input j of each problem, as masks over X and over W."""
    n = len(bits.w)
    at_x = np.arange(n)[:, None] == below(bits.problem, 40, n)
    return at_x, at_x.swapaxes(0, 1)


def _scale(bits: RandomBits, reach: int) -> Int64:
    """Draw the scale s of each problem, an integer: in half of them within ±2, else within ±reach."""
    wide = below(bits.problem, 0, 2 * reach + 1) - reach
    return np.where(field(bits.problem, 32, 1) == 1, wide, below(bits.problem, 16, 5) - 2)


def _coherent(bits: RandomBits, among: int) -> Bool:
    """Choose one in ``among`` problems at random, in which all products of a column have the same sign."""
    return below(bits.problem, 24, among) == 0


def _negative(bits: RandomBits, coherent: Bool) -> tuple[Bool, Bool]:
    """Draw the signs of X and W, as masks of the negative numbers.

    In coherent problems all products x_ij·w_jk of column k of W have the same sign.
    """
    x, w = bits.x < 0, bits.w < 0
    first = w[:, :1]
    flipped = first ^ w[:1] ^ w[:1, :1]
    return np.where(coherent, first.swapaxes(0, 1), x), np.where(coherent, flipped, w)


def ordinary(bits: RandomBits, format: Format, reach: int | None = None) -> tuple[Int64, Int64]:
    """Make rows and problems of different scales, whose products are about 1 or smaller."""
    s = _scale(bits, (1 - format.e_min) // 2 if reach is None else reach)
    t = below(bits.row, 0, exponent(saturation(format)) + 4) - 3
    top = -(len(bits.w).bit_length() // 2)
    spread = 4 if format.e_min > -100 else 6  # smaller for float16, which has few exponents
    x_negative, w_negative = _negative(bits, _coherent(bits, 4))
    x = number_bits(bits.x, s + t - spread, s + t, format, x_negative)
    w = number_bits(bits.w, top - s - spread // 2, top - s, format, w_negative)
    return x, w


def cancelling(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make mirrored terms: w_{n+1−j} = −w_j and x_{n+1−j} = x_j up to the lower half of its digits.

    Terms without a mirror image are small: the middle one of an odd n, and in half of the problems all
    between the first and the last (large, small, …, small, −large: some orders of the sum lose small terms).
    """
    n, h = len(bits.w), half_digits(format)
    e_max = 1 - format.e_min
    s = _scale(bits, e_max // 4)
    t = 5 + below(bits.row, 0, min(format.precision, e_max // 2 - 5))
    j = np.arange(n)[:, None]
    absorbed = (field(bits.problem, 33, 1) == 1) & (j > 0) & (j < n - 1)
    small = absorbed | (2 * j == n - 1)
    lower = np.where(small, h + 3 + n.bit_length() + below(bits.x, 0, h), 0)
    x = number_bits(bits.x, s + t - lower - 2, s + t - lower, format)
    w = number_bits(bits.w, -s - 2, -s, format)
    nudge = nudge_bits(bits.x, format)
    mirrored = 2 * j > n - 1
    x = np.where(mirrored & ~absorbed, x[:, ::-1] + nudge, x)
    minus = sign_bits(np.ones((), dtype=np.bool_), format)
    w = np.where(mirrored[:, None], w[::-1] ^ minus, w)
    return x, w


def _saturated(bits: RandomBits, format: Format, sign: int) -> tuple[Int64, Int64]:
    """Make one product of about 2^t dominate each row; others have its sign, or any and are far smaller."""
    n = len(bits.w)
    low, high = exponent(saturation(format)), exponent(underflow(format)) + 1
    far = below(bits.row, 32, 8) == 0
    last = np.where(far, (1 - format.e_min) // 2, high)
    t = low + ((field(bits.row, 0, 16) * (last - low + 1)) >> 16)
    s = _scale(bits, (1 - format.e_min) // 4)
    coherent = _coherent(bits, 2)
    lower = np.where(coherent, 0, 4 + n.bit_length())
    at_x, at_w = _column(bits)
    w_first = bits.w[:, :1] < 0
    x_negative = np.where(coherent | at_x, w_first.swapaxes(0, 1), bits.x < 0)
    w_negative = np.where(coherent | at_w, w_first, bits.w < 0) ^ (sign < 0)
    x_high = s + t - np.where(at_x, 0, lower + 1)
    x = number_bits(bits.x, x_high - np.where(at_x, 0, 4), x_high, format, x_negative)
    w = number_bits(bits.w, -s - np.where(at_w, 0, 4), -s, format, w_negative)
    return x, w


def saturated_high(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make positive z from the threshold to where σ(−z) underflows, and beyond."""
    return _saturated(bits, format, 1)


def saturated_low(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make negative z from the threshold to where σ(z) underflows, and beyond."""
    return _saturated(bits, format, -1)


def overflow(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make one product beyond Ω in each sum; in half of the problems with n > 1, all products are near Ω."""
    n, e_max = len(bits.w), 1 - format.e_min
    half = (e_max + 1) // 2
    s = below(bits.problem, 0, 2 * half - 3) - (half - 2)
    at_x, at_w = _column(bits)
    x_low = np.where(at_x, half + s, s - 8)
    w_low = np.where(at_w, half - s, -s - 8)
    partial = (field(bits.problem, 33, 1) == 1) & (n > 1)
    x_low = np.where(partial, half + s - 1, x_low)
    w_low = np.where(partial, half - s, w_low)
    width = np.where(partial, 0, 4)
    x = number_bits(bits.x, x_low, x_low + width, format)
    return x, number_bits(bits.w, w_low, w_low + width, format)


def subnormal(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make one input, or its weights, subnormal; in half of the problems a large factor makes it matter."""
    x, w = ordinary(bits, format, reach=2)
    e_max = 1 - format.e_min
    at_x, at_w = _column(bits)
    on_x = field(bits.problem, 33, 1) == 1
    large = field(bits.problem, 34, 1) == 1
    few = min(format.precision, 12)
    large_x, large_w = (number_bits(word, e_max - few, e_max, format) for word in (bits.x, bits.w))
    x = np.where(at_x & on_x, subnormal_bits(bits.x, format), np.where(at_x & large, large_x, x))
    w = np.where(at_w & ~on_x, subnormal_bits(bits.w, format), np.where(at_w & large, large_w, w))
    return x, w


def non_finite(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make one input, its weights or both inf or NaN at seven of eight places; some are multiplied by 0.

    In a quarter of the problems X and W are finite, and the labels are not.
    """
    x, w = ordinary(bits, format)
    kind = field(bits.problem, 33, 2)  # 0: X, 1: W, 2: both, 3: labels
    zero = field(bits.problem, 35, 2) == 0
    at_x, at_w = _column(bits)
    bad_x = at_x & ((kind == 0) | (kind == 2)) & (field(bits.x, 2, 3) > 0)
    bad_w = at_w & ((kind == 1) | (kind == 2)) & (field(bits.w, 2, 3) > 0)
    x = np.where(bad_x, special_bits(bits.x, format), np.where(at_x & zero & (kind == 1), 0, x))
    w = np.where(bad_w, special_bits(bits.w, format), np.where(at_w & zero & (kind == 0), 0, w))
    return x, w


def zeros(bits: RandomBits, format: Format) -> tuple[Int64, Int64]:
    """Make zeros of both signs: single ones in X or in W, whole rows of X, or all of W."""
    x, w = ordinary(bits, format)
    kind = field(bits.problem, 33, 2)
    single_x = (kind == 0) & (field(bits.x, 0, 1) == 0)
    single_w = (kind == 1) & (field(bits.w, 0, 1) == 0)
    rows = (kind == 2) & (field(bits.row, 32, 2) > 0)
    x = np.where(single_x | rows, own_sign(bits.x, format), x)
    return x, np.where(single_w | (kind == 3), own_sign(bits.w, format), w)
