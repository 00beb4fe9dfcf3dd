"""z where |X|·|W| leaves float64: from Ω/4 to Ω where one sign dominates, and anything where none does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from admissible_sets import sets

from reference.formats import FORMATS
from reference.types import Problem

LARGEST, INF = FORMATS["float64"].largest, math.inf
HALF = LARGEST / 2  # exact
# The terms of each sign, as products of 2 and these numbers, and the center and the radius.
CASES = [
    ([HALF, HALF], [], 0.75 * LARGEST, HALF),
    ([], [HALF, HALF], -0.75 * LARGEST, HALF),
    ([HALF, HALF], [HALF, HALF], 0.0, INF),
    ([HALF], [LARGEST / 8], 0.0, INF),
    ([HALF], [math.nextafter(LARGEST / 8, 0)], 0.75 * LARGEST, HALF),
    ([math.nextafter(LARGEST / 8, 0)], [HALF], -0.75 * LARGEST, HALF),
    ([LARGEST / 8], [HALF], 0.0, INF),
]


@pytest.mark.parametrize(("up", "down", "center", "radius"), CASES, ids=str)
def test_a_sum_past_float64_has_the_sign_that_dominates(
    up: list[float], down: list[float], center: float, radius: float
) -> None:
    X = np.array([[*up, *(-each for each in down)]])
    W = np.full((X.shape[1], 1), 2.0)
    with np.errstate(over="ignore"):
        z = sets(Problem(X, np.zeros((1, 1)), W))["z"]
    assert (z.center.item(), z.radius.item()) == (center, radius)
    assert z.plus.item() == (sum(up) >= HALF)
    assert z.minus.item() == (sum(down) >= HALF)
    assert z.may.item() == (z.plus.item() and z.minus.item())


def test_a_sum_that_stays_in_float64_keeps_its_value_beside_one_that_does_not() -> None:
    z = sets(Problem(np.array([[HALF, HALF], [0.5, 0.25]]), np.zeros((2, 1)), np.full((2, 1), 2.0)))["z"]
    assert z.center.ravel().tolist() == [0.75 * LARGEST, 1.5]
    assert z.radius[1, 0] < 1e-300  # exact: only what may underflow is left
    assert z.plus.ravel().tolist() == [True, False]
