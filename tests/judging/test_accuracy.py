"""The exact values: in which precision they come, how far off they may be, and the errors against them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb

from crosscheck.inputs import Case, parse
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import RESOLUTION, ExactValue, Precision, _sure, errors, exact_values
from crosscheck.judging.judge import OUTPUTS, Judge
from reference import oracle
from reference.balls import EXACT_BITS, precision
from reference.formats import FORMATS, Format
from reference.types import Array, Outputs, Problem
from reference.ulp import Category, ulp

UNKNOWN, FLOAT64, DOUBLE, ORACLE = (
    {precision}
    for precision in (Precision.UNKNOWN, Precision.FLOAT64, Precision.DOUBLE_DOUBLE, Precision.ORACLE)
)


def precisions(values: ExactValue) -> set[int]:
    return set(np.unique(values.precision).tolist())


def problem(X: float, y: float, W: float, dtype: str, count: int = 1) -> Problem:
    """So many copies of one problem with m = n = p = 1."""
    values = (np.full((count, 1, 1), value) for value in (X, y, W))
    return Problem(*(value.astype(FORMATS[dtype].dtype) for value in values))


def out_of_range(dtype: str = "float64", count: int = 1) -> Problem:
    """z = 700, which neither double-double nor, below one ulp, float64 can do."""
    return problem(1.0, 0.0, 700.0, dtype, count)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        # float64 is sure enough for narrower formats; where ŷ − y cancels, or 1 − ŷ, it is not
        ("float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1p+0]]", dict.fromkeys(OUTPUTS, FLOAT64)),
        ("bfloat16:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1p+0]]", dict.fromkeys(OUTPUTS, FLOAT64)),
        ("float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1.ep+4]]", {"y_hat": FLOAT64, "loss": FLOAT64}),
        ("float32:X=[[0x1p+0]]:y=[[0x1p+0]]:W=[[0x1.ep+4]]", {"y_hat": FLOAT64, "loss": DOUBLE}),
        ("float32:X=[[0x1p+0]]:y=[[0x1p+0]]:W=[[0x1.ep+4]]", {"grad": DOUBLE, "row_loss": DOUBLE}),
        # float64 is no judge of itself
        ("float64:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1p+0]]", dict.fromkeys(OUTPUTS, DOUBLE)),
        ("float64:X=[[0x1p+0]]:y=[[0x1p+0]]:W=[[0x1.4p+8]]", dict.fromkeys(OUTPUTS, DOUBLE)),
        # beyond the range of double-double only the oracle is left
        ("float64:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1.fp+8]]", dict.fromkeys(OUTPUTS, ORACLE)),
        ("float64:X=[[0x1p+500]]:y=[[0x0p+0]]:W=[[0x0p+0]]", dict.fromkeys(OUTPUTS, ORACLE)),
        ("float64:X=[[0x1p+0]]:y=[[0x1p-500]]:W=[[0x0p+0]]", {"loss": ORACLE, "grad": ORACLE}),
    ],
)
def test_each_rung_is_used_where_the_one_before_is_not_sure(text: str, want: dict[str, set[int]]) -> None:
    values = exact_values(Judge(parse(text).problem()))
    assert {name: precisions(values[name]) for name in want} == want


@pytest.mark.parametrize("regime", [regime for regime in REGIMES if regime != "non_finite"])
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_best_known_value_is_within_its_resolution_of_the_exact_one(dtype: str, regime: str) -> None:
    given = Case(regime, 3, (6, 2, 3, 2), dtype=dtype).problem()
    exact = oracle.evaluate(*given)
    for name, values in exact_values(Judge(given)).items():
        assert precisions(values).isdisjoint(UNKNOWN)
        assert_within_resolution(getattr(exact, name), values, FORMATS[dtype])


def assert_within_resolution(balls: Array, values: ExactValue, format: Format) -> None:
    """Every value, unless it is beyond float64, lies so near to its ball; lo ends at 2^-1074."""
    hi, lo = oracle.to_floats(balls)
    columns = (balls, values.hi, values.lo, ulp(hi, format, lo))
    with precision(EXACT_BITS):
        for ball, high, low, unit in zip(*map(np.ravel, columns), strict=True):
            allowed = arb(RESOLUTION) * arb(unit) + arb(2) ** -1075
            far = abs(arb(high) + arb(low) - ball) > allowed
            assert not far or math.isinf(high), f"{high.hex()} + {low.hex()} is not {ball}"


def assert_errors(dtype: str, got: list[float], want: list[float], kinds: list[Category]) -> None:
    """ŷ = ½, L = ⅛ and ∂L/∂W = ⅛ exactly; these values for the gradient have these errors in ulp."""
    values = exact_values(Judge(problem(1.0, 0.0, 0.0, dtype, len(got))))
    grad = np.array(got).astype(FORMATS[dtype].dtype).reshape(-1, 1, 1)
    error, kind = errors(Outputs(grad=grad), values, FORMATS[dtype])["grad"]
    np.testing.assert_array_equal(error.ravel(), want)
    assert kind.ravel().tolist() == kinds


@pytest.mark.parametrize("dtype", FORMATS)
def test_errors_are_in_ulps_of_the_exact_value(dtype: str) -> None:
    u = FORMATS[dtype].u  # an ulp of ⅛ is u/4
    got = [0.125, 0.125 + u / 4, 0.125 + u, 0.125 - u / 8, 0.0, math.inf, -math.inf, math.nan]
    ordinary, undefined = Category.ORDINARY, Category.UNDEFINED
    kinds = [ordinary] * 4 + [Category.LOST_TO_ZERO, Category.OVERFLOW, Category.OVERFLOW, undefined]
    assert_errors(dtype, got, [0.0, 1.0, 4.0, 0.5, 0.5 / u, math.nan, math.nan, math.nan], kinds)


def test_a_lost_gradient_in_saturation_is_an_error_that_agreement_does_not_show() -> None:
    judge = Judge(problem(1.0, 0.0, 17.0, "float32"))
    zero = np.zeros((1, 1, 1), np.float32)
    error, kind = errors(Outputs(grad=zero), exact_values(judge), judge.format)["grad"]
    (hi,) = oracle.to_floats(oracle.evaluate(*judge.problem).grad)[0].ravel()
    assert kind.item() == Category.LOST_TO_ZERO
    assert error.item() > RESOLUTION / judge.format.u  # the whole value, in ulps of itself
    assert 0 < hi < judge.format.u


def test_only_outputs_that_are_there_have_errors() -> None:
    judge = Judge(problem(1.0, 0.0, 0.0, "float32"))
    found = errors(Outputs(loss=np.full(1, 0.125, np.float32)), exact_values(judge), judge.format)
    assert set(found) == {"loss"}


def known_rows(values: dict[str, ExactValue]) -> list[int]:
    """The problems of a stack in which every output is known; in the others none is, and none has a value."""
    known = [
        values[name].precision.reshape(len(values["loss"].precision), -1) != Precision.UNKNOWN
        for name in OUTPUTS
    ]
    rows = np.all([each.all(-1) for each in known], axis=0)
    np.testing.assert_array_equal(rows, np.any([each.any(-1) for each in known], axis=0))
    for name in OUTPUTS:
        np.testing.assert_array_equal(np.isnan(values[name].hi), values[name].precision == Precision.UNKNOWN)
    return [int(i) for i in np.flatnonzero(rows)]


@pytest.mark.parametrize(("budget", "want"), [(None, 10), (0, 0), (1, 1), (3, 3), (9, 9), (10, 10), (99, 10)])
def test_the_oracle_decides_as_many_problems_as_the_budget_pays_for(budget: int | None, want: int) -> None:
    values = exact_values(Judge(out_of_range(count=10)), budget)
    assert known_rows(values) == list(range(want))


def test_half_of_the_budget_goes_to_the_suspects() -> None:
    priority = np.array([0.0, 0.1, 0.0, math.inf, 0.2, 0.0, math.nan, 0.9, 0.0, 0.3])
    values = exact_values(Judge(out_of_range(count=10)), 4, priority)
    assert known_rows(values) == [0, 1, 3, 7]


def test_no_budget_is_spent_on_what_is_known_already() -> None:
    easy, hard = problem(1.0, 0.0, 1.0, "float64", 5), out_of_range(count=2)
    mixed = Problem(*(np.concatenate(pair) for pair in zip(easy, hard, strict=True)))
    assert known_rows(exact_values(Judge(mixed), 1)) == [0, 1, 2, 3, 4, 5]


def test_an_unknown_value_has_no_error_and_what_is_returned_has_no_category() -> None:
    judge = Judge(out_of_range())
    outputs = Outputs(loss=np.full(1, 0.5))
    error, kind = errors(outputs, exact_values(judge, 0), judge.format)["loss"]
    assert math.isnan(error.item())
    assert kind.item() == Category.UNDEFINED


@pytest.mark.parametrize(
    ("place", "value"),
    [("X", math.nan), ("y", math.nan), ("W", math.nan), ("X", math.inf), ("y", -math.inf)],
)
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_gradient_that_is_not_finite_has_no_best_known_value_and_costs_nothing(
    dtype: str, place: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: Array) -> oracle.Exact:
        raise AssertionError

    monkeypatch.setattr(oracle, "evaluate", asked)
    given = problem(1.0, 0.0, 1.0, dtype)
    getattr(given, place)[...] = value
    judge = Judge(given)
    values = exact_values(judge)["grad"]
    assert (precisions(values), math.isnan(values.hi.item())) == (UNKNOWN, True)


@pytest.mark.parametrize("stack", [(), (2, 2), (1, 4, 1)])
def test_any_form_of_the_stack_has_the_same_best_known_values(stack: tuple[int, ...]) -> None:
    given = out_of_range(count=4)
    formed = Problem(*(a[0] if stack == () else a.reshape((*stack, 1, 1)) for a in given))
    got, want = exact_values(Judge(formed)), exact_values(Judge(given))
    for name in OUTPUTS:
        assert got[name].hi.shape[: len(stack)] == stack
        np.testing.assert_array_equal(got[name].hi.ravel(), want[name].hi.ravel()[: got[name].hi.size])
        assert precisions(got[name]) == ORACLE


def test_what_float64_knows_stays_where_a_pair_is_not_certified_and_what_nothing_knows_is_nan() -> None:
    """z = 512 is known to float64 alone, and a 3 beside ±2^100 to neither."""
    X = np.array([[[512.0, 0.0, 0.0]], [[2.0**100, 3.0, -(2.0**100)]]], np.float32)
    given = Problem(X, np.full((2, 1, 1), 0.25, np.float32), np.ones((2, 3, 1), np.float32))
    y_hat = exact_values(Judge(given), 0)["y_hat"]
    assert y_hat.precision.ravel().tolist() == [Precision.FLOAT64, Precision.UNKNOWN]
    np.testing.assert_array_equal(y_hat.hi.ravel(), [1.0, np.nan])
    assert (y_hat.lo == 0).all()


@pytest.mark.parametrize(("lo", "sure"), [(2.0**-61, True), (0.0, True), (-(2.0**-61), False)])
def test_an_ulp_is_that_of_the_exact_value_just_below_a_power_of_two(lo: float, sure: bool) -> None:
    one, radius = np.array(1.0), np.array(1.5 * 2.0**-60)  # an ulp is 2^-52 from 1 on and 2^-53 below
    assert _sure(one, np.array(lo), radius, FORMATS["float64"]) == sure
