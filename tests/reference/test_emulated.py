"""Implementations that are as bad as their claims allow, and no worse, agree.

Each is the network in NumPy's float32 with one liberty taken to its end: subnormals flushed in every operand
and result, ŷ at either end of its κ, Δ from ŷ − ŷ², a loss as a rescaled mean, inputs rounded to 11 digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from reference import bounds, stable
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Problem

FLOAT32 = FORMATS["float32"]
SHAPES = ((128, 1, 3, 1), (32, 5, 4, 2), (8, 17, 2, 1))


@dataclass(frozen=True)
class Emulated:
    """The network in float32 with the liberties of ``claims``; ``end`` is where ŷ lies within its κ."""

    claims: Arithmetic
    end: float = 0.0

    def _flushed(self, a: Array) -> Array:
        small = np.abs(a) < FLOAT32.least_normal
        return np.where(small, np.float32(0), a) if self.claims.flush else a

    def mul(self, a: Array, b: Array) -> Array:
        """a·b, rounded once."""
        return self._flushed(self._flushed(a) * self._flushed(b))

    def add(self, a: Array, b: Array) -> Array:
        """a + b, rounded once."""
        return self._flushed(self._flushed(a) + self._flushed(b))

    def total(self, a: Array) -> Array:
        """Sum over the first axis, one after the other."""
        result = a[0]
        for term in a[1:]:
            result = self.add(result, term)
        return result

    def matmul(self, A: Array, B: Array) -> Array:
        """A·B, one term after the other."""
        A, B = (rounded_to_11_digits(a) if self.claims.u_in else a for a in (A, B))
        terms = self.mul(A[..., None], B[..., None, :, :])
        return self.total(np.moveaxis(terms, -2, 0))

    def logistic(self, z: Array) -> Array:
        """σ(z)(1 + end·κu), rounded towards σ(z), so that it keeps to κ."""
        exact = stable.logistic(self._flushed(z).astype(np.float64))[0]
        aimed = np.minimum(exact * (1 + self.end * self.claims.kappa * FLOAT32.u), 1)
        rounded = aimed.astype(np.float32)
        beyond = np.abs(rounded - exact) > np.abs(aimed - exact)
        inner = np.nextafter(rounded, exact.astype(np.float32))
        return self._flushed(np.where(beyond & (self.end != 0), inner, rounded))

    def outputs(self, given: Problem) -> dict[str, Array]:
        """Every quantity of the network."""
        X, y, W = given
        one, half = np.array(1, np.float32), np.array(0.5, np.float32)
        z = self.matmul(X, W)
        p = self.logistic(z)
        r = self.add(p, -y)
        slope = self.add(p, -self.mul(p, p)) if self.claims.expanded else self.mul(p, self.add(one, -p))
        count = np.array(r.shape[-2] * r.shape[-1], np.float32)
        squares = self.mul(self.mul(half, r), r)
        whole = np.moveaxis(squares.reshape(*squares.shape[:-2], -1), -1, 0)
        loss, scaled = self.total(whole), r
        if self.claims.rescaled_mean:
            loss = self.mul(self.mul(loss, np.asarray(one / count)), count)
            scaled = self.mul(self.mul(r, np.asarray(one / count)), count)
        delta = self.mul(scaled, slope)
        grad = self.matmul(np.swapaxes(X, -1, -2), delta)
        named = {"z": z, "y_hat": p, "dL_dyhat": r, "dyhat_dz": slope, "delta": delta}
        return {**named, "loss": loss, "grad": grad}


def rounded_to_11_digits(a: Array) -> Array:
    """To the 11 digits of TF32, in its exponent range of float32; ties to even."""
    bits = a.view(np.uint32)
    kept = (bits + 0xFFF + ((bits >> 13) & 1)) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(a), kept.astype(np.uint32).view(np.float32), a)


EMULATED = {
    "plain": Emulated(Arithmetic(1.0)),
    "upper-end": Emulated(Arithmetic(7.0), 1.0),
    "lower-end": Emulated(Arithmetic(7.0), -1.0),
    "flush": Emulated(Arithmetic(1.0, flush=True)),
    "expanded": Emulated(Arithmetic(7.0, expanded=True), -1.0),
    "rescaled-mean": Emulated(Arithmetic(1.0, rescaled_mean=True)),
    "tf32": Emulated(Arithmetic(1.0, u_in=2.0**-11)),
    "all": Emulated(Arithmetic(7.0, flush=True, expanded=True, rescaled_mean=True, u_in=2.0**-11), 1.0),
}


def edges() -> Problem:
    """Products, residuals and gradients on both sides of the least normal number, in every combination."""
    least = FLOAT32.least_normal
    small = np.array([0.25, 0.75, 1.0, 1.5, 2**20]) * least
    large = np.array([-1.0, 0.5, 1.0, 2.0**60, 2.0**100])
    label = np.concatenate([[0.0, 0.5, 1.0], small])
    axes = np.meshgrid(np.concatenate([small, large]), label, np.concatenate([small, -large]))
    X, y, W = (a.ravel().astype(np.float32)[:, None, None] for a in axes)
    return Problem(X, y, W)


def assert_admissible(emulated: Emulated, given: Problem) -> None:
    sets = bounds.admissible(given, FLOAT32, emulated.claims)
    with np.errstate(all="ignore"):
        outputs = emulated.outputs(given)
    for name, got in outputs.items():
        inside = sets[name].contains(got.astype(np.float64))
        assert inside.all(), f"{name}: {np.argwhere(~inside)[:3].tolist()}"


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", EMULATED)
def test_an_implementation_that_keeps_its_claims_agrees(name: str, regime: str) -> None:
    for shape in SHAPES:
        assert_admissible(EMULATED[name], Case(regime, 6, shape, dtype="float32").problem())


@pytest.mark.parametrize("name", EMULATED)
def test_an_implementation_that_keeps_its_claims_agrees_at_the_least_normal_number(name: str) -> None:
    assert_admissible(EMULATED[name], edges())


@pytest.mark.parametrize("name", ["upper-end", "lower-end", "flush", "tf32"])
def test_an_implementation_that_claims_less_than_it_takes_is_caught(name: str) -> None:
    caught = []
    for regime in REGIMES:
        given = Case(regime, 6, (128, 1, 3, 1), dtype="float32").problem()
        with np.errstate(all="ignore"):
            outputs = EMULATED[name].outputs(given)
        sets = bounds.admissible(given, FLOAT32, Arithmetic(1.0))
        caught += [q for q, got in outputs.items() if not sets[q].contains(got.astype(np.float64)).all()]
    assert caught
