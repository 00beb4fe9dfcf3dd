"""Balls, which enclose exact values, and functions that compare and convert them.

A ball is a `flint.arb`, a midpoint with a radius that certainly contains the exact value
(Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, 2017). Ω is the largest
finite number of a format.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from reference.formats import FORMATS, Format
from reference.types import Bool, Float64
from reference.ulp import nearest

Balls = NDArray[Any]  # dtype object, every element a flint.arb: numpy's types cannot say so

# Every product of two doubles is a multiple of 2^-2148 below 2^2048; 64 bits more hold the carries
# of 2^64 terms. At this precision sums of products are exact, and arb keeps only the bits it needs.
EXACT_BITS = 2 * (1074 + 1024) + 64
# A ball this small is decided: 2^1200 times finer than the least positive double.
ABSOLUTE_RADIUS = arb(2) ** -2300


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Set flint's working precision, a global of the process, for a block; restore it after the block."""
    before = ctx.prec
    try:
        ctx.prec = bits
        yield
    finally:
        ctx.prec = before


def is_decided(ball: arb, bits: int) -> bool:
    """Whether a ball is accurate to `bits` bits, has a radius below 2^-2300, or is NaN at every precision."""
    return bool(ball.rel_accuracy_bits() >= bits or ball.rad() < ABSOLUTE_RADIUS or ball.is_nan())


def dot(a: Sequence[arb], b: Sequence[arb]) -> arb:
    """The sum of products of two sequences of the same length, one at least, at the working precision."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total = total + a[i] * b[i]
    return total


def contained(balls: Balls, lo: Float64, hi: Float64) -> Bool:
    """Where a ball certainly lies within [lo, hi], 2^-2300 on either side allowed.

    False says nothing: the ball may overlap an end (`oracle.inside` decides that). False for NaN balls.

    Args:
        balls: object array of `flint.arb`.
        lo: float64, of the shape of `balls` or broadcast to it, −inf allowed.
        hi: likewise, +inf allowed.
    """
    return _compare(balls, lo, hi, lambda ball, low, high: ball >= low and ball <= high)


def excluded(balls: Balls, lo: Float64, hi: Float64) -> Bool:
    """Where a ball certainly lies outside of [lo, hi], by more than 2^-2300; arguments as for `contained`.

    True for NaN balls. Where neither `contained` nor `excluded` is true, the ball overlaps an end.
    """
    return _compare(balls, lo, hi, lambda ball, low, high: ball < low or ball > high or ball.is_nan())


def _compare(balls: Balls, lo: Float64, hi: Float64, holds: Callable[[arb, arb, arb], bool]) -> Bool:
    """`holds(ball, lo − 2^-2300, hi + 2^-2300)` for every element."""
    low, high = (np.broadcast_to(end, balls.shape) for end in (lo, hi))
    with precision(EXACT_BITS):
        found = [
            bool(holds(ball, arb(a) - ABSOLUTE_RADIUS, arb(b) + ABSOLUTE_RADIUS))
            for ball, a, b in zip(balls.flat, low.ravel().tolist(), high.ravel().tolist(), strict=True)
        ]
    return np.array(found, dtype=bool).reshape(balls.shape)


def to_floats(balls: Balls, format: Format = FORMATS["float64"]) -> tuple[Float64, Float64]:
    """The exact values as unevaluated sums hi + lo.

    hi is the number of `format` nearest to the exact value (±inf from Ω + ½ulp on), lo the double
    nearest to the rest (0 where hi is infinite, NaN where the ball is). With balls of 128 bits the
    sum is within 2^-105 of the exact value, relatively, plus 2^-1075. A tie can be missed only by
    balls that overlap it.

    Args:
        balls: object array of `flint.arb`, any shape.
        format: the format of hi.

    Returns:
        Two float64 arrays of the shape of `balls`.
    """
    hi = np.array([float(ball) for ball in balls.flat], dtype=np.float64)
    lo = _rest(balls, hi)
    if format != FORMATS["float64"]:
        hi = nearest(hi, lo, format)
        lo = _rest(balls, hi)
    return hi.reshape(balls.shape), lo.reshape(balls.shape)


def _rest(balls: Balls, hi: Float64) -> Float64:
    with precision(2 * FORMATS["float64"].precision):
        pairs = zip(balls.flat, hi.tolist(), strict=True)
        rest = [0.0 if math.isinf(high) else float(ball.mid() - arb(high)) for ball, high in pairs]
    return np.array(rest, dtype=np.float64)


def decimal(ball: arb, digits: int = 25) -> str:
    """The exact value in decimal: as many of `digits` digits as the ball certifies."""
    return str(ball.str(digits, radius=False))


def hexadecimal(ball: arb, format: Format) -> str:
    """The number of `format` nearest to the exact value, as a hex float ('inf' beyond the format)."""
    hi, _ = to_floats(np.array(ball, dtype=object), format)
    return float(hi).hex()
