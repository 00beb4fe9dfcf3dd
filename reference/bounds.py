"""The admissible set of every quantity of the network, from what an implementation claims.

Notation as in ``docs/accuracy.md``, which proves every line: e_t is the radius around the reference's t,
p = σ(z), q = σ(−z), r = p − y, A = |r| + e_r; p₁ and q₁ are upper ends; ν, μ, κu, φ, h, u, γ are
``reference.units``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference import exact, stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.exact import Exact
from reference.formats import Format
from reference.nonfinite import subnormal
from reference.product import LARGEST, Product, product, spread, with_special
from reference.types import Bool, Float64, Problem
from reference.units import ROOM, UNJUDGED, Units

NAMES = ("z", "y_hat", "dL_dyhat", "dyhat_dz", "delta", "row_loss", "loss", "grad")


class Radii(NamedTuple):
    """Radii and upper ends, each ``[*stack, m, p]``."""

    e_p: Float64
    e_r: Float64
    A: Float64
    e_slope: Float64
    e_delta: Float64


class State(NamedTuple):
    """All that the sets of one stack are made from.

    Attributes:
        original: the problem in float64.
        problem: the same with zeros in place of what is not finite.
        units: the small numbers.
        product: z and its radius.
        reference: the centers.
        radii: the radii.
        must: where Δ must be NaN.
        doubled: where 2r may overflow.
        free: where every ŷ in [0, 1] is possible.
        exact: what no order of operations rounds.
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
    exact: Exact


def _radii(s: Float64, p: Float64, q: Float64, r: Float64, units: Units) -> Radii:
    u, h = units.u, units.h
    e_p = s + units.kappa_u * np.minimum(1, p + s) + units.phi
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


def _any(mask: Bool, axis: tuple[int, ...]) -> Bool:
    return np.asarray(np.any(mask, axis=axis))


def _half_squares(state: State, terms: int, axis: tuple[int, ...]) -> tuple[Float64, Float64, Bool]:
    """Center, radius and overflow of Σ ½r² over the axes."""
    units, r, A, e_r = state.units, state.reference.r, state.radii.A, state.radii.e_r
    nu = units.nu_loss(terms)
    rows, whole = stable.half_squares(r)
    center = rows if len(axis) == 1 else whole
    each = np.abs(r) * e_r + (0.5 * e_r) * e_r + (0.5 * nu * A) * A
    radius = np.sum(each, axis=axis) + (4 * terms + 4) * units.h * (1 + nu)
    plus = np.asarray(np.sum(A * A, axis=axis) >= units.overflows(nu))
    infinite = _any(np.isinf(r), axis)
    past = ~np.isfinite(center) & ~infinite
    radius = np.where(past, LARGEST / 2, np.where(infinite, 0.0, radius))
    return np.where(past, LARGEST, center), radius, np.asarray(plus | infinite)


def _loss(state: State, axis: tuple[int, ...]) -> AdmissibleSet:
    """L = Σ ½(y−ŷ)², over one row or over the whole network."""
    shape, n = state.reference.r.shape, state.problem.X.shape[-1]
    terms = int(np.prod([shape[a] for a in axis]))
    center, radius, plus = _half_squares(state, terms, axis)
    must = _any(state.must, axis)
    everything = np.isfinite(center) & (state.free.all(axis) | (plus & (center <= radius)))
    return AdmissibleSet(
        center,
        radius,
        plus,
        np.zeros(center.shape, bool),
        _any(state.product.may, axis),
        must,
        _judged(max(state.units.nu_dot(n), state.units.nu_loss(terms)), everything, must),
        low=0.0,
    )


