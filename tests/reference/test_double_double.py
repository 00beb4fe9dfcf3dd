"""Pairs of doubles lie within their certified radius of the oracle, and the radius means something."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from lemma_radii import with_radii

from reference import certificate, double_double, oracle
from reference.balls import EXACT_BITS, precision
from reference.double_double import Certified, DoubleDouble
from reference.formats import FORMATS
from reference.types import Bool, Float64, Problem
from reference.ulp import ulp

SHAPES = ((60, 1, 3, 1), (12, 3, 2, 2), (5, 2, 17, 1), (3, 5, 1, 3), (1, 33, 3, 1))
Draw = Callable[[np.random.Generator, tuple[int, int, int, int]], Problem]


def ordinary(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    stack, m, n, p = shape
    X, y, W = (
        random.normal(size=(stack, m, n)),
        random.random((stack, m, p)),
        random.normal(size=(stack, n, p)),
    )
    return Problem(X, y, W)


def any_exponents(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    """Exponents from 2^-399 to 2^399, so matched that z is of every size below 480."""
    X, y, W = ordinary(random, shape)
    scale = random.integers(-390, 391, (*X.shape[:-2], 1, X.shape[-1]))
    sizes = random.integers(-30, 4, W.shape)
    labels = np.ldexp(y, random.integers(-300, 3, y.shape))
    return Problem(
        np.ldexp(X, scale), labels, np.ldexp(W, np.clip(sizes - np.swapaxes(scale, -1, -2), -397, 397))
    )


def saturated(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    """|z| up to 400, labels 0, 1 and others."""
    X, y, W = ordinary(random, shape)
    size = np.abs(X @ W).max(axis=(-2, -1), keepdims=True)
    return Problem(X * (random.uniform(20.0, 400.0, size.shape) / size), np.rint(3.0 * y) / 2.0, W)


def cancelling(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    """The last product takes the sum of the others away, all but rounding errors."""
    X, y, W = ordinary(random, shape)
    X = X[..., :1, :] * np.exp2(random.integers(0, 30, (*X.shape[:-2], 1, X.shape[-1])) - 22.0)
    X = X * np.exp2(random.integers(-4, 5, (*y.shape[:-1], 1)))
    W[..., -1, :] = -(X[..., :1, :-1] @ W[..., :-1, :])[..., 0, :] / X[..., :1, -1]
    return Problem(X, y, W)


def near_the_label(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    X, _, W = ordinary(random, shape)
    y = 1.0 / (1.0 + np.exp(-(X @ W)))
    return Problem(X, y * (1.0 + 2.0**-52 * random.integers(-2, 3, y.shape)), W)


def huge_labels(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    X, y, W = ordinary(random, shape)
    return Problem(X, np.ldexp(y - 0.5, random.integers(0, 399, y.shape)), W)


def zeros(random: np.random.Generator, shape: tuple[int, int, int, int]) -> Problem:
    X, y, W = (A * random.integers(0, 2, A.shape) for A in ordinary(random, shape))
    return Problem(X, 0.5 * np.rint(y + 0.5), W)


DRAWS: list[Draw] = [ordinary, any_exponents, saturated, cancelling, near_the_label, huge_labels, zeros]
in_every_regime = pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw.__name__)


def drawn(draw: Draw) -> list[Problem]:
    random = np.random.default_rng(5)
    return [draw(random, shape) for shape in SHAPES]


def within_radius(got: DoubleDouble, given: Problem) -> dict[str, Bool]:
    """Where a certified pair lies within its radius of the exact value; True where nothing is certified."""
    exact = oracle.evaluate(*given)._asdict()
    found = {}
    for name, output in got._asdict().items():
        with precision(EXACT_BITS):
            elements = zip(exact[name].flat, *(A.ravel().tolist() for A in output), strict=True)
            holds = [r == np.inf or abs(ball - arb(hi) - arb(lo)) <= arb(r) for ball, hi, lo, r in elements]
        found[name] = np.array(holds)
    return found


@in_every_regime
def test_most_outputs_are_certified_and_lie_within_their_radius_of_the_exact_value(draw: Draw) -> None:
    for given in drawn(draw):
        got = double_double.evaluate(*given)
        for name, holds in within_radius(got, given).items():
            assert holds.all(), name
            assert getattr(got, name).certified.mean() > 0.5, name


@in_every_regime
@pytest.mark.parametrize("name", DoubleDouble._fields)
def test_a_pair_that_is_off_by_twice_its_radius_would_be_noticed(draw: Draw, name: str) -> None:
    for given in drawn(draw)[:2]:
        got = double_double.evaluate(*given)
        hi, lo, radius = getattr(got, name)
        off = got._replace(**{name: Certified(hi, lo + 2.0**-90 * np.abs(hi) + 2.0 * radius, radius)})
        assert not within_radius(off, given)[name][np.isfinite(radius).ravel()].any()


@pytest.mark.parametrize("draw", [ordinary, any_exponents, saturated], ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("name", ["y_hat", "loss", "row_loss"])
def test_the_radius_judges_float64_to_a_hundredth_of_an_ulp(draw: Draw, name: str) -> None:
    for given in drawn(draw):
        got: Certified = getattr(double_double.evaluate(*given), name)
        fine = got.radius <= 2.0**-7 * ulp(got.hi, FORMATS["float64"], got.lo)
        assert fine[got.certified].mean() > 0.75, fine[got.certified].mean()


@pytest.mark.parametrize(
    ("X", "y", "W"),
    [
        (2.0**-1074, 0.0, 1.0),
        (2.0**401, 0.0, 2.0**-401),
        (1.0, 2.0**401, 1.0),
        (1.0, 2.0**-401, 1.0),
        (np.nan, 0.0, 1.0),
        (1.0, np.nan, 1.0),
        (1.0, 0.0, np.inf),
        (480.0, 0.0, 1.0),
        (-700.0, 0.0, 1.0),
    ],
)
def test_what_is_out_of_range_is_not_certified_and_spoils_nothing_else(X: float, y: float, W: float) -> None:
    one = np.full((3, 1, 1), 0.5)
    given = Problem(one.copy(), one.copy(), one.copy())
    given.X[1], given.y[1], given.W[1] = X, y, W
    got = double_double.evaluate(*given)
    for output in (got.loss, got.row_loss, got.grad):
        assert output.certified.ravel().tolist() == [True, False, True]
        assert np.isnan(output.hi).ravel().tolist() == [False, True, False]
    assert got.y_hat.certified[::2].all()
    for output, alone in zip(got, double_double.evaluate(*(np.full((1, 1, 1), 0.5),) * 3), strict=True):
        assert output.hi[::2].ravel().tolist() == [alone.hi.item()] * 2


def test_a_signalling_nan_is_not_certified_and_silent() -> None:
    X = np.array([[[0x7F800001]]], np.uint32).view(np.float32)
    assert not double_double.evaluate(X, np.zeros_like(X), np.ones_like(X)).loss.certified.any()


def test_a_row_out_of_range_leaves_the_other_rows_certified() -> None:
    X = np.array([[1.0, 0.0], [1.0, np.inf]])
    got = double_double.evaluate(X, np.zeros((2, 1)), np.ones((2, 1)))
    assert got.y_hat.certified.ravel().tolist() == [True, False]
    assert got.row_loss.certified.tolist() == [True, False]
    assert not got.loss.certified.any()
    assert not got.grad.certified.any()


def test_a_problem_gives_the_same_bits_alone_and_in_a_stack_of_many_blocks() -> None:
    given = ordinary(np.random.default_rng(9), (9000, 1, 3, 1))
    whole = double_double.evaluate(*given)
    for index in (0, 4321, 8999):
        alone = double_double.evaluate(*(A[index] for A in given))
        for got, want in zip(whole, alone, strict=True):
            assert [A[index].tolist() for A in got] == [A.tolist() for A in want]


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("stack", [(), (2,), (2, 3)], ids=str)
def test_every_dtype_and_stack_gives_outputs_of_its_shape(dtype: str, stack: tuple[int, ...]) -> None:
    X, y, W = (np.ones((*stack, *shape), FORMATS[dtype].dtype) for shape in ((2, 4), (2, 3), (4, 3)))
    got = double_double.evaluate(X, y, W)
    shapes = [(*stack, 2, 3), stack, (*stack, 2), (*stack, 4, 3)]
    assert [[A.shape for A in output] for output in got] == [[shape] * 3 for shape in shapes]
    assert all(A.dtype == np.float64 for output in got for A in output)


def test_the_residual_keeps_its_digits_in_saturation() -> None:
    r: Float64 = double_double.evaluate(np.array([[40.0]]), np.array([[1.0]]), np.array([[1.0]])).loss.hi
    want, _ = oracle.to_floats(oracle.evaluate(np.array([[40.0]]), np.array([[1.0]]), np.array([[1.0]])).loss)
    assert r == want


def exactly(array: Float64) -> Fraction:
    return Fraction(array.item())


def test_the_radii_are_those_of_the_document_for_this_arithmetic() -> None:
    """With u = 2^-98 and κ = 16, and rounded up by at most 2^-20, at m = p = 1 and n = 3."""
    u, h = Fraction(2) ** -98, Fraction(2) ** -1060
    random = np.random.default_rng(3)
    for _ in range(40):
        x, s, r, delta = (random.normal(size=(1, 1, 1)) for _ in range(4))
        s = 1 / (2 + np.abs(s))
        T, high = np.abs(random.normal(size=s.shape)), np.array([[[False]]])
        block = certificate.Leading(np.repeat(x, 3, axis=1), T, s, 1 - s, high, r, delta)
        known = {"p": exactly(s), "q": exactly(1 - s), "a": abs(exactly(r)), "b": abs(exactly(x))}
        known |= {"h": h, "half": Fraction(1, 2), "phi": Fraction(0), "wide_u": u, "kappa_u": 16 * u}
        known |= {"nu_dot": 4 * u, "nu_loss": 4 * u, "nu_gradient": 2 * u, "gamma": 4 * u / (1 - 4 * u)}
        known |= {"T": exactly(T), "S": Fraction(0), "size": known["a"], "m": known["p"]}
        known = with_radii(known, "product")
        moved = known["e_z"] * known["p"] * known["q"]
        e_q = moved + 16 * u * known["q"]
        known = with_radii({**known, "s": moved}, "logistic", "residual")
        known |= {"e_q": e_q, "A": known["a"] + known["e_r"]}
        known |= {"p_1": known["p"] + known["e_p"], "q_1": known["q"] + e_q}
        known = with_radii(known, "loss", "delta")
        known = with_radii({**known, "size": abs(exactly(delta)) + known["e_Delta"]}, "gradient")
        found = certificate.radii(block)
        for got, name in ((found.y_hat, "e_p"), (found.loss, "e_L"), (found.grad[:1], "e_G")):
            assert known[name] <= exactly(got) <= known[name] * (1 + Fraction(2) ** -18), name
