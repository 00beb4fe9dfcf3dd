"""The filter in front of the full set: it accepts only what that accepts, and most of what is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from admissible_sets import CLAIMS, arithmetic

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from reference import bounds, exact, filter, network, stable, unjudged
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Bool, Outputs, Problem
from reference.units import Units

OUTPUTS = ("y_hat", "loss", "row_loss", "grad")
SHAPES = ((256, 1, 3, 1), (32, 7, 3, 2), (16, 17, 33, 2))


def intervals(given: Problem, claims: Arithmetic | None = None) -> tuple[filter.Centers, filter.Radii]:
    """The filter's centers and radii, by default under the default claims."""
    format, wide = FORMATS[given.X.dtype.name], stable.widen(given)
    reference, units = stable.evaluate(*wide), Units.of(format, claims or default_arithmetic(format))
    rounded = exact.rounded_size(wide, reference.T, units)
    radii = filter.radii(wide, reference, filter.Factors.of(units, wide), rounded)
    return filter.centers(reference), radii


def accepted_but_not_admissible(given: Problem, claims: Arithmetic) -> dict[str, Bool]:
    """Which elements the filter accepts wrongly, for values at its edges, an ulp in and out, and inside."""
    centers, radii = intervals(given, claims)
    full = bounds.admissible(given, FORMATS[given.X.dtype.name], claims)
    wrong = {}
    for name in OUTPUTS:
        center, radius = getattr(centers, name), getattr(radii, name)
        wrong[name] = np.zeros(center.shape, bool)
        with np.errstate(all="ignore"):
            edges = [center, *(e for sign in (-1, 1) for e in around(center + sign * radius))]
        for got in edges:
            wrong[name] |= filter.accepts(name, got, center, radius) & ~full[name].contains(got)
    return wrong


def around(edge: Any) -> list[Any]:
    return [np.nextafter(edge, -np.inf), edge, np.nextafter(edge, np.inf)]


DTYPES = [pytest.param(d, marks=[pytest.mark.long] * (d not in ("float64", "bfloat16"))) for d in FORMATS]


@pytest.mark.untraced
@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_filter_accepts_only_what_the_full_set_accepts(dtype: str, regime: str, claim: str) -> None:
    claims = arithmetic(dtype, **CLAIMS[claim])
    for shape in SHAPES:
        if not REGIMES[regime].unsupported(shape, FORMATS[dtype]):
            given = Case(regime, 5, shape, dtype=dtype).problem()
            for name, wrong in accepted_but_not_admissible(given, claims).items():
                assert not wrong.any(), f"{name} at {shape}: {np.argwhere(wrong)[:3].tolist()}"


def test_a_radius_larger_than_the_full_one_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = filter.radii

    def doubled(*arguments: Any) -> filter.Radii:
        return filter.Radii(*(2 * radius for radius in right(*arguments)))

    monkeypatch.setattr(filter, "radii", doubled)
    given = Case("ordinary", 5, (256, 1, 3, 1), dtype="float64").problem()
    wrong = accepted_but_not_admissible(given, default_arithmetic(FORMATS["float64"]))
    assert all(found.any() for found in wrong.values())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_filter_spares_almost_every_ordinary_problem_the_full_set(dtype: str) -> None:
    given = Case("ordinary", 5, (4096, 1, 3, 1), dtype=dtype).problem()
    centers, radii = intervals(given)
    for name, got in network.evaluate(*given)._asdict().items():
        accepted = filter.accepts(name, got, getattr(centers, name), getattr(radii, name))
        assert accepted.sum() > accepted.size // 2, f"{name}: {accepted.mean()}"


