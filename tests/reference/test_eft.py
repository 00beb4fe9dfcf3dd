"""Error-free transformations are exact, and arithmetic on pairs keeps its stated errors: in fractions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from reference import eft
from reference.eft import Pair
from reference.exponential import exp_minus, logistic
from reference.types import Float64

V = Fraction(2) ** -53
COUNT = 2000


def doubles(seed: int, spread: int = 60) -> Float64:
    random = np.random.default_rng(seed)
    size = np.ldexp(random.uniform(1.0, 2.0, COUNT), random.integers(-spread, spread, COUNT))
    return size * random.choice([-1.0, 1.0], COUNT)


def pairs(seed: int) -> Pair:
    hi = doubles(seed)
    return eft.fast_two_sum(hi, hi * 2.0**-53 * np.random.default_rng(seed).uniform(-1.0, 1.0, COUNT))


def close_pairs(seed: int) -> tuple[Pair, Pair]:
    """Pairs whose sum cancels: the second is near the negative of the first."""
    a = pairs(seed)
    shift = np.ldexp(1.0, np.random.default_rng(seed).integers(-100, -1, COUNT))
    return a, eft.fast_two_sum(-a.hi, -a.lo + a.lo * shift)


def exact(pair: Pair) -> list[Fraction]:
    return [Fraction(hi) + Fraction(lo) for hi, lo in zip(pair.hi.tolist(), pair.lo.tolist(), strict=True)]


def numbers(a: Float64) -> list[Fraction]:
    return [Fraction(value) for value in a.tolist()]


def assert_within(got: Pair, want: list[Fraction], scale: list[Fraction], bound: Fraction) -> None:
    """|got − want| ≤ bound·|scale| for every element, and got is a proper pair."""
    assert np.array_equal(got.hi + got.lo, got.hi)
    for g, w, s in zip(exact(got), want, scale, strict=True):
        assert abs(g - w) <= bound * abs(s)


def test_two_sum_and_two_product_are_exact() -> None:
    a, b = doubles(1), doubles(2)
    assert exact(eft.two_sum(a, b)) == [s + t for s, t in zip(numbers(a), numbers(b), strict=True)]
    assert exact(eft.two_product(a, b)) == [s * t for s, t in zip(numbers(a), numbers(b), strict=True)]


def test_fast_two_sum_is_exact_for_ordered_terms() -> None:
    a, b = doubles(1), doubles(2)
    large, small = np.where(np.abs(a) > np.abs(b), (a, b), (b, a))
    want = [s + t for s, t in zip(numbers(a), numbers(b), strict=True)]
    assert exact(eft.fast_two_sum(large, small)) == want


Operation = Callable[[Pair, Pair], Pair]
PRODUCTS: dict[str, tuple[Operation, Callable[[Fraction, Fraction], Fraction], int]] = {
    "multiply": (eft.multiply, lambda a, b: a * b, 8),
    "square": (lambda a, _: eft.square(a), lambda a, _: a * a, 8),
    "reciprocal": (lambda a, _: eft.reciprocal(a), lambda a, _: 1 / a, 16),
    "add_accurately": (eft.add_accurately, lambda a, b: a + b, 4),
}


@pytest.mark.parametrize(("operation", "meaning", "bound"), PRODUCTS.values(), ids=PRODUCTS)
def test_an_operation_keeps_its_relative_error(
    operation: Operation, meaning: Callable[[Fraction, Fraction], Fraction], bound: int
) -> None:
    for a, b in ((pairs(3), pairs(4)), close_pairs(5)):
        want = [meaning(s, t) for s, t in zip(exact(a), exact(b), strict=True)]
        assert_within(operation(a, b), want, want, bound * V * V)


def test_a_product_with_a_double_keeps_its_relative_error() -> None:
    a, b = doubles(1), pairs(2)
    want = [s * t for s, t in zip(numbers(a), exact(b), strict=True)]
    assert_within(eft.multiply_double(a, b), want, want, 3 * V * V)


def test_a_sum_keeps_its_error_relative_to_its_terms() -> None:
    for a, b in ((pairs(3), pairs(4)), close_pairs(5)):
        sides = list(zip(exact(a), exact(b), strict=True))
        assert_within(
            eft.add(a, b), [s + t for s, t in sides], [abs(s) + abs(t) for s, t in sides], 3 * V * V
        )


@pytest.mark.parametrize("terms", [1, 2, 3, 4, 5, 7, 8, 31, 33])
def test_a_total_keeps_its_error_relative_to_its_terms(terms: int) -> None:
    a = pairs(6)
    columns = COUNT // terms
    shaped = Pair(*(part[: terms * columns].reshape(terms, columns) for part in a))
    values = np.array(exact(a)[: terms * columns], dtype=object).reshape(terms, columns)
    depth = (terms - 1).bit_length() + 1
    assert_within(
        eft.total(shaped, axis=0),
        list(values.sum(axis=0)),
        list(np.abs(values).sum(axis=0)),
        3 * depth * V * V * (1 + V),
    )


def arguments() -> Pair:
    """0 ≤ t < 480 of every size, next to the multiples of (ln 2)/1024 and of (ln 2)/2048, and 0."""
    random = np.random.default_rng(7)
    steps = (
        random.integers(1, 1418000, COUNT)
        * (np.log(2.0) / 2048.0)
        * (1.0 + 2.0**-52 * random.integers(-2, 3, COUNT))
    )
    t = np.concatenate([[0.0], np.abs(doubles(8, 8)), np.exp2(random.uniform(-300.0, 8.9, COUNT)), steps])
    return eft.fast_two_sum(t, t * 2.0**-53 * random.uniform(-1.0, 1.0, t.size))


def relative_errors(got: Pair, want: Callable[[mpmath.mpf], mpmath.mpf], t: Pair) -> float:
    with mpmath.workprec(300):
        sums = [
            [mpmath.mpf(hi) + mpmath.mpf(lo) for hi, lo in zip(*map(np.ndarray.tolist, p), strict=True)]
            for p in (got, t)
        ]
        return float(max(abs(g / want(s) - 1) for g, s in zip(*sums, strict=True)))


@pytest.mark.long
@pytest.mark.untraced
def test_the_exponential_and_both_sides_of_the_logistic_are_accurate_to_97_bits() -> None:
    t = arguments()
    smaller, larger = logistic(t)
    bound = 2.0**-97  # an eighth of κu = 2^-94
    assert relative_errors(exp_minus(t), lambda s: mpmath.exp(-s), t) <= bound
    assert relative_errors(smaller, lambda s: mpmath.exp(-s) / (1 + mpmath.exp(-s)), t) <= bound
    assert relative_errors(larger, lambda s: 1 / (1 + mpmath.exp(-s)), t) <= bound
