"""Generators of the labels for each regime: from random bits, and from X and W if labels must be near ŷ.

Arguments are X ``[m, n, S]`` and W ``[n, p, S]``, numbers of the format; results are bits ``[m, p, S]``.
Ω is the largest finite number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crosscheck.inputs.random_bits import (
    Int64,
    RandomBits,
    field,
    nudge_bits,
    number_bits,
    own_sign,
    power_bits,
    rounded_bits,
    sign_bits,
    special_bits,
    subnormal_bits,
)
from crosscheck.inputs.sigma import sigma
from crosscheck.inputs.thresholds import huge_exponent
from reference.formats import Format
from reference.types import Array, Float64

MakeY = Callable[[RandomBits, Array, Array, Format], Int64]


def dot(X: Float64, W: Float64) -> Float64:
    """Compute X·W in float64, ``[m, p, S]``, adding terms in order of index: the same bits everywhere."""
    z: Float64 = X[:, 0, None] * W[0]
    for j in range(1, len(W)):
        z = z + X[:, j, None] * W[j]
    return z


def plain(bits: RandomBits, X: Array, W: Array, format: Format) -> Int64:
    """Make 0 or 1 for half of the samples, else probabilities, −1, numbers of size ⅛ to 16, or any sizes."""
    del X, W
    kind = field(bits.y, 0, 4)
    low = np.array([0] * 8 + [-8] * 4 + [-3, -3, format.e_min // 2, 0], dtype=np.int64)
    high = np.array([0] * 8 + [-1] * 4 + [3, 3, huge_exponent(format) - 1, 0], dtype=np.int64)
    negative = (bits.y < 0) & (kind >= 12)
    y = number_bits(bits.y, low[kind], high[kind], format, negative)
    one = power_bits(0, format)
    y = np.where(kind < 4, 0, np.where(kind < 8, one, y))
    return np.where(kind == 15, one | sign_bits(kind > 0, format), y)


def near(bits: RandomBits, X: Array, W: Array, format: Format) -> Int64:
    """Make labels of ŷ plus 0, ±1, ±2, ±4, … ulp, so that at least half of the digits of ŷ − y cancel."""
    y_hat = sigma(dot(X.astype(np.float64), W.astype(np.float64)))
    normal = np.maximum(y_hat, format.least_normal)  # rounding is for normal numbers
    return rounded_bits(normal, format) + nudge_bits(bits.y, format)


def huge(bits: RandomBits, X: Array, W: Array, format: Format) -> Int64:
    """Make labels from the threshold to Ω; one in four is near √Ω (r² overflows) or near Ω (2r overflows)."""
    del X, W
    e_max = 1 - format.e_min
    low, root = huge_exponent(format), (e_max + 1) // 2
    kind = field(bits.y, 0, 3)
    lows = np.array([low] * 6 + [max(low, root - 1), e_max - 1], dtype=np.int64)[kind]
    highs = np.array([e_max] * 6 + [root, e_max], dtype=np.int64)[kind]
    return number_bits(bits.y, lows, highs, format)


def subnormal(bits: RandomBits, X: Array, W: Array, format: Format) -> Int64:
    """Make one label in eight subnormal."""
    return np.where(field(bits.y, 4, 3) == 0, subnormal_bits(bits.y, format), plain(bits, X, W, format))


def non_finite(bits: RandomBits, X: Array, W: Array, format: Format) -> Int64:
    """Make labels inf or NaN: seven of eight in problems with finite X and W, one of eight in the others."""
    chosen = np.where(field(bits.problem, 33, 2) == 3, field(bits.y, 4, 3) > 0, field(bits.y, 4, 3) == 0)
    return np.where(chosen, special_bits(bits.y, format), plain(bits, X, W, format))


def zero(bits: RandomBits, X: Array, W: Array, format: Format) -> Int64:
    """Make half of the labels zero, of both signs."""
    return np.where(field(bits.y, 4, 1) == 0, own_sign(bits.y, format), plain(bits, X, W, format))
