"""A radius of first-order terms only, in front of the full set: cheap, and never larger than the full one.

What it accepts, the full set accepts (``docs/accuracy.md``, "The filter"); what it does not accept goes to
``reference.bounds``. It is a lower bound of the admissible radius, not a certificate of any error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference import stable
from reference.types import Array, Bool, Float64, Problem
from reference.units import ROOM, UNJUDGED, Units


class Radii(NamedTuple):
    """What the filter accepts around the reference's values; NaN accepts nothing, where input is not finite.

    Attributes:
        y_hat: ``[*stack, m, p]``.
        loss: ``[*stack]``.
        row_loss: ``[*stack, m]``.
        grad: ``[*stack, n, p]``.
    """

    y_hat: Float64
    loss: Float64
    row_loss: Float64
    grad: Float64


class Centers(NamedTuple):
    """The reference's values of the outputs, with the shapes of :class:`Radii`."""

    y_hat: Float64
    loss: Float64
    row_loss: Float64
    grad: Float64


def centers(reference: stable.Reference) -> Centers:
    """The four outputs of the reference."""
    with np.errstate(all="ignore"):
        row_loss, loss = stable.half_squares(reference.r)
        return Centers(reference.p, loss, row_loss, reference.grad)


def radii(problem: Problem, reference: stable.Reference, units: Units) -> Radii:
    """The filter's radii for a problem widened to float64.

    Divided by ROOM, each of its terms stays below one of the full set's however either is rounded.
    """
    X = problem.X
    (m, n), p_out = X.shape[-2:], problem.y.shape[-1]
    nu_row, nu_whole = units.nu_loss(p_out) / ROOM, units.nu_loss(m * p_out) / ROOM
    mu = units.with_inputs(units.nu_gradient(m)) / ROOM
    with np.errstate(all="ignore"):
        e_p, e_r, e_delta = _elementwise(reference, units, n)
        size = np.abs(reference.r)
        half_r = size * 0.5
        first = size * e_r
        squares = half_r * size
        row = stable.sum_last(first + nu_row * squares)
        whole = stable.sum_last(stable.sum_last(first + nu_whole * squares))
        e_delta += mu * np.abs(reference.delta)
        grad = stable.contract(np.abs(np.swapaxes(X, -1, -2)), e_delta)
        found = Radii(e_p, whole, row, grad)
        if not all(np.isfinite(a).all() for a in problem):
            found = _without_non_finite(problem, found)
    return found


def _elementwise(reference: stable.Reference, units: Units, n: int) -> tuple[Float64, Float64, Float64]:
    a = units.with_inputs(units.nu_dot(n)) * reference.T
    kappa_u, u, gamma = units.kappa_u / ROOM, units.u / ROOM, units.gamma / ROOM
    slope, p, q, size = reference.slope, reference.p, reference.q, np.abs(reference.r)
    e_p = slope * a / (1 + a) + kappa_u * p  # the full set's s has ROOM itself
    e_r = e_p + u * size
    moved = e_p + p * (kappa_u * q)  # e_p·q + p·(e_p + κu·q), since p + q = 1
    return e_p, e_r, e_r * slope + size * (moved + gamma * slope)


def _without_non_finite(problem: Problem, found: Radii) -> Radii:
    finite = np.ones(found.loss.shape, bool)
    for a in problem:
        finite &= np.isfinite(a).all((-2, -1))
    return Radii(
        *(
            np.where(np.reshape(finite, finite.shape + (1,) * (a.ndim - finite.ndim)), a, np.nan)
            for a in found
        )
    )


def judged(problem: Problem, units: Units) -> dict[str, bool]:
    """Whether each output's set is narrower than the trivial one: every ν it depends on is below ¼."""
    m, n = problem.X.shape[-2:]
    p = problem.y.shape[-1]
    z, dot = units.nu_dot(n), units.nu_gradient(m)
    return {
        "y_hat": z < UNJUDGED,
        "loss": max(z, units.nu_loss(m * p)) < UNJUDGED,
        "row_loss": max(z, units.nu_loss(p)) < UNJUDGED,
        "grad": max(z, dot) < UNJUDGED,
    }


def accepts(name: str, got: Array, center: Float64, radius: Float64) -> Bool:
    """Which elements, of any format, lie within a finite radius and within what the mathematics allows."""
    with np.errstate(invalid="ignore", over="ignore"):
        inside = np.abs(got - center) <= radius
        inside &= radius < np.inf
        if name == "y_hat":
            inside &= (got >= 0) & (got <= 1)
        elif name in ("loss", "row_loss"):
            inside &= got >= 0
    return np.asarray(inside)