def _free_gradient(state: State, size: Float64) -> Bool:
    """Where nothing bounds ∂L/∂W: X or r not finite, or 2r or |X|ᵀ|Δ| (forward: 2|X|ᵀ|Δ|) past overflow."""
    X, _, W = state.original
    units, r = state.units, state.reference.r
    near = units.format.largest / (1 + 2 * units.claims.u_in)
    bad_x = ~np.isfinite(X) | ((np.abs(X) >= near) & (units.claims.u_in > 0))
    bad_r = ~np.isfinite(r) | state.doubled
    largest = units.overflows(units.with_inputs(units.nu_gradient(X.shape[-2])))
    if units.claims.forward:  # 0·inf crosses the columns, and 2r multiplies last
        bad = _any(bad_x, (-2, -1)) | _any(bad_r, (-2, -1)) | _any(~np.isfinite(W), (-2, -1))
        return np.asarray((2 * size >= largest) | bad[..., None, None])
    free = np.asarray(size >= largest) | bad_r.any(-2, keepdims=True)
    return free | np.swapaxes(bad_x.any(-2, keepdims=True), -1, -2)


def _nan_in_gradient(state: State) -> Bool:
    """Where a NaN that ŷ may hold reaches ∂L/∂W: its column, in forward mode every column."""
    axes = (-2, -1) if state.units.claims.forward else (-2,)
    return np.asarray(np.any(state.product.may, axis=axes, keepdims=True))


def _inexact_operands(columns: Float64, size: Float64, units: Units) -> Float64:
    """Σ|x|·|Δ| over the terms with a subnormal operand: x that may vanish, and Δ that u_in rounds."""
    found = stable.contract(np.where(subnormal(columns, units), columns, 0.0), size)
    if units.claims.u_in:
        found = found + stable.contract(columns, np.minimum(size, units.format.least_normal))
    return found


def _gradient(state: State) -> AdmissibleSet:
    """∂L/∂W = Xᵀ·Δ (18, 19)."""
    X, units, radii = state.problem.X, state.units, state.radii
    m, n = X.shape[-2:]
    columns, nu = np.abs(np.swapaxes(X, -1, -2)), units.nu_gradient(m)
    bad = ~np.isfinite(state.reference.r) | state.doubled
    e_delta = np.where(bad, 0.0, radii.e_delta)
    size = np.where(bad, 0.0, np.abs(state.reference.delta)) + e_delta
    radius = stable.contract(columns, e_delta + units.with_inputs(nu) * size) + 3 * m * units.h * (1 + nu)
    if state.exact.columns.any():
        rounded = stable.contract(columns, e_delta) + 3 * m * units.h * (1 + nu)
        radius = state.exact.in_columns(rounded, radius)
    if units.flushes:
        radius = radius + (1 + nu) * _inexact_operands(columns, size, units)
    if units.claims.forward:
        radius = radius + 6 * units.h * (1 + nu) * np.sum(1 + radii.A, axis=-2, keepdims=True)
    free = _free_gradient(state, stable.contract(columns, size))
    center = np.where(free, 0.0, state.reference.grad)
    must = np.broadcast_to(state.must.any(-2, keepdims=True), center.shape)
    everything = free | state.free.all(-2, keepdims=True) | (radius - np.abs(center) >= units.format.largest)
    return AdmissibleSet(
        center,
        np.where(free, np.inf, radius),
        free,
        free,
        free | _nan_in_gradient(state),
        must,
        _judged(max(units.nu_dot(n), nu), everything, must),
    )


def _elementwise(state: State) -> dict[str, AdmissibleSet]:
    """z, ŷ, ∂L/∂ŷ, ∂ŷ/∂z and Δ, each ``[*stack, m, p]``."""
    product, reference, radii, must = state.product, state.reference, state.radii, state.must
    none, may, z_must = np.zeros(must.shape, bool), product.may, product.must
    free = ~np.isfinite(reference.r) | state.doubled
    delta = np.where(free, 0.0, reference.delta), np.where(free, np.inf, radii.e_delta)
    nu = state.units.nu_dot(state.problem.X.shape[-1])
    unknown = _judged(nu, state.free, z_must)
    holes = _holes(state)
    y_hat = unknown if not holes else _judged(nu, state.free & ~(holes[0][0] < holes[0][1]), z_must)
    return {
        "z": AdmissibleSet(product.z, product.e_z, product.plus, product.minus, may, z_must, unknown),
        "y_hat": AdmissibleSet(reference.p, radii.e_p, none, none, may, z_must, y_hat, 0.0, 1.0, holes),
        "dL_dyhat": AdmissibleSet(
            reference.r, radii.e_r, free, free, may, must, _judged(nu, state.free | free, must)
        ),
        "dyhat_dz": AdmissibleSet(reference.slope, radii.e_slope, none, none, may, z_must, unknown),
        "delta": AdmissibleSet(*delta, free, free, may | free, must, _judged(nu, state.free | free, must)),
    }


