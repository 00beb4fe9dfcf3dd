"""The ulp is what its definition says, checked against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reference.formats import FORMATS, Format
from reference.types import Float64
from reference.ulp import Category, category, error_in_ulp, nearest, ulp

HALF = FORMATS["float16"]
every_format = pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)


def exponent(value: Fraction) -> int:
    """The e with 2^e ≤ |value| < 2^(e+1)."""
    guess = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return guess if abs(value) >= Fraction(2) ** guess else guess - 1


def defined_ulp(value: Fraction, format: Format) -> Fraction:
    """2^(max(e, e_min) − precision + 1), of the exact value."""
    e = exponent(value) if value else format.e_min
    return Fraction(2) ** (max(e, format.e_min) - format.precision + 1)


def defined_nearest(value: Fraction, format: Format) -> float:
    """Round to nearest, ties to even (Fraction's own rounding), overflow from Ω + ½ulp on."""
    unit = defined_ulp(value, format)
    rounded = round(value / unit) * unit
    if abs(rounded) > Fraction(format.largest):
        return float("inf") if value > 0 else float("-inf")
    return float(rounded)


def sums(format: Format, count: int = 3000) -> tuple[Float64, Float64]:
    """Exact values as hi + lo: random, next to the format's own numbers, and on and next to its ties."""
    random = np.random.default_rng(1)
    low, high = format.e_min - format.precision - 2, min(3 - format.e_min, 1023)
    size = np.ldexp(random.uniform(1.0, 2.0, count), random.integers(low, high, count))
    own = nearest(size, np.zeros(count), format)
    size = np.where(random.random(count) < 0.5, size, np.where(np.isinf(own), size, own))
    half = np.where(random.random(count) < 0.5, 0.5 * ulp(size, format), 0.0)
    hi = (size + half) * random.choice([-1.0, 1.0], count)
    lo = random.choice([0.0, 1.0, -1.0], count) * np.spacing(np.abs(hi)) * 2.0**-9
    return hi, np.where(np.abs(lo) < np.spacing(0.0) * 2.0, 0.0, lo)


def exact(hi: float, lo: float) -> Fraction:
    return Fraction(hi) + Fraction(lo)


@pytest.mark.long
def test_the_ulp_of_every_float16_is_the_distance_to_its_next_neighbour() -> None:
    numbers = np.arange(0x7C00, dtype=np.uint16).view(np.float16)
    neighbours = np.append(numbers[1:].astype(np.float64), 2.0**16)  # as if the exponents went on
    want = [Fraction(b) - Fraction(a) for a, b in zip(numbers.tolist(), neighbours.tolist(), strict=True)]
    assert [Fraction(u) for u in ulp(numbers, HALF).tolist()] == want


@every_format
def test_the_ulp_and_the_nearest_number_follow_their_definitions(format: Format) -> None:
    hi, lo = sums(format)
    values = [exact(a, b) for a, b in zip(hi.tolist(), lo.tolist(), strict=True)]
    assert [Fraction(u) for u in ulp(hi, format, lo).tolist()] == [defined_ulp(v, format) for v in values]
    assert nearest(hi, lo, format).tolist() == [defined_nearest(v, format) for v in values]


@every_format
def test_just_below_a_power_of_two_the_ulp_is_that_of_the_lower_binade(format: Format) -> None:
    above, below = (float(ulp(4.0, format, lo)) for lo in (0.0, -(2.0**-60)))
    assert below == 0.5 * above


def test_the_nearest_float16_of_every_midpoint_is_the_even_neighbour() -> None:
    numbers = np.arange(0x7BFF, dtype=np.uint16).view(np.float16).astype(np.float64)
    following = np.arange(1, 0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    even = np.where(np.arange(numbers.size) % 2 == 0, numbers, following)
    assert nearest(0.5 * (numbers + following), 0.0, HALF).tolist() == even.tolist()


def test_every_float16_is_half_an_ulp_from_the_midpoint_to_its_next_neighbour() -> None:
    numbers = np.arange(0x7C00, dtype=np.uint16).view(np.float16)
    middle = 0.5 * (numbers[:-1].astype(np.float64) + numbers[1:].astype(np.float64))
    assert set(error_in_ulp(numbers[:-1], middle, np.zeros(middle.size), HALF).tolist()) == {0.5}


@every_format
def test_an_error_in_ulp_is_the_exact_distance_within_its_stated_factor(format: Format) -> None:
    hi, lo = sums(format)
    shift = np.random.default_rng(2).integers(-3, 4, hi.size) * ulp(hi, format)
    got = nearest(hi + shift, 0.0, format)
    judged = np.isfinite(got) & ((np.abs(hi) > 2.0**-960) | (lo == 0.0))  # else lo has run out of digits
    errors = error_in_ulp(got, hi, lo, format)
    assert judged.sum() > hi.size // 2
    for value, a, b, error in zip(*(A[judged].tolist() for A in (got, hi, lo, errors)), strict=True):
        want = abs(Fraction(value) - exact(a, b)) / defined_ulp(exact(a, b), format)
        assert abs(Fraction(error) - want) <= want * Fraction(2) ** -50


@every_format
def test_results_come_in_their_own_dtype(format: Format) -> None:
    got = np.ones((2, 3), dtype=format.dtype)
    assert error_in_ulp(got, np.full((2, 3), 1.0 + 2.0**-7), np.zeros((2, 3)), format).tolist() == (
        [[2.0 ** (format.precision - 8)] * 3] * 2
    )


OMEGA, TINY = HALF.largest, HALF.least_subnormal
KINDS = {
    "an ordinary result": (1.0, 1.0, 0.0, Category.ORDINARY, 0.0),
    "a right infinity": (np.inf, OMEGA + 16.0, 0.0, Category.ORDINARY, 0.0),
    "a right infinity beyond float64": (-np.inf, -np.inf, 0.0, Category.ORDINARY, 0.0),
    "an infinity just below the threshold": (np.inf, OMEGA + 16.0, -1e-20, Category.OVERFLOW, None),
    "an infinity of the wrong sign": (-np.inf, 2.0**20, 0.0, Category.OVERFLOW, None),
    "a finite result beyond the threshold": (OMEGA, 2.0**16 + 64.0, 0.0, Category.ORDINARY, 1.5),
    "a finite result where the value is beyond float64": (OMEGA, np.inf, 0.0, Category.ORDINARY, np.inf),
    "zero at half the least subnormal": (0.0, 0.5 * TINY, 0.0, Category.ORDINARY, 0.5),
    "zero just above half the least subnormal": (-0.0, 0.5 * TINY, 1e-40, Category.LOST_TO_ZERO, 0.5),
    "zero instead of one": (0.0, 1.0, 0.0, Category.LOST_TO_ZERO, 1024.0),
    "zero instead of an infinity": (0.0, np.inf, 0.0, Category.LOST_TO_ZERO, np.inf),
    "zero that is right": (-0.0, 0.0, 0.0, Category.ORDINARY, 0.0),
    "a NaN": (np.nan, 1.0, 0.0, Category.UNDEFINED, None),
    "a number instead of NaN": (1.0, np.nan, np.nan, Category.UNDEFINED, None),
    "an infinity instead of NaN": (np.inf, np.nan, np.nan, Category.UNDEFINED, None),
}


@pytest.mark.parametrize(("got", "hi", "lo", "kind", "error"), KINDS.values(), ids=KINDS)
def test_each_kind_of_result_has_its_category_and_error(
    got: float, hi: float, lo: float, kind: Category, error: float | None
) -> None:
    array = np.array([got], dtype=np.float16)
    found = error_in_ulp(array, np.array([hi]), np.array([lo]), HALF).item()
    assert category(array, np.array([hi]), np.array([lo]), HALF).tolist() == [kind]
    assert np.isnan(found) if error is None else found == error
