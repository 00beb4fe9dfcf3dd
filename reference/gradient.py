"""The admissible set of ∂L/∂W, a dot product of X and Δ, with the effects of overflow.

Notation as in `reference.state`. ``docs/accuracy.md`` has the proofs, in "The gradient" and "Overflow,
infinities and NaN". Ω is the largest finite number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference import stable
from reference.admissible import AdmissibleSet
from reference.nonfinite import subnormal
from reference.state import State, any_over, judged_where
from reference.types import Bool, Float64
from reference.units import Units


class Overflows(NamedTuple):
    """Where ∂L/∂W may be infinite or NaN, ``[*stack, n, p]`` each.

    Attributes:
        may: it may be so, since a factor or a partial sum may pass Ω; a finite value is admissible as well.
        must: it must be so, since a term is infinite or NaN in every order.
        free: any value is admissible.
    """

    may: Bool
    must: Bool
    free: Bool


def _overflows(state: State, size: Float64) -> Overflows:
    """Find where X or r is not finite, or where 2r or |X|ᵀ|Δ| (in forward mode 2|X|ᵀ|Δ|) may pass Ω.

    ``size`` is |X|ᵀ|Δ|.
    """
    X, _, W = state.original
    units, r = state.units, state.reference.r
    x, label = np.swapaxes(~np.isfinite(X), -1, -2).any(-1, keepdims=True), np.isinf(r)
    near = np.abs(X) * (1 + 2 * units.claims.u_in) >= units.format.largest
    largest = units.overflows(units.with_inputs(units.nu_gradient(X.shape[-2])))
    none = np.zeros(size.shape, bool)
    if units.claims.forward:  # 0·inf crosses the columns, and 2r multiplies last
        bad = (
            any_over(~np.isfinite(X), (-2, -1))
            | any_over(~np.isfinite(r), (-2, -1))
            | any_over(~np.isfinite(W), (-2, -1))
        )
        crossing = any_over(near, (-2, -1)) | any_over(state.doubled, (-2, -1))
        return Overflows((2 * size >= largest) | crossing[..., None, None], none, none | bad[..., None, None])
    may = (size >= largest) | state.doubled.any(-2, keepdims=True)
    if units.claims.u_in:
        may = may | np.swapaxes(near, -1, -2).any(-1, keepdims=True)
    return Overflows(may, none | x | label.any(-2, keepdims=True), none)


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


def gradient(state: State) -> AdmissibleSet:
    """The set of ∂L/∂W = Xᵀ·Δ (18, 19), ``[*stack, n, p]``."""
    X, units, radii = state.problem.X, state.units, state.radii
    m, n = X.shape[-2:]
    columns, nu = np.abs(np.swapaxes(X, -1, -2)), units.nu_gradient(m)
    bad = ~np.isfinite(state.reference.r)
    e_delta = np.where(bad, 0.0, radii.e_delta)
    size = np.where(bad, 0.0, np.abs(state.reference.delta)) + e_delta
    radius = stable.contract(columns, e_delta + units.with_inputs(nu) * size) + 3 * m * units.h * (1 + nu)
    if units.flushes:
        radius = radius + (1 + nu) * _inexact_operands(columns, size, units)
    if units.claims.forward:
        radius = radius + 6 * units.h * (1 + nu) * np.sum(1 + radii.A, axis=-2, keepdims=True)
    over = _overflows(state, stable.contract(columns, size))
    return _with_overflows(state, over, radius, max(units.nu_dot(n), nu))


def _with_overflows(state: State, over: Overflows, radius: Float64, nu: float) -> AdmissibleSet:
    """The set of ∂L/∂W: an interval, and the infinities and NaN beside it or instead of it."""
    finite = np.isfinite(state.reference.grad) & np.isfinite(radius)
    free = over.free | (over.may & ~over.must & ~finite)
    center = np.where(free | over.must, 0.0, state.reference.grad)
    radius = np.where(free | over.must, np.inf, radius)
    beside = over.may & ~over.must & ~free
    lo, hi = center - radius, center + radius
    below = np.where(beside | over.must, -np.inf, np.inf), np.where(beside, lo, np.inf)
    above = np.where(beside, hi, np.inf), np.full(center.shape, np.inf)
    open_ended = free | beside | over.must
    must = np.broadcast_to(state.must.any(-2, keepdims=True), center.shape)
    largest = state.units.format.largest
    everything = free | (
        (state.free.all(-2, keepdims=True) | ((lo <= -largest) & (hi >= largest))) & ~over.must
    )
    return AdmissibleSet(
        center,
        radius,
        open_ended,
        open_ended,
        open_ended | _nan_in_gradient(state),
        must,
        judged_where(nu, everything, must),
        holes=(below, above) if open_ended.any() else (),
    )