@pytest.mark.parametrize("place", ["X", "y", "W"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_the_filter_leaves_networks_with_non_finite_numbers_to_the_full_set(place: str, value: float) -> None:
    X, y, W = np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), np.zeros((2, 2, 2))
    {"X": X, "y": y, "W": W}[place][0, 1, 1] = value
    centers, radii = intervals(Problem(X, y, W))
    for name, center in centers._asdict().items():
        accepted = filter.accepts(name, center, center, getattr(radii, name))
        assert not accepted[0].any(), name
        assert accepted[1].all(), name


@pytest.mark.parametrize(("name", "got"), [("y_hat", -1e-300), ("y_hat", 1 + 2.0**-52), ("loss", -1e-300)])
def test_the_filter_accepts_no_value_that_the_mathematics_forbids(name: str, got: float) -> None:
    center = np.array(min(max(got, 0.0), 1.0))
    assert filter.accepts(name, center, center, np.array(1.0))
    assert not filter.accepts(name, center, center, np.array(np.inf))
    assert not filter.accepts(name, np.array(got), center, np.array(1.0))


def share_of(name: str, got: Array, center: Array, radius: Array) -> Array:
    """The share of one output that comes alone."""
    inverses = filter.inverses(filter.Radii(*[radius] * 4))
    packed = filter.shares(Outputs(**{name: got}), filter.Centers(*[center] * 4), inverses)
    for other, share in packed.parts._asdict().items():
        assert other == name or not share.any()
    return getattr(packed.parts, name)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_share_that_is_surely_at_most_1_is_that_of_a_value_that_the_filter_accepts(name: str) -> None:
    powers = [0.0, *(2.0**e for e in range(-1074, 1024, 3)), np.inf, np.nan]
    radius = np.array([p * (1 + k * 2.0**-52) for p in powers for k in (0, 1, 12345)])
    with np.errstate(all="ignore"):
        sizes = [radius, *around(radius), radius / 2, radius * (1 - 2.0**-41), radius * (1 - 2.0**-39)]
    accepted = 0
    for got in (sign * size for sign in (1, -1) for size in sizes):
        sure = share_of(name, got, np.zeros_like(radius), radius) <= filter.SURE
        assert not (sure & ~filter.accepts(name, got, np.zeros_like(radius), radius)).any()
        accepted += int(sure.sum())
    assert accepted > len(radius) / 2  # half of the radius is surely inside


@pytest.mark.parametrize("got", [-0.5, 1.5, np.inf, np.nan])
def test_a_share_outside_what_the_mathematics_allows_is_never_at_most_1(got: float) -> None:
    share = share_of("y_hat", np.array([got, 0.5]), np.array([0.5, 0.5]), np.array([1e3, 1e3]))
    assert (share <= filter.SURE).tolist() == [False, True]


def test_the_outputs_and_what_is_around_them_have_one_order() -> None:
    assert filter.Radii._fields == filter.Centers._fields == Outputs._fields


def test_what_is_not_there_has_shares_of_zero() -> None:
    given = Case("mixed", 5, (64, 2, 3, 2), dtype="float64").problem()
    (centers, radii), outputs = intervals(given), network.evaluate(*given)
    for some in (outputs._replace(loss=None), outputs._replace(y_hat=None, row_loss=None), Outputs()):
        shares = filter.shares(some, centers, filter.inverses(radii))
        for name, share in shares.parts._asdict().items():
            assert share.any() == (getattr(some, name) is not None)


def test_shares_of_several_outputs_are_those_of_each_alone() -> None:
    given = Case("mixed", 5, (64, 2, 3, 2), dtype="float32").problem()
    (centers, radii), outputs = intervals(given), network.evaluate(*given)
    inverses = filter.inverses(radii)
    together = filter.shares(outputs, centers, inverses)
    for name, got in outputs._asdict().items():
        alone = filter.shares(Outputs(**{name: got}), centers, inverses)
        share = getattr(together.parts, name)
        assert np.array_equal(getattr(alone.parts, name), share, equal_nan=True)
        assert np.array_equal(getattr(together.largest(), name), share.max(), equal_nan=True)
        for other in set(OUTPUTS) - {name}:
            assert getattr(alone.largest(), other) == 0


@pytest.mark.parametrize("shape", [(1, 62, 1), (1, 63, 1), (62, 1, 1), (63, 1, 1), (9, 1, 7), (1, 1, 63)])
def test_the_filter_and_the_full_set_judge_the_same_outputs(shape: tuple[int, int, int]) -> None:
    m, n, p = shape
    given = Problem(*(np.zeros(s, FORMATS["bfloat16"].dtype) for s in ((m, n), (m, p), (n, p))))
    for claim in CLAIMS.values():
        claims = Arithmetic(**{"kappa": 3.0, **claim})
        full = bounds.admissible(given, FORMATS["bfloat16"], claims)
        judged = unjudged.judged((m, n, p), Units.of(FORMATS["bfloat16"], claims))
        assert judged == {name: full[name].judged.all() for name in OUTPUTS}


def test_nothing_is_accepted_within_a_radius_that_is_not_finite() -> None:
    radii = filter.Radii(*(np.array([radius]) for radius in (np.inf, 2.0, np.nan, 0.5)))
    found = filter.inverses(radii).parts
    np.testing.assert_array_equal(np.ravel(found), [np.nan, 0.5, np.nan, 2.0])
