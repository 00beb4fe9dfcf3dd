"""The admissible set of every quantity of the network, from what an implementation claims.

Notation as in ``docs/accuracy.md``, which proves every line: e_t is the radius around the reference's t,
p = σ(z), q = σ(−z), r = p − y, A = |r| + e_r; p₁ and q₁ are the upper ends of p and q; `reference.units`
defines ν, μ, κu, φ, h, u and γ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reference import stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import Format
from reference.gradient import gradient
from reference.product import LARGEST
from reference.state import State, any_over, judged_where, state_of, three_values
from reference.types import Bool, Float64, Problem
from reference.units import Units

NAMES = ("z", "y_hat", "dL_dyhat", "dyhat_dz", "delta", "row_loss", "loss", "grad")


def _half_squares(state: State, terms: int, axis: tuple[int, ...]) -> tuple[Float64, Float64, Bool]:
    """Center, radius and overflow of Σ ½r² over the axes."""
    units, r, A, e_r = state.units, state.reference.r, state.radii.A, state.radii.e_r
    nu = units.nu_loss(terms)
    rows, whole = stable.half_squares(r)
    center = rows if len(axis) == 1 else whole
    each = np.abs(r) * e_r + (0.5 * e_r) * e_r + (0.5 * nu * A) * A
    radius = np.sum(each, axis=axis) + (4 * terms + 4) * units.h * (1 + nu)
    plus = np.asarray(np.sum(A * A, axis=axis) >= units.overflows(nu))
    infinite = any_over(np.isinf(r), axis)
    past = ~np.isfinite(center) & ~infinite
    radius = np.where(past, LARGEST / 2, np.where(infinite, 0.0, radius))
    return np.where(past, LARGEST, center), radius, np.asarray(plus | infinite)


def _loss(state: State, axis: tuple[int, ...]) -> AdmissibleSet:
    """L = Σ ½(y−ŷ)², over one row or over the whole network."""
    shape, n = state.reference.r.shape, state.problem.X.shape[-1]
    terms = int(np.prod([shape[a] for a in axis]))
    center, radius, plus = _half_squares(state, terms, axis)
    must = any_over(state.must, axis)
    everything = np.isfinite(center) & (state.free.all(axis) | (plus & (center <= radius)))
    return AdmissibleSet(
        center,
        radius,
        plus,
        np.zeros(center.shape, bool),
        any_over(state.product.may, axis),
        must,
        judged_where(max(state.units.nu_dot(n), state.units.nu_loss(terms)), everything, must),
        low=0.0,
    )


def _elementwise(state: State) -> dict[str, AdmissibleSet]:
    """z, ŷ, ∂L/∂ŷ, ∂ŷ/∂z and Δ, each ``[*stack, m, p]``."""
    product, reference, radii, must = state.product, state.reference, state.radii, state.must
    none, may, z_must = np.zeros(must.shape, bool), product.may, product.must
    free = ~np.isfinite(reference.r) | state.doubled
    delta = np.where(free, 0.0, reference.delta), np.where(free, np.inf, radii.e_delta)
    nu = state.units.nu_dot(state.problem.X.shape[-1])
    unknown = judged_where(nu, state.free, z_must)
    return {
        "z": AdmissibleSet(product.z, product.e_z, product.plus, product.minus, may, z_must, unknown),
        "y_hat": AdmissibleSet(reference.p, radii.e_p, none, none, may, z_must, unknown, 0.0, 1.0),
        "dL_dyhat": AdmissibleSet(
            reference.r, radii.e_r, free, free, may, must, judged_where(nu, state.free | free, must)
        ),
        "dyhat_dz": AdmissibleSet(reference.slope, radii.e_slope, none, none, may, z_must, unknown),
        "delta": AdmissibleSet(
            *delta, free, free, may | free, must, judged_where(nu, state.free | free, must)
        ),
    }


def _sets(state: State, names: Sequence[str] = NAMES) -> dict[str, AdmissibleSet]:
    """The sets of these quantities; those of single elements of ŷ are always among them."""
    sums: dict[str, Callable[[], AdmissibleSet]] = {
        "row_loss": lambda: _loss(state, (-1,)),
        "loss": lambda: _loss(state, (-2, -1)),
        "grad": lambda: gradient(state),
    }
    return _elementwise(state) | {name: make() for name, make in sums.items() if name in names}


def _of_one_y_hat(state: State) -> list[str]:
    """The quantities whose elements depend on one ŷ each, in problems of this shape."""
    m, p = state.reference.r.shape[-2:]
    more = {"row_loss": p == 1, "loss": m == p == 1, "grad": m == 1}
    return ["y_hat", "dL_dyhat", "dyhat_dz", "delta", *(name for name, alone in more.items() if alone)]


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
        state = state_of(problem, units, reference)
        found = _sets(state)
        names = _of_one_y_hat(state)
        pieces = [_sets(each, names) for each in three_values(state)]
        for name in names if pieces else ():
            found[name] = found[name].without_gaps([each[name] for each in pieces])
    return {name: one._replace(roundings=roundings.get(name, 0.0)) for name, one in found.items()}
