"""Every radius is the one that ``docs/accuracy.md`` derives: a larger one would hide faults."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from admissible_sets import CLAIMS, arithmetic
from documented_radii import OF_FLOAT64, Constants, Matrix, Radii, exactly

from reference import bounds, exact, filter, stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.types import Float64, Problem
from reference.units import Units

ALL = {
    **CLAIMS,
    "forward-wide-sum": {"forward": True, "u_sum": 2.0**-24},
    "forward-narrow-sum": {"forward": True, "u_acc": 2.0**-24},
}
SHAPES = ((1, 1, 1), (2, 3, 2), (3, 2, 1))
Z = 16  # no |z| of these problems is larger


def claimed(dtype: str, claim: str) -> Arithmetic:
    return arithmetic(dtype, **ALL[claim])


def drawn(dtype: str, shape: tuple[int, int, int], seed: int) -> Problem:
    """A problem with ordinary and small numbers, among them subnormal ones of float16."""
    random, (m, n, p) = np.random.default_rng(seed), shape

    def numbers(*size: int) -> np.ndarray:
        scale = random.choice([1.0, 1.0, 2.0**-9, 2.0**-19], size=size)
        return (random.uniform(0.5, 2, size) * random.choice([-1, 1], size) * scale).astype(
            FORMATS[dtype].dtype
        )

    return Problem(numbers(m, n), numbers(m, p), numbers(n, p))


def radii(given: Problem, constants: Constants) -> Radii:
    known = stable.evaluate(*stable.widen(given))
    return Radii(stable.widen(given), (known.z, known.p, known.q, known.r, known.delta), constants)


def rounding(terms: int, dtype: str, claim: str) -> Fraction:
    """The relative error of the code's radii: (k + 40)·2^-53, and (|z| + 12)·2^-53 of s.

    The page derives both in "Rounding of the bounds themselves". ν of a wide accumulator is above 2u, and is
    computed as a number near 1 less 1, in eight operations.
    """
    of_wide = 8 / (2 * Fraction(FORMATS[dtype].u)) if is_wide(dtype, claim) else 0
    return (terms + 40 + Z + 12 + of_wide) * OF_FLOAT64


def is_wide(dtype: str, claim: str) -> bool:
    """Whether an accumulator that is claimed has more digits than the format."""
    return any(ALL[claim].get(name, 1.0) < FORMATS[dtype].u for name in ("u_acc", "u_sum"))


def same(found: Float64, wanted: Matrix, limit: Fraction, place: object) -> None:
    """Hold radii against exact ones, to within this relative error."""
    for got_row, want_row in zip(exactly(np.atleast_2d(found)), wanted, strict=True):
        for got, want in zip(got_row, want_row, strict=True):
            assert abs(got - want) <= limit * want, (place, float(got), float(want))


@pytest.mark.untraced
@pytest.mark.parametrize("claim", ALL)
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_radius_is_that_of_the_page(dtype: str, claim: str) -> None:
    claims = claimed(dtype, claim)
    for seed, shape in enumerate(SHAPES * 2):
        given = drawn(dtype, shape, seed)
        limit = rounding(given.X.size, dtype, claim)
        found = bounds.admissible(given, FORMATS[dtype], claims)
        for name, want in radii(given, Constants(FORMATS[dtype], claims)).found().items():
            same(found[name].radius, want, limit, (name, shape))


@pytest.mark.parametrize("claim", ALL)
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_radius_of_the_filter_is_that_of_the_page(dtype: str, claim: str) -> None:
    """A smaller one would leave to the full sets what the filter can decide."""
    format, claims = FORMATS[dtype], claimed(dtype, claim)
    units = Units.of(format, claims)
    for seed, shape in enumerate(SHAPES * 2):
        given = stable.widen(drawn(dtype, shape, seed))
        known = stable.evaluate(*given)
        rounded = exact.rounded_size(given, known.T, units)
        found = filter.radii(given, known, filter.Factors.of(units, given), rounded)._asdict()
        limit = rounding(given.X.size, dtype, claim)
        for name, want in radii(given, Constants(format, claims)).of_filter().items():
            same(found[name], want, limit, (name, shape))


def constants_of(units: Units) -> list[float]:
    nus = [units.nu_dot(5), units.nu_loss(5), units.nu_gradient(5)]
    return [units.u, units.kappa_u, units.phi, units.h, units.gamma, *nus, *map(units.with_inputs, nus)]


@pytest.mark.parametrize("claim", ALL)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_error_constants_are_those_of_the_page(dtype: str, claim: str) -> None:
    """Within the rounding of at most twenty operations; those of a wide accumulator are computed beside 1."""
    claims = claimed(dtype, claim)
    known = Constants(FORMATS[dtype], claims)
    nus = [known.nu_dot(5), known.nu_loss(5), known.nu_gradient(5)]
    want = [known.u, known.kappa_u, known.phi, known.h, known.gamma, *nus, *map(known.mu, nus)]
    beside = 1 if is_wide(dtype, claim) else 0
    for one, other in zip(constants_of(Units.of(FORMATS[dtype], claims)), want, strict=True):
        assert abs(Fraction(one) - other) <= 20 * OF_FLOAT64 * (beside + other), (one, float(other))


def plain(one: AdmissibleSet) -> bool:
    """Whether a set is judged, and is an interval without infinities, NaN and holes."""
    flags = (one.plus, one.minus, one.may, one.must, ~one.judged)
    return not one.holes and not any(np.broadcast_to(flag, one.center.shape).any() for flag in flags)


@pytest.mark.parametrize("claim", ALL)
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_set_far_from_overflow_is_a_judged_interval_around_the_reference(dtype: str, claim: str) -> None:
    given = drawn(dtype, (2, 3, 2), 0)
    known = stable.evaluate(*stable.widen(given))
    rows, whole = stable.half_squares(known.r)
    centers = {
        "z": known.z,
        "y_hat": known.p,
        "dL_dyhat": known.r,
        "dyhat_dz": known.slope,
        "delta": known.delta,
        "row_loss": rows,
        "loss": whole,
        "grad": known.grad,
    }
    limits = {"y_hat": (0.0, 1.0), "row_loss": (0.0, np.inf), "loss": (0.0, np.inf)}
    found = bounds.admissible(given, FORMATS[dtype], claimed(dtype, claim))
    assert tuple(found) == bounds.NAMES
    for name, one in found.items():
        assert plain(one), name
        assert np.array_equal(one.center, centers[name]), name
        assert (one.low, one.high) == limits.get(name, (-np.inf, np.inf)), name


def test_a_reference_that_the_caller_has_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given, claims = drawn("float32", (2, 3, 2), 0), claimed("float32", "default")
    known, wanted = (
        stable.evaluate(*stable.widen(given)),
        bounds.admissible(given, FORMATS["float32"], claims),
    )

    def asked(*_: object) -> stable.Reference:
        raise AssertionError

    monkeypatch.setattr(stable, "evaluate", asked)
    found = bounds.admissible(given, FORMATS["float32"], claims, known)
    for name, one in wanted.items():
        assert np.array_equal(found[name].center, one.center), name
        assert np.array_equal(found[name].radius, one.radius), name
