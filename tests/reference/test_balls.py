"""Where balls lie: certainly inside of an interval, certainly outside, or across an end, which is neither."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from reference.balls import ABSOLUTE_RADIUS, EXACT_BITS, Balls, contained, excluded, is_decided, precision

INF = np.inf


def ball(middle: float, radius: float = 0.0) -> arb:
    return arb(middle, radius)


def beside(number: float, share: float) -> arb:
    """The number, moved by a share of 2^-2300."""
    with precision(EXACT_BITS):
        return arb(number) + share * ABSOLUTE_RADIUS


# A ball and the ends, and where it lies.
PLACES = [
    (ball(0.5), 0.0, 1.0, "inside"),
    (ball(0.5, 0.25), 0.0, 1.0, "inside"),
    (ball(0.0), 0.0, 1.0, "inside"),
    (ball(1.0), 0.0, 1.0, "inside"),
    (ball(-1e300), -INF, 0.0, "inside"),
    (ball(1e300), 0.0, INF, "inside"),
    (beside(0.0, -1), 0.0, 1.0, "inside"),
    (beside(1.0, 1), 0.0, 1.0, "inside"),
    (beside(0.0, -2), 0.0, 1.0, "outside"),
    (beside(1.0, 2), 0.0, 1.0, "outside"),
    (ball(2.0), 0.0, 1.0, "outside"),
    (ball(-2.0, 0.5), 0.0, 1.0, "outside"),
    (ball(2.0, 0.5), -INF, 1.0, "outside"),
    (ball(-2.0), 0.0, INF, "outside"),
    (arb("nan"), 0.0, 1.0, "outside"),
    (arb("nan"), -INF, INF, "outside"),
    (ball(0.0, 0.25), 0.0, 1.0, "across"),
    (ball(1.0, 0.25), 0.0, 1.0, "across"),
    (ball(1.0, 0.25), -INF, 1.0, "across"),
    (ball(0.5, 4.0), 0.0, 1.0, "across"),
]


def array_of(balls: list[arb]) -> Balls:
    found = np.empty(len(balls), dtype=object)
    found[:] = balls
    return found


def test_a_ball_is_contained_where_all_of_it_is_inside_and_excluded_where_all_of_it_is_outside() -> None:
    balls = array_of([each for each, *_ in PLACES]).reshape(4, 5)
    low, high = (np.array([each[k] for each in PLACES]).reshape(4, 5) for k in (1, 2))
    places = np.array([place for *_, place in PLACES]).reshape(4, 5)
    assert np.array_equal(contained(balls, low, high), places == "inside")
    assert np.array_equal(excluded(balls, low, high), places == "outside")


def test_one_pair_of_ends_is_for_all_balls() -> None:
    balls = array_of([ball(0.5), ball(2.0)])
    assert contained(balls, np.array(0.0), np.array(1.0)).tolist() == [True, False]
    assert excluded(balls, np.array(0.0), np.array(1.0)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("one", "decided"),
    [
        (ball(1.0, 2.0**-60), True),
        (ball(1.0, 2.0**-40), False),
        (ball(0.0), True),
        (arb(0, arb(2) ** -2301), True),
        (arb(0, arb(2) ** -2299), False),
        (arb("nan"), True),
    ],
)
def test_a_ball_is_decided_if_it_is_accurate_or_tiny_or_nan(one: arb, decided: bool) -> None:
    assert is_decided(one, 53) == decided
