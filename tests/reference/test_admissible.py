"""An admissible set: its values, how far along the radius they lie, its ends and holes, its conditioning."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import pytest

from reference import filter
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS

FLOAT32: Final = FORMATS["float32"]
INF, NAN, LARGEST = np.inf, np.nan, FORMATS["float64"].largest


def one_set(center: float = 1.0, radius: float = 0.5, **others: Any) -> AdmissibleSet:
    """A set of one element without infinities and NaN unless others say so."""
    flags: dict[str, Any] = {
        name: np.array(others.pop(name, name == "judged"))
        for name in ("plus", "minus", "may", "must", "judged")
    }
    return AdmissibleSet(np.array(center), np.array(radius), **flags, **others)


HOLE: Final = ((np.array(0.75), np.array(1.25)),)
MEMBERS: Final = [
    ("interval", {}, [0.5, 1.0, 1.5], [0.49, 1.51, INF, -INF, NAN]),
    ("upwards open", {"plus": True}, [0.5, 1e30, INF], [0.49, -INF, NAN]),
    ("downwards open", {"minus": True}, [1.5, -1e30, -INF], [1.51, INF, NAN]),
    ("NaN may be", {"may": True}, [0.5, 1.5, NAN], [0.49, INF]),
    ("NaN must be", {"must": True, "plus": True}, [NAN], [1.0, INF]),
    ("at least 0.8", {"low": 0.8, "minus": True}, [0.8, 1.5], [0.79, -INF]),
    ("at most 1.2", {"high": 1.2, "plus": True}, [1.2, 0.5], [1.21, INF]),
    ("with a hole", {"holes": HOLE}, [0.5, 0.75, 1.25, 1.5], [0.76, 1.0, 1.24]),
]


@pytest.mark.parametrize(
    ("others", "inside", "outside"), [row[1:] for row in MEMBERS], ids=[row[0] for row in MEMBERS]
)
def test_a_set_contains_its_values_and_no_others(
    others: dict[str, Any], inside: list[float], outside: list[float]
) -> None:
    found = one_set(**others)
    assert [bool(found.contains(np.array(value))) for value in inside] == [True] * len(inside)
    assert [bool(found.contains(np.array(value))) for value in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("others", "got", "admissible", "share"),
    [
        ({}, 1.0, True, 0.0),
        ({}, 1.25, True, 0.5),
        ({}, 0.5, True, 1.0),
        ({}, 2.0, False, 2.0),
        ({}, INF, False, INF),
        ({"radius": 0.0}, 1.0, True, 0.0),
        ({"radius": 0.0}, 2.0, False, INF),
        ({"low": 0.8}, 0.75, False, INF),
        ({"plus": True}, 1.25, True, NAN),
        ({"plus": True}, 0.75, True, 0.5),
        ({"minus": True}, 0.75, True, NAN),
        ({"minus": True}, 1.25, True, 0.5),
        ({"may": True}, NAN, True, NAN),
        ({"must": True}, NAN, True, NAN),
        ({"must": True}, 1.25, False, INF),
        ({"radius": INF}, 7.0, True, NAN),
    ],
)
def test_the_share_says_how_far_along_the_radius_a_value_lies(
    others: dict[str, Any], got: float, admissible: bool, share: float
) -> None:
    found = one_set(**others).share(np.array(got), np.array(admissible))
    np.testing.assert_array_equal(found, share)


@pytest.mark.parametrize(
    ("others", "lo", "hi"),
    [
        ({}, 0.5, 1.5),
        ({"plus": True}, 0.5, INF),
        ({"minus": True}, -INF, 1.5),
        ({"low": 0.8, "high": 1.2, "minus": True, "plus": True}, 0.8, 1.2),
    ],
)
def test_the_ends_are_the_least_and_the_largest_value(others: dict[str, Any], lo: float, hi: float) -> None:
    found = one_set(**others)
    assert (float(found.lo), float(found.hi)) == (lo, hi)


@pytest.mark.parametrize("setting", ["raise", "warn"])
@pytest.mark.parametrize(
    ("center", "radius"),
    [(-LARGEST, LARGEST), (LARGEST, INF), (INF, INF), (NAN, NAN), (0.0, 2.0**-1074), (INF, 0.0)],
)
def test_numbers_whose_difference_overflows_or_is_nan_are_compared_in_silence(
    center: float, radius: float, setting: Literal["raise", "warn"]
) -> None:
    found = one_set(center, radius, low=-INF, roundings=3.0)
    with np.errstate(all=setting):
        for got in map(np.array, (LARGEST, -LARGEST, INF, -INF, NAN, 0.0, 2.0**-1074)):
            found.share(got, found.contains(got))
            filter.accepts("grad", got, found.center, found.radius)
        assert not found.lo > found.hi
        found.well_conditioned(FLOAT32)


# One ulp of 1 in float32 is 2^-23.
@pytest.mark.parametrize(
    ("others", "well"),
    [
        ({"radius": 3 * 2.0**-23}, True),
        ({"radius": 3.01 * 2.0**-23}, False),
        ({"radius": 0.0, "center": INF}, False),
        *(({"radius": 0.0, flag: True}, False) for flag in ("plus", "minus", "may", "must")),
    ],
)
def test_a_closed_set_of_at_most_one_ulp_for_each_rounding_is_well_conditioned(
    others: dict[str, Any], well: bool
) -> None:
    assert one_set(roundings=3.0, **others).well_conditioned(FLOAT32).tolist() is well


def pieces(**others: Any) -> list[AdmissibleSet]:
    """Sets around 1, 0 and ½, of which the last two overlap."""
    return [one_set(1.0, 0.125), one_set(0.0, 0.375), one_set(0.5, 0.25, **others)]


def test_the_gap_between_pieces_becomes_a_hole_and_the_set_is_judged() -> None:
    whole = one_set(0.5, 0.5, judged=False).without_gaps(pieces())
    assert whole.intervals() == [(0.0, 0.75), (0.875, 1.0)]
    assert whole.judged.all()
    assert not whole.contains(np.array(0.8))


@pytest.mark.parametrize("flag", ["plus", "minus", "must"])
def test_a_piece_without_a_finite_end_leaves_the_set_as_it_is(flag: str) -> None:
    whole = one_set(0.5, 0.5, judged=False).without_gaps(pieces(**{flag: True}))
    assert whole.intervals() == [(0.0, 1.0)]
    assert not whole.judged.any()


def test_pieces_that_are_not_judged_do_not_make_the_set_judged() -> None:
    assert not one_set(0.5, 0.5, judged=False).without_gaps(pieces(judged=False)).judged.any()


def test_pieces_without_a_gap_leave_the_set_unjudged() -> None:
    whole = one_set(0.5, 0.5, judged=False).without_gaps([one_set(0.25, 0.25), one_set(0.75, 0.25)])
    assert whole.intervals() == [(0.0, 1.0)]
    assert not whole.judged.any()


def test_a_change_of_shape_reaches_every_array_and_keeps_the_rest() -> None:
    wide = AdmissibleSet(
        np.array([1.0, 2.0]), np.array([0.5]), *(np.array([False, True]),) * 5, 0.25, 4.0, HOLE, 7.0
    )
    last = wide.mapped(lambda array: array[1])
    assert (float(last.center), float(last.radius)) == (2.0, 0.5)
    assert all((last.plus, last.minus, last.may, last.must, last.judged))
    assert (last.low, last.high, last.roundings) == (0.25, 4.0, 7.0)
    assert [tuple(map(float, hole)) for hole in last.holes] == [(0.75, 1.25)]


def test_an_infinite_center_without_roundings_is_not_well_conditioned_and_silent() -> None:
    assert not one_set(INF, 0.0).well_conditioned(FLOAT32)
