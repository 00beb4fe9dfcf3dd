"""The oracle: certified, as accurate as promised, decided, of mpmath's opinion, and rounded once."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from reference import oracle
from reference.balls import ABSOLUTE_RADIUS, EXACT_BITS, precision
from reference.formats import FORMATS
from reference.types import Array, Problem

TAIL = [2.0**24, 1.0, 1.0, 1.0, -(2.0**24)]
LITERALS = {
    "document": ([[0.5, -1.25, 2.0]], [[1.0]], [[0.1], [0.2], [0.3]]),
    "saturated high": ([[17.0]], [[0.0]], [[1.0]]),
    "saturated high at the label": ([[40.0]], [[1.0]], [[1.0]]),
    "saturated low": ([[-700.0]], [[0.0]], [[1.0]]),
    "cancelling sum": ([TAIL], [[0.25]], [[1.0]] * 5),
    "two rows that cancel": ([[1.0, 2.0], [-1.0, 3.0]], [[0.0], [1.0]], [[0.5], [0.25]]),
    "subnormal": ([[2.0**-149, 3 * 2.0**-149]], [[0.5]], [[1.0], [2.0]]),
    "subnormal times large": ([[2.0**-127]], [[0.0]], [[2.0**127]]),
    "label next to the output": ([[1.0]], [[0.7310585786300049]], [[1.0]]),
    "huge label": ([[1.0]], [[1.5 * 2.0**127]], [[0.0]]),
    "zeros": ([[0.0, -0.0]], [[0.0]], [[-0.0], [0.0]]),
}


def problem(X: object, y: object, W: object, dtype: str = "float64") -> Problem:
    return Problem(*(np.array(A, dtype=FORMATS[dtype].dtype) for A in (X, y, W)))


def drawn(dtype: str, seed: int) -> Problem:
    random = np.random.default_rng(seed)
    m, n, p = random.integers(1, 5, 3)
    spread = [random.normal(size=s) * np.exp2(random.integers(-9, 3, s)) for s in ((m, n), (m, p), (n, p))]
    return problem(spread[0], spread[1], spread[2], dtype)


def second_opinion(X: Array, y: Array, W: Array) -> dict[str, list[mpmath.mpf]]:
    """The document's formulas as printed, in mpmath, at a precision at which no cancellation matters."""
    rows, labels, weights = (A.astype(np.float64).tolist() for A in (X, y, W))
    cells = [(i, k) for i in range(len(rows)) for k in range(len(weights[0]))]
    z = {(i, k): mpmath.fdot(rows[i], [w[k] for w in weights]) for i, k in cells}
    y_hat = {c: 1 / (1 + mpmath.exp(-z[c])) for c in cells}
    r = {(i, k): y_hat[i, k] - labels[i][k] for i, k in cells}
    delta = {c: r[c] * y_hat[c] * (1 - y_hat[c]) for c in cells}
    row_loss = [mpmath.fsum(r[c] ** 2 for c in cells if c[0] == i) / 2 for i in range(len(rows))]
    return {
        "z": [z[c] for c in cells],
        "y_hat": [y_hat[c] for c in cells],
        "dL_dyhat": [r[c] for c in cells],
        "dyhat_dz": [y_hat[c] * (1 - y_hat[c]) for c in cells],
        "delta": [delta[c] for c in cells],
        "loss": [mpmath.fsum(row_loss)],
        "row_loss": row_loss,
        "grad": [
            mpmath.fsum(rows[i][j] * delta[i, k] for i in range(len(rows)))
            for j in range(len(weights))
            for k in range(len(weights[0]))
        ],
    }


def assert_mpmath_agrees(given: Problem) -> None:
    """Each ball is accurate to 128 bits and overlaps mpmath's value, known to 2^-3000 of itself."""
    exact = oracle.evaluate(*given)._asdict()
    with mpmath.workprec(5000), precision(EXACT_BITS):
        for name, values in second_opinion(*given).items():
            for ball, value in zip(exact[name].flat, values, strict=True):
                want = arb(value)
                blurred = arb(want.mid(), abs(want).mid() * arb(2) ** -3000)
                assert ball.rel_accuracy_bits() >= 128 or ball.rad() < ABSOLUTE_RADIUS, (name, ball)
                assert ball.overlaps(blurred), (name, ball, value)


