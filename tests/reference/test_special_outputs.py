"""What infinities and NaN among the inputs leave of each output's set, by the rules of the accuracy page."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pytest
from admissible_sets import arithmetic

from reference import bounds
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS
from reference.types import Array, Bool, Problem

FORMAT = FORMATS["float16"]
INF, NAN, TINY = math.inf, math.nan, FORMAT.least_subnormal
CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "flush": {"flush": True},
    "tf32": {"u_in": 2.0**-11},
    "forward": {"forward": True},
}
STACK, M, N, P = 400, 2, 3, 2
EVERY_CLAIM = pytest.mark.parametrize("claim", CLAIMS)


def drawn(dtype: type | np.dtype[Any]) -> Problem:
    """Ordinary numbers, and in most networks one or two special ones; some inputs are 0 or subnormal."""
    random = np.random.default_rng(3)

    def numbers(rows: int, columns: int, special: tuple[float, ...]) -> Array:
        shape = (STACK, rows, columns)
        found = random.choice([0.5, -1.0, 1.5, 0.75], shape)
        return np.where(random.random(shape) < 0.12, random.choice(special, shape), found).astype(dtype)

    operand = (INF, -INF, NAN, 0.0, TINY)
    return Problem(numbers(M, N, operand), numbers(M, P, (INF, -INF, NAN)), numbers(N, P, operand))


class Rules:
    """The masks that the page states, ``[stack, m, p]`` or ``[stack, n, p]``."""

    def __init__(self, claim: str) -> None:
        given = drawn(FORMAT.dtype)
        self.X, self.y, self.W = (a.astype(np.float64) for a in given)
        self.forward, self.loses = claim == "forward", claim in ("flush", "tf32")
        self.found = bounds.admissible(given, FORMAT, arithmetic("float16", **CLAIMS[claim]))
        x, w = self.X[:, :, None, :], np.swapaxes(self.W, -1, -2)[:, None]
        with np.errstate(invalid="ignore"):
            terms = x * w  # [stack, m, p, n]
        self.up, self.down = (terms == INF).any(-1), (terms == -INF).any(-1)
        self.no_z = np.isnan(terms).any(-1) | (self.up & self.down)
        tiny_x, tiny_w = (np.abs(a) == TINY for a in (x, w))
        lost = (tiny_x & np.isinf(w)) | (np.isinf(x) & tiny_w)
        # an operand that is infinite, or may become so, leaves every value where inputs are rounded
        self.free = (np.isinf(x).any(-1) | np.isinf(w).any(-1)) & (claim == "tf32")
        self.perhaps = (lost.any(-1) & self.loses) | self.free
        self.no_r = self.no_z | np.isnan(self.y)

    def holds(self, name: str, **masks: Bool | np.bool_) -> None:
        """The flags of a set are these."""
        one: AdmissibleSet = self.found[name]
        for flag, mask in masks.items():
            got = np.broadcast_to(getattr(one, flag), one.center.shape)
            wrong = got != np.broadcast_to(mask, one.center.shape)
            # where nothing but NaN is admitted, the other flags say nothing
            wrong &= ~one.must if flag != "must" else True
            assert not wrong.any(), (name, flag, np.argwhere(wrong)[:3].tolist())

    def admits(self, name: str, value: float, where: Bool, *, wanted: bool) -> None:
        """Whether the sets at these elements hold a value."""
        one = self.found[name]
        got = one.contains(np.full(one.center.shape, value))
        assert (got == wanted)[np.broadcast_to(where, got.shape)].all(), (name, value)


def any_of(mask: Bool, *axes: int) -> Bool:
    return np.asarray(mask.any(axes))


@EVERY_CLAIM
def test_z_and_y_hat_have_the_infinities_and_nan_of_their_products(claim: str) -> None:
    rules = Rules(claim)
    rules.holds(
        "z", plus=rules.up | rules.free, minus=rules.down | rules.free, may=rules.perhaps, must=rules.no_z
    )
    for name in ("y_hat", "dyhat_dz"):
        rules.holds(name, plus=np.False_, minus=np.False_, may=rules.perhaps, must=rules.no_z)
    for end, mask in ((1.0, rules.up), (0.0, rules.down)):
        assert (rules.found["y_hat"].center == end)[mask & ~rules.no_z & ~rules.free].all()


@EVERY_CLAIM
def test_an_infinite_label_frees_the_residual_and_delta_and_a_nan_spoils_them(claim: str) -> None:
    rules = Rules(claim)
    infinite = np.isinf(rules.y)
    rules.holds("dL_dyhat", plus=infinite, minus=infinite, may=rules.perhaps, must=rules.no_r)
    rules.holds("delta", plus=infinite, minus=infinite, may=rules.perhaps | infinite, must=rules.no_r)


@EVERY_CLAIM
@pytest.mark.parametrize(("name", "axes"), [("row_loss", (-1,)), ("loss", (-2, -1))])
def test_a_loss_with_an_infinite_label_is_infinite_and_with_a_nan_nothing_else(
    claim: str, name: str, axes: tuple[int, ...]
) -> None:
    rules = Rules(claim)
    infinite, none = any_of(np.isinf(rules.y), *axes), any_of(rules.no_r, *axes)
    rules.holds(name, plus=infinite, minus=np.False_, may=any_of(rules.perhaps, *axes), must=none)
    only = infinite & ~none
    rules.admits(name, INF, only, wanted=True)
    rules.admits(name, FORMAT.largest, only, wanted=False)
    rules.admits(name, NAN, ~infinite & ~none & ~any_of(rules.perhaps, *axes), wanted=False)


@EVERY_CLAIM
def test_the_gradient_has_no_finite_value_beside_an_infinite_factor_and_any_in_forward_mode(
    claim: str,
) -> None:
    rules = Rules(claim)
    must = rules.no_r.any(-2, keepdims=True)
    column = np.swapaxes(~np.isfinite(rules.X), -1, -2).any(-1, keepdims=True)
    hard = column | np.isinf(rules.y).any(-2, keepdims=True)
    perhaps = rules.perhaps.any(-2, keepdims=True)
    if claim == "forward":
        every = [~np.isfinite(a).all((-2, -1)) for a in (rules.X, rules.y, rules.W)]
        hard = np.logical_or.reduce(every)[:, None, None]
    rules.holds("grad", plus=hard, minus=hard, may=hard | perhaps, must=must)
    grad = rules.found["grad"]
    left = np.broadcast_to(hard, grad.center.shape) & ~np.broadcast_to(must, grad.center.shape)
    assert left.any()
    for value in (0.0, 0.123, -FORMAT.largest):
        rules.admits("grad", value, left, wanted=claim == "forward")
    for value in (INF, -INF, NAN):
        rules.admits("grad", value, left, wanted=True)
    assert np.isfinite(grad.radius[~left & ~np.broadcast_to(must, left.shape)]).all()
