"""What no order of operations rounds, and where only three values of the logistic are left."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from crosscheck.judging.judge import Judge
from reference import bounds, exact, stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array, Outputs, Problem
from reference.units import Units

FLOAT32 = FORMATS["float32"]
NETWORKS = 400


def is_exact(given: Problem, format: Format, **claims: Any) -> Array:
    """Which sums of X·W are exact, ``[S, m, p]``; of terms that are not all 0."""
    wide = stable.widen(given)
    T, units = stable.evaluate(*wide).T, Units.of(format, Arithmetic(**{"kappa": 5.0, **claims}))
    rounded = exact.rounded_size(wide, T, units)
    assert ((rounded == 0) | (rounded == T) | np.isnan(T)).all()
    return np.asarray(rounded == 0)


def few_digits(seed: int, format: Format, n: int, digits: int) -> Problem:
    """One row and one output: integers of so many digits at most, times a power of two for each network."""
    random = np.random.default_rng(seed)
    scale = np.ldexp(1.0, random.integers(-4, 5, (NETWORKS, 1, 1)))
    x, w = (random.integers(-(2**digits) + 1, 2**digits, (NETWORKS, 1, n)) * scale for _ in "xw")
    return Problem(*(a.astype(format.dtype) for a in (x, np.zeros((NETWORKS, 1, 1)), np.swapaxes(w, 1, 2))))


def in_every_order(x: Array, w: Array, format: Format) -> set[float]:
    """The sum of the products in every order, each operation rounded to the format."""
    dtype = format.dtype.type
    products: list[Any] = [dtype(a * b) for a, b in zip(x, w, strict=True)]
    totals = set()
    for order in itertools.permutations(products):
        total = order[0]
        for product in order[1:]:
            total = dtype(total + product)
        totals.add(float(total))
    return totals


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_sum_that_is_called_exact_has_one_value_in_every_order_and_it_is_the_exact_one(dtype: str) -> None:
    format, seen = FORMATS[dtype], set()
    for digits in ((format.precision + 1) // 2 - 1, (format.precision + 1) // 2):
        given = few_digits(digits, format, 4, digits)
        for s, x, w in zip(is_exact(given, format).ravel(), given.X[:, 0], given.W[..., 0], strict=True):
            pairs = zip(x.tolist(), w.tolist(), strict=True)
            want = float(sum(Fraction(a) * Fraction(b) for a, b in pairs))
            assert not s or in_every_order(x, w, format) == {want}
            seen.add(bool(s))
    assert seen == {False, True}


@pytest.mark.parametrize("dtype", [name for name in FORMATS if name != "float64"])  # there a split overflows
def test_a_sum_of_the_largest_number_is_exact_and_one_beyond_it_is_not(dtype: str) -> None:
    format = FORMATS[dtype]
    for terms, want in (([format.largest], True), ([format.largest, format.largest], False)):
        X, W = np.array([[terms]], format.dtype), np.ones((1, len(terms), 1), format.dtype)
        assert is_exact(Problem(X, np.zeros((1, 1, 1), format.dtype), W), format).item() is want


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_product_with_one_digit_more_than_the_format_is_not_exact(dtype: str) -> None:
    format = FORMATS[dtype]
    most = 2.0**format.precision - 1  # all digits set
    for x, w, want in ((most, 4.0, True), (most, 1.5, False), (0.0, most, True), (-0.5, -most, True)):
        given = Problem(*(np.array([[[a]]], format.dtype) for a in (x, 0.0, w)))
        assert is_exact(given, format).item() is want, (x, w)


@pytest.mark.parametrize(
    ("x", "w"),
    [(2.0**-80, 2.0**-80), (2.0**100, 2.0**100), (np.inf, 1.0), (np.nan, 1.0)],
    ids=["underflow", "overflow", "inf", "nan"],
)
def test_a_product_that_leaves_the_format_is_not_exact(x: float, w: float) -> None:
    given = Problem(*(np.array([[[a]]], np.float32) for a in (x, 0.0, w)))
    assert not is_exact(given, FLOAT32).any()


def test_nothing_is_exact_where_inputs_are_rounded() -> None:
    given = Problem(*(np.array([[[a]]], np.float32) for a in (1.0, 0.0, 0.1)))
    assert is_exact(given, FLOAT32).all()
    assert not is_exact(given, FLOAT32, u_in=2.0**-11).any()


def test_the_lowest_digit_of_a_number_is_that_of_its_fraction() -> None:
    numbers = [1.0, 3.0, 0.1, 2.0**-1022, 2.0**1000, -6.0, 0.75, 2.0**53 - 1]
    for number, exponent in zip(numbers, exact.lowest_digits(np.array(numbers)).tolist(), strict=True):
        integer, denominator = Fraction(number).as_integer_ratio()
        assert Fraction(2) ** exponent == Fraction(integer & -integer, denominator)


def sets(given: Problem, format: Format, **claims: Any) -> dict[str, AdmissibleSet]:
    return bounds.admissible(given, format, Arithmetic(**{"kappa": 5.0, **claims}))


@pytest.mark.parametrize("w", [float.fromhex("-0x1.16421p+6"), -20.0, 3.3])
def test_a_logistic_that_is_47_ulp_off_is_outside_where_the_product_is_exact(w: float) -> None:
    given = Problem(*(np.full((1, 1, 1), a, np.float32) for a in (1.0, 0.0, w)))
    judge, claims = Judge(given), default_arithmetic(FLOAT32)
    right = stable.evaluate(*judge.wide).p.astype(np.float32)
    wrong = right * np.float32(1 + 47 * 2.0**-24)
    for got, admissible in ((right, True), (wrong, False)):
        assert judge.judge(Outputs(got), claims)["y_hat"].admissible.item() is admissible


def cancelling(dtype: str, size: float) -> Problem:
    """Four terms of that size, two of each sign."""
    format = FORMATS[dtype]
    X = np.array([[[size, size, -size, -size]]], format.dtype)
    return Problem(X, np.zeros((1, 1, 1), format.dtype), np.ones((1, 4, 1), format.dtype))


@pytest.mark.parametrize(
    ("dtype", "size"), [("float64", 2.0**1023), ("float32", 2.0**127), ("bfloat16", 2.0**127)]
)
def test_after_an_overflow_that_may_cancel_three_values_and_nan_are_left(dtype: str, size: float) -> None:
    one = sets(cancelling(dtype, size), FORMATS[dtype])["y_hat"]
    for got in (0.0, 0.5, 1.0, np.nan):
        assert one.contains(np.array([[[got]]])).all(), got
    for got in (0.123, 0.4, 0.6, 0.95):
        assert not one.contains(np.array([[[got]]])).any(), got
    assert one.judged.all()


def test_where_the_terms_have_a_fine_grid_every_value_is_left() -> None:
    X = np.array([[[2.0**15, 2.0**15, -(2.0**15), -(2.0**15), 0.5]]], np.float16)
    given = Problem(X, np.zeros((1, 1, 1), np.float16), np.ones((1, 5, 1), np.float16))
    one = sets(given, FORMATS["float16"])["y_hat"]
    assert one.contains(np.array([[[0.123]]])).all()
    assert not one.judged.any()


def test_the_intervals_of_a_set_with_holes_are_told_apart() -> None:
    one = sets(cancelling("float32", 2.0**127), FLOAT32)["y_hat"].mapped(lambda a: a[0, 0, 0])
    low, middle, high = one.intervals()
    assert low[0] == 0.0
    assert low[1] < 2.0**-20
    assert middle[0] < 0.5 < middle[1]
    assert high[0] > 1 - 2.0**-20
    assert high[1] == 1.0
    whole = sets(cancelling("float32", 1.0), FLOAT32)["y_hat"].mapped(lambda a: a[0, 0, 0])
    assert whole.intervals() == [(float(whole.lo), float(whole.hi))]
