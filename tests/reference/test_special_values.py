"""Infinities, NaN and overflow: where the sets leave no choice, some choice, and every choice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from admissible_sets import problem, sets

from reference import network, oracle
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS

INF, NAN = np.inf, np.nan
HUGE = FORMATS["float32"].largest
TINY = FORMATS["float32"].least_subnormal


def admits(found: AdmissibleSet, value: float) -> bool:
    return bool(found.contains(np.full(found.center.shape, value)).all())


@pytest.mark.parametrize(
    ("X", "y", "W"),
    [
        ([[NAN]], [[0.0]], [[1.0]]),
        ([[1.0]], [[0.0]], [[NAN]]),
        ([[0.0]], [[0.0]], [[INF]]),
        ([[-INF]], [[0.0]], [[0.0]]),
        ([[INF, 1.0]], [[0.0]], [[1.0], [-INF]]),
        ([[INF, -INF]], [[0.0]], [[1.0], [1.0]]),
    ],
)
def test_nan_inputs_and_undefined_products_admit_nothing_but_nan(X: object, y: object, W: object) -> None:
    for found in sets(problem(X, y, W)).values():
        assert admits(found, NAN)
        assert not any(admits(found, value) for value in (0.0, 0.5, INF, -INF))


def test_a_nan_label_spoils_the_loss_and_the_gradient_but_not_y_hat() -> None:
    found = sets(problem([[1.0]], [[NAN]], [[0.0]]))
    assert {name for name, s in found.items() if not s.must.any()} == {"z", "y_hat", "dyhat_dz"}
    assert admits(found["y_hat"], 0.5)


def test_a_nan_stays_in_its_row_of_y_hat_and_in_its_column_of_the_gradient() -> None:
    found = sets(problem([[1.0], [2.0]], [[0.0, NAN], [0.0, 0.0]], [[1.0, 1.0]]))
    assert found["delta"].must.tolist() == [[False, True], [False, False]]
    assert found["row_loss"].must.tolist() == [True, False]
    assert found["grad"].must.tolist() == [[False, True]]
    assert not found["grad"].may[0, 0]


@pytest.mark.parametrize(("weight", "z", "y_hat"), [(INF, INF, 1.0), (-INF, -INF, 0.0)])
def test_an_infinite_product_stays_so_and_y_hat_is_its_limit(weight: float, z: float, y_hat: float) -> None:
    found = sets(problem([[1.0, 3.0]], [[0.25]], [[weight], [1.0]]))
    assert admits(found["z"], z)
    assert not any(admits(found["z"], value) for value in (-z, HUGE, -HUGE, NAN))
    assert found["z"].lo == found["z"].hi == z
    assert admits(found["y_hat"], y_hat)
    assert not admits(found["y_hat"], 0.5)
    assert admits(found["grad"], 0.0)
    assert not admits(found["grad"], NAN)


@pytest.mark.parametrize("label", [INF, -INF])
def test_an_infinite_label_makes_the_loss_infinite_and_the_gradient_infinite_or_nan(label: float) -> None:
    found = sets(problem([[1.0]], [[label]], [[0.0]]))
    assert admits(found["loss"], INF)
    assert not any(admits(found["loss"], value) for value in (HUGE, 0.0, NAN, -INF))
    assert found["loss"].lo == found["loss"].hi == INF
    assert all(admits(found["grad"], value) for value in (NAN, INF, -INF))
    assert not any(admits(found["grad"], value) for value in (HUGE, 0.0, 0.123))


def test_an_infinite_input_leaves_no_finite_number_in_its_row_of_the_gradient_alone() -> None:
    found = sets(problem([[INF, 1.0]], [[0.25]], [[1.0], [1.0]]))["grad"]
    for value, admitted in ((NAN, [True, False]), (INF, [True, False]), (0.123, [False, False])):
        assert found.contains(np.full((2, 1), value)).ravel().tolist() == admitted, value


def test_subnormal_times_infinity_may_be_nan_only_where_subnormals_are_flushed() -> None:
    given = problem([[TINY]], [[0.0]], [[INF]])
    for claims, allowed in (({}, False), ({"flush": True}, True), ({"u_in": 2.0**-11}, True)):
        found = sets(given, **claims)["y_hat"]
        assert admits(found, 1.0)
        assert admits(found, NAN) == allowed


def test_partial_sums_that_overflow_one_way_admit_that_limit_and_both_ways_nan() -> None:
    half = 2.0**127
    one = sets(problem([[half, half, -half]], [[0.0]], [[1.0]] * 3))
    both = sets(problem([[half, half, -half, -half]], [[0.0]], [[1.0]] * 4))
    assert admits(one["z"], INF)
    assert not admits(one["y_hat"], 0.5)
    assert not admits(one["y_hat"], NAN)
    assert all(admits(both["y_hat"], value) for value in (0.0, 0.5, 1.0, NAN))


def test_an_overflow_of_the_loss_or_of_twice_the_residual_admits_infinity() -> None:
    found = sets(problem([[1.0]], [[0.75 * 2.0**128]], [[0.0]]))
    assert admits(found["loss"], INF)
    assert all(admits(found["grad"], value) for value in (-INF, INF, NAN, -0.75 * 2.0**126))
    assert not any(admits(found["grad"], value) for value in (0.123, -HUGE, HUGE, -(2.0**126)))
    smaller = sets(problem([[1.0]], [[2.0**60]], [[0.0]]))
    assert not any(admits(smaller[name], value) for name in ("loss", "grad") for value in (INF, -INF, NAN))


def test_rounded_inputs_may_overflow_alone_or_in_their_sum() -> None:
    largest = problem([[HUGE]], [[0.0]], [[0.0]])
    total = problem([[0.4999 * 2.0**128] * 2], [[0.0]], [[1.0]] * 2)
    assert admits(sets(largest, u_in=2.0**-11)["y_hat"], NAN)
    assert not admits(sets(largest)["y_hat"], NAN)
    assert admits(sets(total, u_in=2.0**-11)["z"], INF)
    assert not admits(sets(total)["z"], INF)


def test_inputs_rounded_to_fewer_digits_may_lose_a_subnormal_delta() -> None:
    given = problem([[2.0**60]], [[0.0]], [[np.log(2.0**-64) / 2.0**60]])  # Δ = ŷ² = 2^-128, subnormal
    assert admits(sets(given, u_in=2.0**-11)["grad"], 0.0)
    assert not admits(sets(given)["grad"], 0.0)


def test_forward_mode_doubles_the_residual_last_and_lets_nan_cross_columns() -> None:
    late = problem([[2.0**104]], [[-(2.0**25)]], [[0.0]])  # r·σ'·x = 2^127 and twice that overflows
    assert admits(sets(late, forward=True)["grad"], INF)
    assert not admits(sets(late)["grad"], INF)
    half = 2.0**127
    crossing = problem([[1.0] * 4], [[0.0, 0.0]], [[half, 0.0], [half, 0.0], [-half, 0.0], [-half, 0.0]])
    assert sets(crossing, forward=True)["grad"].may.all()
    assert sets(crossing)["grad"].may.all(-2).tolist() == [True, False]
    for label in (NAN, INF):
        beside = problem([[1.0]], [[label, 0.0]], [[0.5, 0.5]])
        assert sets(beside, forward=True)["grad"].contains(np.array([[NAN, NAN]])).all()
        assert sets(beside)["grad"].contains(np.array([[NAN, NAN]])).tolist() == [[True, False]]


def test_forward_mode_adds_up_as_the_loss_does() -> None:
    many = problem(np.ones((33, 1)), np.zeros((33, 1)), [[0.0]], "bfloat16")
    narrow, wide = (sets(many, forward=True, u_acc=2.0**-24, u_sum=u)["grad"] for u in (2.0**-8, 2.0**-24))
    assert narrow.radius > wide.radius


def test_sums_near_the_largest_float64_keep_their_exact_value() -> None:
    largest = FORMATS["float64"].largest
    for second in (2.0**-39, 0.1, 0.24, 0.5, 1.0):
        given = problem([[1.0, 1.0]], [[0.0]], [[largest * (1 - 2.0**-40)], [-largest * second]], "float64")
        found = sets(given)
        assert oracle.inside(*given, ends={"z": (found["z"].lo, found["z"].hi)})["z"].all()
        assert admits(found["z"], float((given.X @ given.W)[0, 0]))
        assert admits(found["y_hat"], 0.5) == (second >= 0.25)


def test_a_sum_that_overflows_in_one_order_only_keeps_both_its_values() -> None:
    largest, quarter = FORMATS["float64"].largest, 2.0**969
    found = sets(problem([[1.0, -1.0, 1.0]], [[0.0]], [[quarter], [-quarter], [largest]], "float64"))["z"]
    assert all(admits(found, value) for value in (largest, INF))
    assert not admits(found, 0.0)


def test_a_loss_beyond_float64_is_infinite_or_huge() -> None:
    found = sets(problem([[1.0]], [[1e300]], [[0.0]], "float64"))["loss"]
    assert admits(found, INF)
    assert not admits(found, 1e300)


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_document_agrees_on_every_mixture_of_special_values(dtype: str) -> None:
    format = FORMATS[dtype]
    sizes = np.array([0.0, format.least_subnormal, format.least_normal, 1.0, format.largest, INF])
    values = np.concatenate([sizes, -sizes, [NAN]])
    triples = np.array(list(itertools.product(values, repeat=3)))
    X, y, W = (triples[:, i, None, None] for i in range(3))
    given = problem(X, y, W, dtype)
    found = sets(given)
    for name, got in network.evaluate(*given)._asdict().items():
        inside = found[name].contains(got.astype(np.float64))
        assert inside.all(), f"{name}: {triples[np.argwhere(~inside)[0][0]].tolist()}"
