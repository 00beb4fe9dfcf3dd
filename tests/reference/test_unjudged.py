"""Which networks need the full sets to tell what is judged: those that reach a limit of the accuracy page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from admissible_sets import arithmetic

from reference import stable
from reference.formats import FORMATS
from reference.types import Float64, Problem
from reference.units import Units
from reference.unjudged import Sizes, doubtful, judged

FORMAT = FORMATS["float16"]
STACK, M, N, P = (2, 3), 3, 4, 2
WHERE = (1, 1)  # of the stack: the fifth network
Arrays = dict[str, Float64]


def units(**claims: Any) -> Units:
    return Units.of(FORMAT, arithmetic("float16", **claims))


def zeros(m: int = M, n: int = N, p: int = P) -> Arrays:
    """X, y and W, T, the part of it that may be rounded, and r, all zero."""
    of_z = dict.fromkeys(("T", "rounded", "r"), (m, p))
    shapes = {"X": (m, n), "y": (m, p), "W": (n, p), **of_z}
    return {name: np.zeros((*STACK, *shape)) for name, shape in shapes.items()}


def found(arrays: Arrays, of: Units) -> list[int]:
    """The places of the doubtful networks."""
    given = Problem(arrays["X"], arrays["y"], arrays["W"])
    none = np.zeros_like(arrays["r"])
    reference = stable.Reference(none, arrays["T"], none, none, arrays["r"], none, none, none)
    sizes = Sizes.of(given, reference, arrays["rounded"])
    return doubtful(given, reference, of, arrays["rounded"], sizes).tolist()


def limits() -> list[tuple[str, float, dict[str, Any]]]:
    """The name of an array, the size from which its network is doubtful, and the claims."""
    mu, partner = 0.25 / units().nu_dot(N), 0.25 / (N * FORMAT.least_normal)
    by_one = FORMAT.largest / 64
    return [
        ("rounded", mu, {}),
        ("rounded", 0.25 / units(u_in=2.0**-11).with_inputs(units().nu_dot(N)), {"u_in": 2.0**-11}),
        ("T", by_one, {}),
        ("X", by_one / M / 2, {}),
        ("W", FORMAT.largest, {}),
        ("W", partner, {"flush": True}),
        ("W", partner, {"u_in": 2.0**-11}),
        ("r", by_one / M - 2, {}),
    ]


@pytest.mark.parametrize(("name", "limit", "claims"), limits(), ids=str)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_network_is_doubtful_from_the_limit_of_a_number_on(
    name: str, limit: float, claims: dict[str, Any], sign: int
) -> None:
    for size, doubted in ((limit * (1 - 2.0**-40), []), (limit * (1 + 2.0**-40), [4]), (np.nan, [4])):
        arrays = zeros()
        arrays[name][WHERE][-1, 0] = sign * size
        assert found(arrays, units(**claims)) == doubted, size


@pytest.mark.parametrize(("name", "limit"), [("T", FORMAT.largest / 64), ("W", FORMAT.largest)])
def test_a_network_is_doubtful_at_the_limit_itself(name: str, limit: float) -> None:
    arrays = zeros()
    arrays[name][WHERE][-1, 0] = limit
    assert found(arrays, units()) == [4]


def test_two_factors_of_a_gradient_are_doubtful_where_their_product_is_large() -> None:
    limit = FORMAT.largest / 64 / M
    for x, r in (
        (1.0, limit - 2),
        (2.0, limit / 2 - 2),
        (limit / 16, 14.0),
        (0.5, limit - 2),
    ):
        for change, doubted in ((1 - 2.0**-40, []), (1 + 2.0**-40, [4])):
            arrays = zeros()
            arrays["X"][WHERE][1, 2], arrays["r"][WHERE][2, 1] = x * change, (r + 2) * change - 2
            assert found(arrays, units()) == doubted, (x, r)


def test_numbers_of_several_networks_make_all_of_them_doubtful_once_and_in_order() -> None:
    arrays = zeros()
    arrays["r"][1, 2, 0, 0] = arrays["T"][0, 0, 0, 0] = arrays["T"][1, 2, 2, 1] = FORMAT.largest
    arrays["X"][0, 1, 0, 0] = arrays["W"][0, 1, 0, 0] = np.inf
    assert found(arrays, units()) == [0, 1, 5]


@pytest.mark.parametrize(("m", "p"), [(1, 1023), (1, 1024), (31, 33), (32, 32)])
def test_all_networks_are_doubtful_where_squares_of_residuals_of_8_may_overflow(m: int, p: int) -> None:
    assert found(zeros(m, 1, p), units()) == (list(range(6)) if 64 * m * p > FORMAT.largest else [])


@pytest.mark.parametrize("name", ["h", "phi", "kappa_u"])
def test_all_networks_are_doubtful_where_underflow_or_the_logistic_alone_may_move_by_a_quarter(
    name: str,
) -> None:
    known = units()
    limits = {
        "h": 0.25 / (2 * N * (1 + known.nu_dot(N))),
        "phi": 0.25 - known.kappa_u,
        "kappa_u": 0.25 - known.phi,
    }
    for share, doubted in ((1 - 2.0**-40, []), (1 + 2.0**-40, list(range(6)))):
        changed: dict[str, Any] = {name: limits[name] * share}
        assert found(zeros(), replace(known, **changed)) == doubted


@pytest.mark.parametrize(("share", "narrow"), [(1 - 2.0**-40, True), (1.0, False), (1 + 2.0**-40, False)])
def test_an_output_is_judged_where_each_of_its_sums_has_an_error_below_a_quarter(
    share: float, narrow: bool
) -> None:
    """ν(k) = (k + 1)·u, of n for all outputs, of p + 2 and mp + 2 for losses, and of m for the gradient."""
    for shape, names in {
        (1, 31, 1): {"y_hat", "loss", "row_loss", "grad"},
        (1, 1, 29): {"loss", "row_loss"},
        (29, 1, 1): {"loss"},
        (31, 1, 1): {"grad"},
    }.items():
        known = replace(units(), u=share / 128)
        found = judged(shape, known)
        assert all(found[name] is narrow for name in names), (shape, found)
    assert judged((1, 30, 1), replace(units(), u=1 / 128)) == dict.fromkeys(found, True)
    assert judged((28, 30, 1), replace(units(), u=1 / 128)) == dict.fromkeys(found, True)
