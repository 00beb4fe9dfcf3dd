"""Balls are read without a second rounding: as doubles, in decimal, in hex."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from reference import oracle
from reference.balls import EXACT_BITS, precision
from reference.formats import FORMATS


@pytest.mark.parametrize("seed", range(4))
def test_hi_and_lo_are_the_nearest_double_and_the_nearest_double_to_the_rest(seed: int) -> None:
    random = np.random.default_rng(seed)
    X, y, W = (random.normal(size=shape) for shape in ((3, 3), (3, 2), (3, 2)))
    balls = oracle.evaluate(X, y, W).grad
    for ball, hi, lo in zip(balls.flat, *(A.ravel().tolist() for A in oracle.to_floats(balls)), strict=True):
        with precision(EXACT_BITS):
            rest = abs(ball - arb(hi))
            assert rest <= arb(float(np.spacing(abs(hi)))) / 2
            assert abs(ball - arb(hi) - arb(lo)) <= abs(ball) * arb(2) ** -105


CONVERSIONS = {
    "below the least double": ([-1074, -1076], 2.0**-1074, 0.0),
    "above half the least double": ([-1075, -1076], 2.0**-1074, 0.0),
    "half the least double": ([-1075], 0.0, 0.0),
    "above a tie of subnormals": ([-1030, -1075, -1090], 2.0**-1030 + 2.0**-1074, 0.0),
    "a tie": ([0, -53], 1.0, 2.0**-53),
    "above a tie": ([0, -53, -55], 1.0 + 2.0**-52, -3 * 2.0**-55),
    "beyond float64": ([1024], np.inf, 0.0),
    "far beyond float64": ([9000], np.inf, 0.0),
}


@pytest.mark.parametrize(("powers", "hi", "lo"), CONVERSIONS.values(), ids=CONVERSIONS)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_conversion_rounds_once_at_every_magnitude(
    sign: int, powers: list[int], hi: float, lo: float
) -> None:
    with precision(EXACT_BITS):
        value = sum((sign * arb(2) ** power for power in powers), arb(0))
    got = oracle.to_floats(np.array([value], dtype=object))
    assert [A.item() for A in got] == [sign * hi, sign * lo]


def test_a_value_is_printed_in_decimal_and_in_hex() -> None:
    ball = oracle.evaluate(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1))).y_hat.item()
    assert oracle.decimal(ball) == "0.7310585786300048792511592"
    assert oracle.hexadecimal(ball, FORMATS["float64"]) == (0.7310585786300049).hex()
    assert oracle.hexadecimal(ball, FORMATS["float16"]) == float(np.float16(0.7310585786300049)).hex()
    assert oracle.hexadecimal(arb(10) ** 5, FORMATS["float16"]) == "inf"
