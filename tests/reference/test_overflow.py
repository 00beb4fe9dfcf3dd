"""Where infinities and NaN are admitted is where the sizes of ``docs/accuracy.md`` pass Ω, and nowhere else.

Each stack has problems on both sides of such a limit, so close to it that another factor would be seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import pytest
from admissible_sets import CLAIMS, arithmetic
from documented_radii import WIDER, Constants, exactly

from reference import bounds
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS
from reference.types import Array, Problem

# Formats whose error constants are so large that many numbers lie between Ω/(1 + 2ν) and Ω/(1 + 3ν).
DTYPES = ("float16", "bfloat16")
STACK, M, N, P = 200, 3, 4, 2


def draw(random: np.random.Generator, *size: int) -> Array:
    return random.uniform(1, 2, (STACK, *size)) * random.choice([-1, 1], (STACK, *size))


def scaled(of: Array, sizes: Array, dtype: str, random: np.random.Generator) -> Array:
    """The numbers times factors that bring these sizes to 0.9 to 1.02 of Ω, at most Ω themselves."""
    format = FORMATS[dtype]
    factor = random.uniform(0.9, 1.02, STACK) * format.largest / sizes
    return np.clip(of * factor[:, None, None], -format.largest, format.largest).astype(format.dtype)


def near_a_large_product(dtype: str) -> Problem:
    random = np.random.default_rng(1)
    X, W = draw(random, M, N), draw(random, N, P)
    positive = np.maximum(X[..., :, :, None] * W[..., None, :, :], 0).sum(-2).max((-1, -2))
    y = np.zeros((STACK, M, P), FORMATS[dtype].dtype)
    return Problem(scaled(X, positive, dtype, random), y, W.astype(FORMATS[dtype].dtype))


def near_a_large_loss(dtype: str, *, whole: bool) -> Problem:
    random = np.random.default_rng(2)
    y = draw(random, M, P)
    squares = (y**2).sum((-1, -2)) if whole else (y**2).sum(-1).max(-1)
    roots = np.sqrt(squares * FORMATS[dtype].largest)  # ΣA² of the scaled labels is then about Ω
    return with_zero_weights(dtype, draw(random, M, N), scaled(y, roots, dtype, random))


def near_a_large_residual(dtype: str) -> Problem:
    random = np.random.default_rng(3)
    y = draw(random, M, P)
    return with_zero_weights(dtype, draw(random, M, N), scaled(y, 2 * np.abs(y).max((-1, -2)), dtype, random))


def near_a_large_gradient(dtype: str) -> Problem:
    random = np.random.default_rng(4)
    X, y = draw(random, M, N), 8 * draw(random, M, P)
    sizes = np.matmul(np.abs(np.swapaxes(X, -1, -2)), np.abs(0.5 - y) / 4).max((-1, -2))
    return with_zero_weights(dtype, scaled(X, sizes, dtype, random), y)


def with_zero_weights(dtype: str, X: Array, y: Array) -> Problem:
    """A problem in which every ŷ is ½."""
    format = FORMATS[dtype]
    return Problem(X.astype(format.dtype), y.astype(format.dtype), np.zeros((STACK, N, P), format.dtype))


def any_in(mask: Array, axis: int | tuple[int, ...]) -> Array:
    return np.asarray(mask.any(axis, keepdims=True))


def total(terms: Iterable[Fraction]) -> Fraction:
    return sum(terms, Fraction(0))


def passes(sizes: list[list[list[Fraction]]], largest: Fraction) -> Array:
    return np.array([[[each >= largest for each in row] for row in one] for one in sizes])


class Limits:
    """What the page compares with Ω, for a stack of problems and its sets."""

    def __init__(self, dtype: str, claim: str, given: Problem) -> None:
        self.own = Constants(FORMATS[dtype], arithmetic(dtype, **CLAIMS[claim]))
        self.given = Problem(*(a.astype(np.float64) for a in given))
        self.found = bounds.admissible(given, FORMATS[dtype], self.own.claims)

    def limit(self, nu: Fraction) -> Fraction:
        """The size from which a sum with this relative error may pass Ω."""
        return Fraction(self.own.format.largest) / (1 + 2 * nu)

    def near(self, operand: Array) -> Array:
        """Which operands may become infinite when they are rounded."""
        u_in = Fraction(self.own.claims.u_in)
        return passes([exactly(abs(one)) for one in operand], self.limit(u_in)) & (u_in > 0)

    def products(self, sign: int) -> Array:
        """Where the products of this sign may overflow."""
        X, _, W = self.given
        terms = np.maximum(sign * X[..., :, :, None] * W[..., None, :, :], 0)  # exact in float64
        sizes = [
            [[total(map(Fraction, each)) for each in row] for row in one]
            for one in np.moveaxis(terms, -2, -1).tolist()
        ]
        free = any_in(self.near(X), -1) | any_in(self.near(W), -2)
        return passes(sizes, self.limit(self.own.mu(self.own.nu_dot(N)))) | free

    def A(self) -> list[list[list[Fraction]]]:
        """The largest |r| of an implementation."""
        residual = self.found["dL_dyhat"]
        pairs = zip(map(exactly, np.abs(residual.center)), map(exactly, residual.radius), strict=True)
        return [
            [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(*both, strict=True)]
            for both in pairs
        ]

    def doubled(self) -> Array:
        """Where 2r may overflow."""
        return passes([[[2 * a for a in row] for row in one] for one in self.A()], self.limit(self.own.u))

    def losses(self, *, whole: bool) -> Array:
        """Where the loss of a network or of a row may overflow."""
        rows = [[total(a * a for a in row) for row in one] for one in self.A()]
        if whole:
            return passes([[[total(one)]] for one in rows], self.limit(self.own.nu_loss(M * P)))[:, 0, 0]
        return passes([[row] for row in rows], self.limit(self.own.nu_loss(P)))[:, 0]

    def gradient(self) -> Array:
        """Where ∂L/∂W may be infinite."""
        forward, doubled, X = self.own.claims.forward, self.doubled(), self.given.X
        delta = self.found["delta"]
        known = np.where(doubled, 0.0, np.abs(delta.center)), np.where(doubled, 0.0, delta.radius)
        sizes = []
        for x, center, radius in zip(map(exactly, np.abs(X)), *(map(exactly, a) for a in known), strict=True):
            D = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(center, radius, strict=True)]
            sizes.append(
                [
                    [(1 + forward) * total(x[i][j] * D[i][k] for i in range(M)) for k in range(P)]
                    for j in range(N)
                ]
            )
        found = passes(sizes, self.limit(self.own.mu(self.own.nu_gradient(M))))
        if forward:
            return found | any_in(doubled, (-1, -2)) | any_in(self.near(X), (-1, -2))
        return found | any_in(doubled, -2) | np.swapaxes(any_in(self.near(X), -2), -1, -2)


def flag(found: Array, like: AdmissibleSet) -> Array:
    return np.broadcast_to(found, like.center.shape)


def both_ways(wanted: Array) -> None:
    assert wanted.any()
    assert not wanted.all()


claims_and_dtypes = pytest.mark.parametrize(
    ("dtype", "claim"),
    [pytest.param(a, b, marks=[pytest.mark.long] * (b != "default")) for a in DTYPES for b in CLAIMS],
)


@pytest.mark.untraced
@claims_and_dtypes
def test_a_product_may_overflow_where_its_terms_of_one_sign_do(dtype: str, claim: str) -> None:
    limits = Limits(dtype, claim, near_a_large_product(dtype))
    plus, minus = limits.products(1), limits.products(-1)
    both_ways(plus)
    both_ways(minus)
    z = limits.found["z"]
    assert np.array_equal(flag(z.plus, z), plus)
    assert np.array_equal(flag(z.minus, z), minus)
    for name in ("z", "y_hat", "dL_dyhat", "dyhat_dz"):
        assert np.array_equal(flag(limits.found[name].may, z), plus & minus), name


@claims_and_dtypes
def test_y_hat_moves_to_its_other_limit_where_the_product_may_overflow_that_way(
    dtype: str, claim: str
) -> None:
    """|z| is so large that ŷ is 0 or 1: s is 0, or 1 where a partial sum may overflow to the other side."""
    limits = Limits(dtype, claim, near_a_large_product(dtype))
    z, y_hat, own = limits.found["z"], limits.found["y_hat"], limits.own
    sure = np.isfinite(z.radius) & (np.abs(z.center) > z.radius + 800)
    away = np.where(z.center < 0, flag(z.plus, z), flag(z.minus, z))
    both_ways(away[sure])
    for high, other in itertools.product([False, True], repeat=2):
        s = WIDER if other else Fraction(0)
        e_p = s + own.kappa_u * min(Fraction(1), high + s) + own.phi
        here = sure & (away == other) & ((z.center > 0) == high)
        assert (y_hat.center[here] == high).all()
        assert (np.abs(y_hat.radius[here] / float(e_p) - 1) <= 8 * 2.0**-53).all()


@claims_and_dtypes
@pytest.mark.parametrize("whole", [True, False], ids=["loss", "row"])
def test_a_loss_may_overflow_where_the_sum_of_the_squares_does(dtype: str, claim: str, whole: bool) -> None:
    limits = Limits(dtype, claim, near_a_large_loss(dtype, whole=whole))
    wanted, found = limits.losses(whole=whole), limits.found["loss" if whole else "row_loss"]
    both_ways(wanted)
    assert np.array_equal(flag(found.plus, found), wanted)
    assert not (flag(found.minus, found) | flag(found.may, found)).any()


@claims_and_dtypes
def test_delta_is_free_where_twice_the_residual_may_overflow(dtype: str, claim: str) -> None:
    limits = Limits(dtype, claim, near_a_large_residual(dtype))
    wanted = limits.doubled()
    both_ways(wanted)
    residual, delta = limits.found["dL_dyhat"], limits.found["delta"]
    for each in (delta.plus, delta.minus, delta.may, np.isinf(delta.radius), ~delta.judged):
        assert np.array_equal(flag(each, delta), wanted)
    for each in (residual.plus, residual.minus, ~residual.judged):
        assert np.array_equal(flag(each, residual), wanted)
    assert not flag(residual.may, residual).any()


@pytest.mark.untraced
@claims_and_dtypes
@pytest.mark.parametrize("near", [near_a_large_gradient, near_a_large_residual], ids=["sum", "residual"])
def test_the_gradient_may_be_infinite_beside_its_interval_where_a_sum_or_a_factor_overflows(
    dtype: str, claim: str, near: Callable[[str], Problem]
) -> None:
    limits = Limits(dtype, claim, near(dtype))
    wanted, grad = limits.gradient(), limits.found["grad"]
    both_ways(wanted)
    for each in (grad.plus, grad.minus, grad.may):
        assert np.array_equal(flag(each, grad), wanted)
    assert np.isfinite(grad.radius).all()
    assert not flag(grad.must, grad).any()
    low, high = grad.center - grad.radius, grad.center + grad.radius
    for value, admitted in (
        (low, True),
        (high, True),
        (np.nextafter(low, -np.inf), False),
        (np.nextafter(high, np.inf), False),
    ):
        assert (grad.contains(value)[wanted] == admitted).all()
    largest = limits.own.format.largest
    assert np.array_equal(flag(~grad.judged, grad), (low <= -largest) & (high >= largest))