@pytest.mark.parametrize("given", LITERALS.values(), ids=LITERALS)
def test_mpmath_agrees_on_the_hard_problems(given: tuple[object, object, object]) -> None:
    assert_mpmath_agrees(problem(*given))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dtype", FORMATS)
def test_mpmath_agrees_on_drawn_problems_of_every_dtype(dtype: str, seed: int) -> None:
    assert_mpmath_agrees(drawn(dtype, seed))


def test_a_ball_off_by_its_last_bits_is_contradicted_by_mpmath(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = oracle.evaluate

    def wrong(X: Array, y: Array, W: Array) -> oracle.Exact:
        exact = truth(X, y, W)
        return exact._replace(grad=exact.grad * (arb(1) + arb(2) ** -120))

    monkeypatch.setattr(oracle, "evaluate", wrong)
    with precision(256), pytest.raises(AssertionError, match="grad"):
        assert_mpmath_agrees(problem(*LITERALS["document"]))


def test_a_stack_gives_what_its_problems_give_alone() -> None:
    random = np.random.default_rng(3)
    X, y, W = (random.normal(size=(2, 3, *shape)) for shape in ((2, 4), (2, 3), (4, 3)))
    whole = oracle.evaluate(X, y, W)
    assert [A.shape for A in whole] == [(2, 3, 2, 3)] * 5 + [(2, 3), (2, 3, 2), (2, 3, 4, 3)]
    for index in np.ndindex(2, 3):
        for got, want in zip(whole, oracle.evaluate(X[index], y[index], W[index]), strict=True):
            assert [b.str() for b in np.ravel(got[index])] == [b.str() for b in want.flat]


def test_the_precision_rises_beyond_two_thousand_bits_where_the_problem_needs_it() -> None:
    given = problem([[1e300, 1e-300, -1e300]], [[0.5]], [[1e-300]] * 3)  # r ≈ z/4 ≈ 2.5e-601
    exact = oracle.evaluate(*given)
    r = exact.dL_dyhat.item()
    assert exact.z.item().is_exact()
    assert r.rel_accuracy_bits() >= 128
    assert exact.y_hat.item().rel_accuracy_bits() >= 2048
    with precision(EXACT_BITS):
        assert abs(r / exact.z.item() - arb(1) / 4) < arb(2) ** -127


@pytest.mark.parametrize("bits", [53, 128, 1000, 3000])
def test_every_ball_has_the_accuracy_that_was_asked_for(bits: int) -> None:
    exact = oracle.evaluate(*problem(*LITERALS["document"]), bits=bits)
    assert min(ball.rel_accuracy_bits() for balls in exact for ball in balls.flat) >= bits


@pytest.mark.parametrize("weight", [1e4, 1e308])
@pytest.mark.parametrize("z", [-1e4, -1e308])
def test_a_tiny_sigmoid_is_a_certified_tiny_ball(z: float, weight: float) -> None:
    ball = oracle.evaluate(*problem([[z]], [[0.0]], [[weight]])).y_hat.item()
    assert ball.upper() < ABSOLUTE_RADIUS
    assert oracle.to_floats(np.array([ball]))[0].tolist() == [0.0]


def test_a_sum_that_cancels_to_exactly_zero_is_decided_by_its_absolute_radius() -> None:
    grad = oracle.evaluate(*problem([[1.0, 1.0], [1.0, -1.0]], [[0.25], [0.75]], [[0.0], [1.0]])).grad
    assert grad[0, 0].contains(0)
    assert grad[0, 0].rad() < ABSOLUTE_RADIUS
    assert grad[1, 0].rel_accuracy_bits() >= 128


def test_a_residual_of_exactly_zero_is_exact() -> None:
    exact = oracle.evaluate(*problem([[0.0]], [[0.5]], [[3.0]]))
    assert [A.item().is_zero() for A in (exact.dL_dyhat, exact.loss, exact.grad)] == [True] * 3


def test_a_network_has_the_same_values_beside_one_that_is_not_finite() -> None:
    alone, broken = problem(*LITERALS["document"]), problem([[np.nan] * 3], [[0.0]], [[1.0]] * 3)
    X, y, W = (np.stack(pair) for pair in zip(broken, alone, strict=True))
    for got, want in zip(oracle.evaluate(X, y, W), oracle.evaluate(*alone), strict=True):
        assert [str(ball) for ball in got[1:].flat] == [str(ball) for ball in np.ravel(want)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_depends_on_a_non_finite_input_is_nan_and_nothing_else(value: float) -> None:
    X, y, W = np.ones((2, 2, 2)), np.zeros((2, 2, 2)), np.ones((2, 2, 2))
    y[1, 0, 1] = value
    nans = {
        name: np.array([ball.is_nan() for ball in balls.flat]).reshape(balls.shape)
        for name, balls in oracle.evaluate(X, y, W)._asdict().items()
    }
    assert not any(found[0].any() for found in nans.values())
    assert nans["y_hat"][1].tolist() == [[False, False], [False, False]]
    assert nans["delta"][1].tolist() == [[False, True], [False, False]]
    assert nans["row_loss"][1].tolist() == [True, False]
    assert nans["grad"][1].tolist() == [[False, True], [False, True]]
    assert nans["loss"].tolist() == [False, True]


def test_flints_precision_is_restored_even_after_an_error() -> None:
    before = ctx.prec
    oracle.evaluate(*problem(*LITERALS["document"]))
    assert ctx.prec == before
    with pytest.raises(KeyError), precision(before + 1):
        raise KeyError
    assert ctx.prec == before


def test_an_interval_that_ends_at_the_exact_value_holds_it() -> None:
    half = np.array([[0.5]])
    assert oracle.inside(*problem([[0.0]], [[0.0]], [[1.0]]), {"y_hat": (half, half)})["y_hat"].all()


def test_a_value_that_first_overlaps_an_end_is_decided_at_a_higher_precision() -> None:
    given = problem([[[1e-300]], [[-1e-300]]], [[[0.0]]] * 2, [[[1.0]]] * 2)  # ŷ ≈ ½ ± 2.5e-301
    zero, half = np.zeros((2, 1, 1)), np.full((2, 1, 1), 0.5)
    y_hat = oracle.evaluate(*given).y_hat
    assert not (oracle.contained(y_hat, zero, half) | oracle.excluded(y_hat, zero, half)).any()
    assert oracle.inside(*given, {"y_hat": (zero, half)})["y_hat"].ravel().tolist() == [False, True]


def test_tiny_and_cancelled_values_count_as_inside_of_an_interval_that_ends_at_zero() -> None:
    given = problem([[[1.0, 1.0], [1.0, -1.0]]], [[[0.25], [0.75]]], [[[0.0], [1.0]]])
    zero = np.zeros((1, 2, 1))
    assert oracle.inside(*given, {"grad": (zero, zero)})["grad"].ravel().tolist() == [True, False]
    low = problem([[-1e308]], [[0.0]], [[1.0]])
    assert oracle.inside(*low, {"y_hat": (np.zeros((1, 1)), np.ones((1, 1)))})["y_hat"].all()


def test_a_nan_ball_is_never_contained() -> None:
    balls = oracle.evaluate(*problem([[np.nan]], [[0.0]], [[1.0]])).y_hat
    ends = np.array([[-np.inf]]), np.array([[np.inf]])
    assert not oracle.contained(balls, *ends).any()
    assert oracle.excluded(balls, *ends).all()


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
def test_the_conversion_rounds_once_everywhere(sign: int, powers: list[int], hi: float, lo: float) -> None:
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
