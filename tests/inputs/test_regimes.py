"""Regimes are what their definitions say; generated cases lie in them, and Hypothesis draws all of them."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import Phase, find, given, settings

from crosscheck.inputs import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case, strategies
from crosscheck.inputs.random_bits import (
    ProblemShape,
    as_numbers,
    draw_random_bits,
    number_bits,
    rounded_bits,
)
from crosscheck.inputs.regimes import REGIMES, Regime, classify
from crosscheck.inputs.sigma import sigma
from crosscheck.inputs.strategies import cases, problems
from crosscheck.inputs.thresholds import half_digits, huge_exponent, saturation
from reference.formats import FORMATS, Format
from reference.types import Problem

NAMES = list(REGIMES)
SHAPES = SHAPES_ELEMENTWISE + SHAPES_STACKED


def share_inside(regime: Regime, shape: tuple[int, ...], format: Format) -> float:
    """The share of the elements of ŷ that lie in the regime, over a stack of 100 problems or more."""
    stacked = (max(shape[0], 100), *shape[1:])
    bits = draw_random_bits("share", ProblemShape.of(stacked))
    return float(regime.contains(*regime.generate(bits, stacked, format), format).mean())


def problem(format: Format, X: list[float], y: float, W: list[float]) -> Problem:
    """One problem with m = p = 1."""
    arrays = ([[X]], [[[y]]], [[[w] for w in W]])
    return Problem(*(np.array(array, dtype=np.float64).astype(format.dtype) for array in arrays))


def regime_of(format: Format, X: list[float], y: float, W: list[float]) -> str:
    """The name that `classify` gives the one element."""
    return NAMES[int(classify(*problem(format, X, y, W), format).item())]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_half_of_what_a_regime_generates_lies_in_it(dtype: str, regime: str, shape: tuple[int, ...]) -> None:
    format = FORMATS[dtype]
    if REGIMES[regime].unsupported(shape, format):
        assert (regime, shape) == ("cancelling", (1, 1, 1, 1))  # the only one: a single product
    else:
        assert share_inside(REGIMES[regime], shape, format) >= 0.5


@pytest.mark.parametrize("regime", [name for name in REGIMES if name != "ordinary"])
def test_a_generator_of_something_else_is_noticed(regime: str) -> None:
    planted = replace(REGIMES["ordinary"], holds=REGIMES[regime].holds)
    assert share_inside(planted, (256, 7, 3, 2), FORMATS["float32"]) < 0.5


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_elements_of_each_regime_are_classified_as_it(dtype: str, regime: str) -> None:
    case = Case(regime, 1, (8192, 1, 3, 1), dtype=dtype)
    counts = np.bincount(classify(*case.problem(), case.format).ravel(), minlength=len(NAMES))
    assert NAMES[int(counts.argmax())] == regime


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_class_is_the_first_regime_that_contains_the_element(dtype: str) -> None:
    for regime in REGIMES:
        case = Case(regime, 2, (256, 7, 3, 2), dtype=dtype)
        drawn = case.problem()
        got = classify(*drawn, case.format)
        inside = np.array([REGIMES[name].contains(*drawn, case.format) for name in NAMES])
        assert np.take_along_axis(inside, got[None].astype(np.intp), axis=0).all()
        assert (got == inside.argmax(axis=0)).all()


@pytest.mark.parametrize("dtype", FORMATS)
def test_each_threshold_is_where_its_definition_puts_it(dtype: str) -> None:
    format = FORMATS[dtype]
    h, ulp = half_digits(format), math.ldexp(1.0, 1 - format.precision)
    edge = float(np.array(saturation(format)).astype(format.dtype)) * (1 + 2 * ulp)
    below = edge * (1 - 4 * ulp)
    tiny, huge = math.ldexp(1.0, -h), math.ldexp(1.0, huge_exponent(format))
    x = math.ldexp(1.0, -format.e_min)  # with w ≥ 4 beyond the largest number
    assert regime_of(format, [edge], 0.0, [1.0]) == "saturated_high"
    assert regime_of(format, [edge], 0.0, [-1.0]) == "saturated_low"
    assert regime_of(format, [below], 0.0, [1.0]) == "ordinary"
    assert regime_of(format, [below], 0.0, [-1.0]) == "ordinary"
    assert regime_of(format, [1.0, 1.0], 0.0, [1.0, -1.0 + tiny]) == "cancelling"
    assert regime_of(format, [1.0, 1.0], 0.0, [1.0, -1.0 + 4 * tiny]) == "ordinary"
    assert regime_of(format, [tiny, tiny], 0.0, [1.0, -1.0]) == "ordinary"
    assert regime_of(format, [2.0**-8], huge, [2.0**-2]) == "huge_label"
    assert regime_of(format, [2.0**-8], -huge, [2.0**-2]) == "huge_label"
    assert regime_of(format, [2.0**-8], huge / 2, [2.0**-2]) == "ordinary"
    assert regime_of(format, [0.25], format.least_normal, [1.0]) == "ordinary"
    assert regime_of(format, [0.25], format.least_subnormal, [1.0]) == "subnormal"
    assert regime_of(format, [format.least_normal / 2], 0.0, [1.0]) == "subnormal"
    assert regime_of(format, [0.25], 0.0, [-format.least_subnormal]) == "subnormal"
    assert regime_of(format, [x], 0.0, [4.0]) == "overflow"
    assert regime_of(format, [x, x], 0.0, [-4.0, 4.0]) == "overflow"
    assert regime_of(format, [x], 0.0, [0.5]) == "saturated_high"
    assert regime_of(format, [0.0, 0.25], 0.0, [1.0, 1.0]) == "zeros"
    assert regime_of(format, [0.25], 0.0, [-0.0]) == "zeros"
    assert regime_of(format, [2.0**-8], 0.5, [2.0**-30 if h > 6 else 2.0**-6]) == "near_label"
    assert regime_of(format, [0.25], 0.5, [1.0]) == "ordinary"


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_one_number_that_is_not_finite_decides_alone(dtype: str, value: float) -> None:
    format = FORMATS[dtype]
    assert regime_of(format, [value, 1.0], 0.0, [1.0, 1.0]) == "non_finite"
    assert regime_of(format, [1.0, 1.0], value, [1.0, 1.0]) == "non_finite"
    assert regime_of(format, [0.0, 1.0], 0.0, [value, 1.0]) == "non_finite"


def test_elements_of_one_problem_lie_in_regimes_of_their_own() -> None:
    X = np.array([[1.0, 1.0], [0.25, 0.5]])
    W = np.array([[1.0, 60.0], [-1.0, 40.0]])
    y = np.array([[0.25, 0.0], [np.nan, 0.0]])
    got = [[NAMES[place] for place in row] for row in classify(X, y, W, FORMATS["float64"])]
    assert got == [["cancelling", "saturated_high"], ["non_finite", "saturated_high"]]


@pytest.mark.parametrize("dtype", FORMATS)
def test_numbers_have_both_signs_many_exponents_and_all_kinds_of_significand(dtype: str) -> None:
    format = FORMATS[dtype]
    X = np.abs(Case("ordinary", 4, (8192, 1, 3, 1), dtype=dtype).problem().X.astype(np.float64))
    significand, exponent = np.frexp(X.ravel())
    ulp = math.ldexp(1.0, -format.precision)
    signs = np.signbit(Case("ordinary", 4, (8192, 1, 3, 1), dtype=dtype).problem().X.astype(np.float64))
    assert 0.4 < signs.mean() < 0.6
    assert len(np.unique(exponent)) >= 16
    assert {0.5, 0.5 + ulp, 1.0 - ulp} <= set(significand.tolist())
    assert (
        len(np.unique(significand)) >= 2 ** (format.precision - 1) * 0.9 or len(np.unique(significand)) > 4096
    )


@pytest.mark.parametrize("dtype", FORMATS)
def test_labels_near_y_hat_are_between_zero_and_just_above_one(dtype: str) -> None:
    y = Case("near_label", 4, (8192, 1, 3, 1), dtype=dtype).problem().y.astype(np.float64)
    assert y.min() > 0
    assert y.max() <= 1 + math.ldexp(1.0, -half_digits(FORMATS[dtype]))


def test_rows_of_a_problem_have_different_scale() -> None:
    X = np.abs(Case("ordinary", 4, (256, 7, 3, 2)).problem().X).max(axis=-1)
    assert np.median(X.max(axis=-1) / X.min(axis=-1)) >= 8


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_rounding_by_integers_is_the_rounding_of_the_format(dtype: str) -> None:
    bits = draw_random_bits("rounding", ProblemShape((8192,), 1, 3, 1)).x
    drawn = np.abs(as_numbers(number_bits(bits, -10, 10, FORMATS["float64"]), FORMATS["float64"]))
    got = as_numbers(rounded_bits(drawn, FORMATS[dtype]), FORMATS[dtype])
    assert (got == drawn.astype(dtype)).all()


def test_sigma_rounds_to_the_exact_float32() -> None:
    z = Case("ordinary", 1, (500, 1, 3, 1)).problem().X.ravel()
    z = np.concatenate([z[np.abs(z) < 80], np.linspace(-80, 80, 1001), [0.0, -0.0]])
    previous, ctx.prec = ctx.prec, 200
    exact = [float((1 / (1 + (-arb(float(t))).exp())).mid()) for t in z]
    ctx.prec = previous
    assert (sigma(z).astype(np.float32) == np.array(exact).astype(np.float32)).all()


def test_sigma_saturates_where_exp_leaves_the_range() -> None:
    assert sigma(np.array([1e300, math.inf, math.nan])).tolist() == [1.0, 1.0, 0.5]
    assert (sigma(np.array([-1e300, -math.inf, -708.0])) == sigma(np.array([-708.0]))).all()


FIXED = settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate], max_examples=200)


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("dtype", FORMATS)
def test_numbers_drawn_one_by_one_reach_every_regime(dtype: str) -> None:
    reached: set[int] = set()

    @FIXED
    @given(problems(FORMATS[dtype], (1, 2, 3, 2)))
    def draw(problem: Problem) -> None:
        reached.update(classify(*problem, FORMATS[dtype]).ravel().tolist())

    draw()
    names = list(REGIMES)
    assert {names[place] for place in reached} == set(names)


@pytest.mark.long
@pytest.mark.parametrize("shape", SHAPES_ELEMENTWISE)
@pytest.mark.parametrize("dtype", FORMATS)
def test_problems_have_the_asked_shape_and_dtype(dtype: str, shape: tuple[int, ...]) -> None:
    stack, m, n, p = shape

    @settings(FIXED, max_examples=20)
    @given(problems(FORMATS[dtype], shape))
    def draw(problem: Problem) -> None:
        assert [array.shape for array in problem] == [(stack, m, n), (stack, m, p), (stack, n, p)]
        assert {array.dtype for array in problem} == {FORMATS[dtype].dtype}

    draw()


@pytest.mark.parametrize("dtype", FORMATS)
def test_terms_of_the_largest_numbers_are_mirrored_without_a_warning(dtype: str) -> None:
    format = FORMATS[dtype]
    X, W = (np.full(shape, format.largest, format.dtype) for shape in ((1, 2), (2, 1)))
    x, w = strategies._mirrored(X, W, 1, format)
    assert x.astype(float).tolist() == [[format.largest, np.inf]]
    assert w.astype(float).tolist() == [[format.largest], [-format.largest]]


@pytest.mark.long
def test_problems_shrink_to_zeros_and_the_one_number_that_matters() -> None:
    strategy = problems(FORMATS["float64"], (1, 1, 3, 1))
    # the shrinker takes random turns: from one seed it takes the same ones
    found = find(
        strategy,
        lambda problem: bool((problem.X > 1.0).any()),
        settings=settings(database=None),
        random=Random(0),  # noqa: S311, no secret
    )
    others = [found.y, found.W, found.X[found.X <= 1.0]]
    assert all(not np.any(array) for array in others)
    assert found.X.max() == 2.0


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("dtype", FORMATS)
def test_cases_are_drawn_of_every_regime_at_every_shape(dtype: str) -> None:
    drawn: set[tuple[str, tuple[int, ...]]] = set()

    @settings(FIXED, max_examples=400)
    @given(cases(dtype))
    def draw(case: Case) -> None:
        drawn.add((case.regime, case.shape))

    draw()
    assert drawn == {(regime, shape) for regime in REGIMES for shape in SHAPES_STACKED}


def test_cases_leave_out_what_a_shape_cannot_host() -> None:
    regimes: set[str] = set()

    @FIXED
    @given(cases("float32", [(1, 1, 1, 1)]))
    def draw(case: Case) -> None:
        regimes.add(case.regime)

    draw()
    assert regimes == set(REGIMES) - {"cancelling"}