def _judged(nu: float, everything: Bool, must: Bool) -> Bool:
    """Where a check can fail: ν is below ¼, and the set does not hold everything that can come."""
    return np.asarray((nu < UNJUDGED) & (~everything | must))


def _holes(state: State) -> tuple[tuple[Float64, Float64], ...]:
    """On both sides of ½, where ŷ is free and its grid G is at least t: of σ only 0, ½ and 1 are left.

    Between 0 and G there is no sum, and σ(−G) < 2^-G ≤ u.
    """
    X, _, W = state.problem
    format, units = state.units.format, state.units
    moved = units.with_inputs(units.nu_dot(X.shape[-1])) * state.exact.rounded(state.reference.T)
    free = state.free & (moved >= 1)  # more than `reference.filter` is sure of
    if not free.any():
        return ()
    few = free & (exact.grids(X, W) >= np.log2(format.precision))
    if not few.any():
        return ()
    end = ROOM * (format.u * (1 + units.kappa_u) + units.phi)
    middle = ROOM * (0.5 * units.kappa_u + units.phi)
    top = ROOM * (format.u + units.kappa_u + units.phi)
    below = np.where(few, end, np.inf), np.where(few, 0.5 - middle, np.inf)
    above = np.where(few, 0.5 + middle, np.inf), np.where(few, 1 - top, np.inf)
    return below, above


def _state(problem: Problem, units: Units, reference: stable.Reference | None) -> State:
    original = stable.widen(problem)
    finite = all(np.isfinite(a).all() for a in original)
    X, y, W = (a if finite else np.where(np.isfinite(a), a, 0.0) for a in original)
    reference = reference if reference and finite else stable.evaluate(X, y, W)
    without = exact.of(Problem(X, y, W), reference.T, units)
    z = product(Problem(X, y, W), reference, without.rounded(reference.T), units)
    if not finite or units.claims.u_in:
        z = with_special(z, original, units)
    if z.z is not reference.z:
        reference = stable.after_product(X, original.y, z.z, reference.T)
    p, q, r = reference.p, reference.q, reference.r
    radii = _radii(spread(z, p, q), p, q, r, units)
    doubled = units.overflows(units.u) <= 2 * radii.A
    must, free = z.must | np.isnan(original.y), (radii.e_p >= p) & (radii.e_p >= q)
    return State(original, Problem(X, y, W), units, z, reference, radii, must, doubled, free, without)


def admissible(
    problem: Problem, format: Format, claims: Arithmetic, reference: stable.Reference | None = None
) -> dict[str, AdmissibleSet]:
    """The admissible set of every quantity in :data:`NAMES`.

    Args:
        problem: ``X[*stack, m, n]``, ``y[*stack, m, p]``, ``W[*stack, n, p]`` in any of the four formats.
        format: the format in which the implementation computed.
        claims: what it claims about its arithmetic.
        reference: ``stable.evaluate`` of the same problem, where the caller has it already.

    Returns:
        For each name a set with arrays of that quantity's shape: ``[*stack, m, p]``, ``[*stack, m]`` for
        row_loss, ``[*stack]`` for loss, ``[*stack, n, p]`` for grad.
    """
    units = Units.of(format, claims)
    roundings = units.roundings((*problem.X.shape, problem.y.shape[-1]))
    with np.errstate(all="ignore"):
        state = _state(problem, units, reference)
        found = {
            **_elementwise(state),
            "row_loss": _loss(state, (-1,)),
            "loss": _loss(state, (-2, -1)),
            "grad": _gradient(state),
        }
    return {name: one._replace(roundings=roundings.get(name, 0.0)) for name, one in found.items()}
