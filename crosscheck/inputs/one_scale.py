"""Sources of one scale: problems in which no term of the sums of the loss and of ∂L/∂W hides the others.

The regimes mix scales, so that one row or label often makes a whole sum; wrong terms beside it change
nothing. In a problem of one scale all terms of a sum have about the same size, and the terms x_ij·Δ_ik of one
∂L/∂W_jk have the same sign. ``docs/accuracy.md`` has what sums then show, in "What a sum shows".

| source | z | label | what it shows best |
|---|---|---|---|
| one_scale_ordinary | ¼ ≤ |z| < 2 | on the other side of ½ than ŷ | rows left out or counted twice |
| one_scale_near_label | ¼ ≤ |z| < 2 | ŷ without half of its digits | a wrong ŷ or y of one row |
| one_scale_saturated_high | just above the threshold | 1 | the same, where 1 − ŷ is small |
| one_scale_saturated_low | just below minus the threshold | 0 | the same, where ŷ is small |
| one_scale_huge_label | ¼ ≤ |z| < 2 | of one binade, with the sign of −z | a wrong y of one row |

Products x_ij·w_jk of one z_ik have the same sign, and r_ik·z_ik has one sign for all i and k, so that all
x_ij·Δ_ik of one ∂L/∂W_jk have the sign of w_jk, or the other one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crosscheck.inputs.labels import dot
from crosscheck.inputs.random_bits import (
    Int64,
    RandomBits,
    as_numbers,
    below,
    field,
    fraction_bits,
    number_bits,
    power_bits,
    rounded_bits,
    sign_bits,
    stacked,
)
from crosscheck.inputs.sigma import sigma
from crosscheck.inputs.thresholds import exponent, half_digits, huge_exponent, saturation
from reference.formats import Format
from reference.types import Array, Bool, Problem

# The regimes that have a source of one scale.
ONE_SCALE: Final = ("ordinary", "near_label", "saturated_high", "saturated_low", "huge_label")
SIGN: Final = {"saturated_high": 1, "saturated_low": -1}  # of z
LEVEL: Final = 4  # leading bits of X that a row has in common


class _Signs(NamedTuple):
    """Masks of the negative numbers, ``[m, n, S]``, ``[n, p, S]`` and ``[m, p, S]``."""

    x: Bool
    w: Bool
    z: Bool


def _signs(bits: RandomBits, sign: int | None) -> _Signs:
    """Draw signs such that all products of one z have its sign, which ``sign`` is for all z where given."""
    first = bits.w[:1] < 0  # of each column of W
    of_input = (bits.w[:, :1] < 0) ^ first[:, :1]
    of_row = bits.row < 0
    if sign is not None:
        first, of_row = np.full_like(first, sign < 0), np.zeros_like(of_row)
    return _Signs(of_row ^ of_input.swapaxes(0, 1), first ^ of_input, of_row ^ first)


def _fractions(bits: RandomBits, format: Format) -> Int64:
    """Make fractions of X whose leading bits are the same in a row, so that z differs for any n."""
    level = field(bits.row, 0, LEVEL) << (format.precision - 1 - LEVEL)
    return level | (fraction_bits(bits.x, format) >> LEVEL)


def _moderate(bits: RandomBits, format: Format) -> tuple[Int64, Int64, Bool]:
    """Make X and W of one exponent each, such that ¼ ≤ |z| < 2; and where z is negative."""
    s, signs = below(bits.problem, 16, 3) - 1, _signs(bits, None)
    top = -len(bits.w).bit_length() - 1 - s
    x = _power(s, format) | _fractions(bits, format) | sign_bits(signs.x, format)
    return x, number_bits(bits.w, top, top, format, signs.w), signs.z


def _saturated(bits: RandomBits, format: Format, sign: int) -> tuple[Int64, Int64]:
    """Make X of one exponent, and W such that one product decides z, just beyond the threshold."""
    n, s, signs = len(bits.w), below(bits.problem, 16, 3) - 1, _signs(bits, sign)
    decides = np.arange(n)[:, None] == below(bits.problem, 40, n)
    narrow = exponent(saturation(format)) + 2  # leading bits of 0, so that z varies by about 1
    fraction = _fractions(bits, format) >> np.where(decides, narrow, 0)
    x = _power(s, format) | fraction | sign_bits(signs.x, format)
    edge = rounded_bits(np.array(saturation(format) * (1 + 2.0**-4)), format)
    large = edge + (fraction_bits(bits.w, format) >> narrow) - (s << (format.precision - 1))
    small, no = -n.bit_length() - 6 - s, np.zeros_like(signs.w)
    w = np.where(decides.swapaxes(0, 1), large, number_bits(bits.w, small, small, format, no))
    return x, w | sign_bits(signs.w, format)


def _power(exponents: Int64, format: Format) -> Int64:
    """Return the bits of powers of two."""
    return power_bits(0, format) + (exponents << (format.precision - 1))


def _far(bits: RandomBits, z_negative: Bool, format: Format) -> Int64:
    """Make labels on the other side of ½ than ŷ: 0 or 1, and in one of four places within ⅛ of it."""
    soft = field(bits.y, 0, 2) == 0
    low = number_bits(bits.y, -8, -4, format, np.zeros_like(z_negative))
    high = power_bits(-1, format) | (3 << (format.precision - 3)) | (fraction_bits(bits.y, format) >> 2)
    one = power_bits(0, format)
    return np.where(z_negative, np.where(soft, high, one), np.where(soft, low, 0))


def _near(bits: RandomBits, z_negative: Bool, X: Array, W: Array, format: Format) -> Int64:
    """Make multiples of 2^-t near ŷ, t the digits and h half of them: 2^-h-4 ≤ |r| < 2^-h-3, but for ½·2^-t.

    r has the sign of z.
    """
    y_hat = np.rint(sigma(dot(X.astype(np.float64), W.astype(np.float64))) * 2.0**format.precision)
    least = 1 << (format.precision - half_digits(format) - 4)
    r = least + ((field(bits.y, 0, 32) * least) >> 32)
    return rounded_bits((y_hat + np.where(z_negative, r, -r)) * 2.0**-format.precision, format)


def unsupported(regime: str, shape: tuple[int, ...], format: Format) -> str | None:
    """Say why problems of a shape ``(*stack, m, n, p)`` cannot have one scale; None if they can."""
    if regime == "huge_label" and 2 * (huge_exponent(format) + 1) >= 1 - format.e_min:
        return f"(ŷ − y)² passes the largest number of {format.name}"
    labels = shape[-3] * shape[-1]
    if regime == "ordinary" and labels > format.largest:
        return f"its loss may pass the largest number of {format.name} with {labels} labels (m·p)"
    return None


def generate(regime: str, bits: RandomBits, shape: tuple[int, ...], format: Format) -> Problem:
    """Make a stack of problems of one scale, all of whose ŷ lie in a regime of `ONE_SCALE`."""
    if regime in SIGN:
        x, w = _saturated(bits, format, SIGN[regime])
        X, W = as_numbers(x, format), as_numbers(w, format)
        y = np.full_like(bits.y, power_bits(0, format) if SIGN[regime] > 0 else 0)
    else:
        x, w, z_negative = _moderate(bits, format)
        X, W = as_numbers(x, format), as_numbers(w, format)
        if regime == "near_label":
            y = _near(bits, z_negative, X, W, format)
        elif regime == "huge_label":
            e = huge_exponent(format)
            y = number_bits(bits.y, e, e, format, ~z_negative)
        else:
            y = _far(bits, z_negative, format)
    return Problem(*(stacked(array, shape[:-3]) for array in (X, as_numbers(y, format), W)))
