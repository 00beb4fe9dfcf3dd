"""e^-t and the two sides of the logistic function for pairs of doubles.

−t = k·(ln 2)/1024 + r with an integer k = 1024·E + j and |r| < 2^-11.5, so that

    e^-t = 2^E · 2^(j/1024) · (1 + r + r²·(½ + r·(1/6 + r·(1/24 + r/120 + r²/720 + r³/5040)))).

The constants are made at import from integers: roots of 2 by integer square roots, ln 2 by the
series of 2·artanh(1/3). docs/accuracy.md bounds the relative error; κ = 16 at u = 2^-98 has room.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from reference.eft import Pair, add, fast_two_sum, multiply, reciprocal, square, two_product, two_sum
from reference.types import Float64

_STEPS = 1024  # powers of 2 in the table; its logarithm is the number of square roots
_BITS = 256  # the scale of the integers behind the constants
_ONE = 1 << _BITS


def _nearest_pair(scaled: int) -> tuple[float, float]:
    """The double nearest to a number scaled by 2^256, and the double nearest to the rest."""
    hi = scaled / _ONE  # correctly rounded, as is the next one
    return hi, (scaled - int(hi * 2.0**60) * (_ONE >> 60)) / _ONE  # hi·2^60 is an integer: 2^-4 < hi < 2


def _powers() -> Pair:
    """2^(j/1024) for j = 0 … 1023."""
    root = 2 * _ONE
    for _ in range(_STEPS.bit_length() - 1):
        root = isqrt(root * _ONE)
    power, pairs = _ONE, []
    for _ in range(_STEPS):
        pairs.append(_nearest_pair(power))
        power = power * root // _ONE
    return Pair(*np.array(pairs).T.copy())


def _ln2() -> int:
    """2·artanh(1/3) = 2·Σ 3^-(2i+1)/(2i+1), scaled by 2^256; each term is cut off by less than 2^-255."""
    return sum(2 * _ONE // ((2 * i + 1) * 3 ** (2 * i + 1)) for i in range(_BITS // 3))


def _parts_of_the_step() -> tuple[float, float, float]:
    """(ln 2)/1024 as two parts of 32 bits, whose products with |k| < 2^21 are exact, and a double."""
    rest, parts = _ln2() // _STEPS, []
    for last_bit in (43, 75):  # (ln 2)/1024 < 2^-10
        unit = _ONE >> last_bit
        parts.append(rest // unit * 2.0**-last_bit)
        rest %= unit
    return parts[0], parts[1], rest / _ONE


_POWERS = _powers()
_STEP, _STEP_2, _STEP_3 = _parts_of_the_step()
_STEPS_PER_UNIT = 1.0 / _STEP
_SIXTH, _SIXTH_REST = _nearest_pair(_ONE // 6)


def _reduce(t: Pair) -> tuple[Float64, Pair]:
    """k and r with −t = k·(ln 2)/1024 + r, k an integer in float64."""
    k = np.rint(t.hi * -_STEPS_PER_UNIT)
    first = -t.hi - k * _STEP  # exact: the product by its 32 bits, the difference by cancellation
    hi, lo = two_sum(first, k * -_STEP_2)
    return k, fast_two_sum(hi, lo - (k * _STEP_3 + t.lo))


def _series(r: Pair) -> Pair:
    """e^r for |r| < 2^-11.5."""
    tail = r.hi * (1 / 24 + r.hi * (1 / 120 + r.hi * (1 / 720 + r.hi * (1 / 5040))))
    sixth, rest = fast_two_sum(_SIXTH, tail)
    p, e = two_product(r.hi, sixth)
    half, low = fast_two_sum(0.5, p)
    factor = Pair(half, low + (e + (r.hi * (rest + _SIXTH_REST) + r.lo * sixth)))
    less_one = add(r, multiply(square(r), factor))
    hi, lo = fast_two_sum(1.0, less_one.hi)
    return Pair(hi, lo + less_one.lo)


def exp_minus(t: Pair) -> Pair:
    """e^-t for pairs with 0 ≤ t < 700.

    Args:
        t: float64 arrays of any shape.
    """
    k, r = _reduce(t)
    steps = k.astype(np.int64)
    j = steps & (_STEPS - 1)
    power_of_two = (((steps >> 10) + 1023) << 52).view(np.float64)
    result = multiply(_series(r), Pair(_POWERS.hi[j], _POWERS.lo[j]))
    return Pair(result.hi * power_of_two, result.lo * power_of_two)


def logistic(t: Pair) -> tuple[Pair, Pair]:
    """σ(−t) = e/(1+e) and σ(t) = 1/(1+e) with e = e^-t, for pairs with 0 ≤ t < 700."""
    e = exp_minus(t)
    hi, lo = fast_two_sum(1.0, e.hi)
    larger = reciprocal(Pair(hi, lo + e.lo))
    return multiply(e, larger), larger
