"""The state from which the admissible sets of one stack are made: centers, radii, and masks.

Notation as in ``docs/accuracy.md``, which proves every line: e_t is the radius around the reference's t,
p = σ(z), q = σ(−z), r = p − y, A = |r| + e_r; p₁ and q₁ are the upper ends of p and q; s is how far σ moves
within the radius of z; `reference.units` defines ν, κu, φ, h, u and γ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference import exact, stable
from reference.product import Product, product, spread, with_special
from reference.types import Bool, Float64, Problem
from reference.units import ROOM, UNJUDGED, Units


class Radii(NamedTuple):
    """The radii of p, r, ∂ŷ/∂z and Δ, and A, each ``[*stack, m, p]``."""

    e_p: Float64
    e_r: Float64
    A: Float64
    e_slope: Float64
    e_delta: Float64


class State(NamedTuple):
    """The data from which the admissible sets of one stack are made.

    Attributes:
        original: the problem in float64.
        problem: the same with zeros in place of what is not finite.
        units: the error constants of the implementation.
        product: z = X·W with its radius.
        reference: the float64 values of all quantities, which are the centers of their sets.
        radii: the radii around these values.
        must: where Δ must be NaN.
        doubled: where 2r may overflow.
        free: where every ŷ in [0, 1] is admissible.
        rounded: T = |X|·|W| where the sum X·W may be rounded, else 0.
    """

    original: Problem
    problem: Problem
    units: Units
    product: Product
    reference: stable.Reference
    radii: Radii
    must: Bool
    doubled: Bool
    free: Bool
    rounded: Float64


def state_of(problem: Problem, units: Units, reference: stable.Reference | None) -> State:
    """The state of a stack; NumPy's floating-point warnings are silenced by the caller.

    Args:
        problem: in any of the four formats.
        units: the error constants of the implementation.
        reference: ``stable.evaluate`` of the problem, where the caller has it already.
    """
    original = stable.widen(problem)
    finite = all(np.isfinite(a).all() for a in original)
    X, y, W = (a if finite else np.where(np.isfinite(a), a, 0.0) for a in original)
    reference = reference if reference and finite else stable.evaluate(X, y, W)
    rounded = exact.rounded_size(Problem(X, y, W), reference.T, units)
    z = product(Problem(X, y, W), reference, rounded, units)
    if not finite or units.claims.u_in:
        z = with_special(z, original, units)
    if z.z is not reference.z:
        reference = stable.after_product(X, original.y, z.z, reference.T)
    p, q, r = reference.p, reference.q, reference.r
    s = spread(z, p, q)
    radii = _radii((s, s + units.kappa_u * np.minimum(1, p + s) + units.phi), p, q, r, units)
    doubled = units.overflows(units.u) <= 2 * radii.A
    must, free = z.must | np.isnan(original.y), (radii.e_p >= p) & (radii.e_p >= q)
    return State(original, Problem(X, y, W), units, z, reference, radii, must, doubled, free, rounded)


def three_values(state: State) -> list[State]:
    """The states in which ŷ is 0, ½ or 1 wherever its set is all of [0, 1] but no other value can come.

    There X·W is 0 or at least its grid G in size (`reference.exact`). G is at least the format's precision,
    so that σ(−G) < 2^-G ≤ u. An implementation may form the sum twice, with two results: so r has one of the
    three values, ŷ·(1−ŷ) has any of them, and there are nine states. Without such elements there are none.
    """
    X, _, W = state.problem
    units = state.units
    moved = units.with_inputs(units.nu_dot(X.shape[-1])) * state.rounded
    few = state.free & (moved >= 1)  # what `reference.filter` is not sure of
    if few.any():
        few &= exact.grids(X, W) >= np.log2(units.format.precision)
    if not few.any():
        return []
    limits = (-np.inf, 0.0, np.inf)
    return [_with(state, few, of_r, of_slope) for of_r in limits for of_slope in limits]


def _with(state: State, few: Bool, of_r: float, of_slope: float) -> State:
    """The state in which the elements `few` have r from σ(of_r) and ŷ·(1−ŷ) from σ(of_slope).

    Each of these σ is off by at most u, its own error and φ.
    """
    X, y, units = state.problem.X, state.original.y, state.units
    s = np.full(few.shape, ROOM * units.format.u)
    after = stable.after_product(X, y, np.where(few, of_slope, state.reference.z), state.reference.T)
    r = np.where(few, stable.logistic(np.full(few.shape, of_r))[0] - y, after.r)
    delta = r * after.slope
    grad = stable.contract(np.swapaxes(X, -1, -2), delta)
    own = _radii((s, s + units.kappa_u + units.phi), after.p, after.q, r, units)
    radii = Radii(*(np.where(few, new, old) for new, old in zip(own, state.radii, strict=True)))
    reference = after._replace(r=r, delta=delta, grad=grad)
    return state._replace(reference=reference, radii=radii, free=state.free & ~few)


def _radii(moved_by: tuple[Float64, Float64], p: Float64, q: Float64, r: Float64, units: Units) -> Radii:
    """The radii, from s and e_p, which are given together."""
    s, e_p = moved_by
    u, h = units.u, units.h
    p_1 = np.minimum(1, p + e_p)
    e_q = e_p + units.kappa_u * np.minimum(1, q + s) + units.phi
    if units.claims.expanded:
        e_q = e_q + u * p_1
    q_1 = np.minimum(1, q + e_q)
    e_r = e_p + u * (np.abs(r) + e_p) + 3 * h  # (13)
    A = np.abs(r) + e_r
    moved = e_p * q_1 + p * e_q
    e_slope = moved + units.gamma * p_1 * q_1 + 6 * h  # (16)
    e_delta = e_r * p_1 * q_1 + np.abs(r) * moved + units.gamma * A * p_1 * q_1 + 6 * h * (1 + A)  # (20)
    return Radii(e_p, e_r, A, e_slope, e_delta)


def any_over(mask: Bool, axis: tuple[int, ...]) -> Bool:
    """Where the mask is True for at least one element along the axes."""
    return np.asarray(np.any(mask, axis=axis))


def judged_where(nu: float, everything: Bool, must: Bool) -> Bool:
    """Where a check can fail: ν is below ¼, and the set does not hold everything that the output can be."""
    return np.asarray((nu < UNJUDGED) & (~everything | must))
