"""The filter: a radius of first-order terms only, which is cheap and never larger than that of the full set.

The *full set* is the admissible set that `reference.bounds` computes. It contains whatever the filter accepts
(``docs/accuracy.md``, "The filter"), and decides about the rest. Notation as in `reference.state`; T =
|X|·|W|.

The radius is a lower bound of the admissible radius, not a certificate of any error.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np

from reference import stable
from reference.types import Array, Bool, Float64, Outputs, Problem
from reference.units import ROOM, Units

# A share that is at most this is at most 1, whatever its roundings: of 1/radius, which a large radius makes
# subnormal, with the error 2^-51, and of the product.
SURE = 1 - 2.0**-40
# Where rounding may move z by so much, the full sets may have holes, and the filter keeps to the center.
SPREAD = 0.5


class Radii(NamedTuple):
    """The filter's radii around the reference's values; NaN, which accepts nothing, for inf or NaN inputs.

    Radii, :class:`Centers` and `Outputs` have the same fields in the same order.

    Attributes:
        y_hat: ``[*stack, m, p]``.
        loss: ``[*stack]``.
        grad: ``[*stack, n, p]``.
        row_loss: ``[*stack, m]``.
    """

    y_hat: Float64
    loss: Float64
    grad: Float64
    row_loss: Float64


class Centers(NamedTuple):
    """The reference's values of the outputs, with the shapes of :class:`Radii`."""

    y_hat: Float64
    loss: Float64
    grad: Float64
    row_loss: Float64


def centers(reference: stable.Reference) -> Centers:
    """The four outputs of the reference."""
    with np.errstate(all="ignore"):
        row_loss, loss = stable.half_squares(reference.r)
        return Centers(reference.p, loss, reference.grad, row_loss)


class Factors(NamedTuple):
    """The relative errors from which the radii are computed; equal factors give equal radii.

    All but ``mu_dot`` are divided by `ROOM`. The names are those of `reference.units`.

    Attributes:
        mu_dot: μ of X·W.
        mu_gradient: μ of ∂L/∂W.
        nu_row, nu_whole: ν of the loss of one row and of the whole network.
        kappa_u, u, gamma: the fields of `Units`.
    """

    mu_dot: float
    mu_gradient: float
    nu_row: float
    nu_whole: float
    kappa_u: float
    u: float
    gamma: float

    @classmethod
    def of(cls, units: Units, problem: Problem) -> Factors:
        """Compute the factors of an implementation with these units for a problem of this size."""
        (m, n), p = problem.X.shape[-2:], problem.y.shape[-1]
        return cls(
            units.with_inputs(units.nu_dot(n)),  # the full set's s has ROOM itself
            units.with_inputs(units.nu_gradient(m)) / ROOM,
            units.nu_loss(p) / ROOM,
            units.nu_loss(m * p) / ROOM,
            units.kappa_u / ROOM,
            units.u / ROOM,
            units.gamma / ROOM,
        )


def radii(problem: Problem, reference: stable.Reference, factors: Factors, rounded: Float64) -> Radii:
    """The filter's radii for a problem widened to float64.

    Divided by ROOM, each of its terms stays below one of the full set's however either is rounded.

    Args:
        problem: in float64.
        reference: the float64 reference of the problem.
        factors: the factors of the implementation.
        rounded: T = |X|·|W| where the implementation may round X·W, else 0 (`exact.rounded_size`).
    """
    with np.errstate(all="ignore"):
        size = np.abs(reference.r)
        a = factors.mu_dot * rounded
        if not np.max(a) < SPREAD:
            a = np.where(a < SPREAD, a, 0.0)
        e_p, e_r, e_delta = _elementwise(reference, a, size, factors)
        first, squares = size * e_r, (0.5 * size) * size
        row = stable.sum_last(first + factors.nu_row * squares)
        whole = row
        if factors.nu_whole != factors.nu_row or row.shape[-1] > 1:
            whole = stable.sum_last(first + factors.nu_whole * squares)
        whole = stable.sum_last(whole)
        e_delta += factors.mu_gradient * np.abs(reference.delta)
        grad = stable.contract(np.abs(np.swapaxes(problem.X, -1, -2)), e_delta)
        found = Radii(e_p, whole, grad, row)
        if not _is_finite(problem, reference):
            found = _without_non_finite(problem, found)
    return found


def _is_finite(problem: Problem, reference: stable.Reference) -> bool:
    """Whether all inputs are finite; False also if only a closer look could tell.

    T = |X|·|W| is not finite where X or W is not, unless BLAS added it up; r is not finite where y is not.
    """
    told = (reference.T, reference.r) if problem.X.shape[-1] <= stable.UNROLLED else problem
    return all(np.isfinite(a).all() for a in told)


def _elementwise(
    reference: stable.Reference, a: Float64, size: Float64, factors: Factors
) -> tuple[Float64, Float64, Float64]:
    """e_p, e_r and the part of e_Δ from them; rounding moves z by at most ``a``, and ``size`` is |r|."""
    slope, p, q = reference.slope, reference.p, reference.q
    e_p = slope * a / (1 + a) + factors.kappa_u * p
    e_r = e_p + factors.u * size
    moved = e_p + p * (factors.kappa_u * q)  # e_p·q + p·(e_p + κu·q), since p + q = 1
    return e_p, e_r, e_r * slope + size * (moved + factors.gamma * slope)


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


class Packed(NamedTuple):
    """Values of all outputs in one piece of memory, so that one operation does for several.

    Attributes:
        memory: ``[numbers]``, one output after the other.
        parts: each output's own, views of it.
        edges: where each begins, and the last one ends.
    """

    memory: Float64
    parts: Radii
    edges: tuple[int, ...]

    @classmethod
    def like(cls, arrays: Radii) -> Self:
        """Allocate memory for arrays of these shapes, without initial values."""
        edges = tuple(itertools.accumulate((array.size for array in arrays), initial=0))
        return cls._of(edges, (array.shape for array in arrays))

    def another(self) -> Self:
        """Allocate separate memory of the same size."""
        return self._of(self.edges, (part.shape for part in self.parts))

    @classmethod
    def _of(cls, edges: tuple[int, ...], shapes: Iterable[tuple[int, ...]]) -> Self:
        memory = np.empty(edges[-1])
        pieces = zip(edges, edges[1:], shapes, strict=False)  # there is one edge more
        parts = (memory[start:stop].reshape(shape) for start, stop, shape in pieces)
        return cls(memory, Radii(*parts), edges)

    def largest(self) -> Radii:
        """Return the largest value of each output; NaN if one of its values is NaN."""
        return Radii(*np.maximum.reduceat(self.memory, self.edges[:-1]).tolist())


def inverses(radii: Radii) -> Packed:
    """1 / radius of each; NaN where the radius is not finite, so that nothing is accepted there."""
    found = Packed.like(radii)
    with np.errstate(all="ignore"):
        for radius, inverse in zip(radii, found.parts, strict=True):
            np.divide(1, radius, out=inverse)
            if not np.max(radius) < np.inf:
                inverse[radius == np.inf] = np.nan
    return found


def shares(outputs: Outputs, centers: Centers, inverses: Packed) -> Packed:
    """|got − center| / radius of every output that is there; inf outside what the mathematics allows.

    Right to a few 2^-53 of itself, so that the filter accepts whatever is at most `SURE`. An output that is
    not there has shares of 0.
    """
    found = inverses.another()
    there = [place for place, got in enumerate(outputs) if got is not None]
    some = slice(found.edges[min(there)], found.edges[max(there) + 1]) if there else slice(0)
    with np.errstate(all="ignore"):
        for got, center, share in zip(outputs, centers, found.parts, strict=True):
            if got is None:
                continue
            if got.dtype == share.dtype:
                np.subtract(got, center, out=share)
            else:  # what is subtracted would be converted in pieces, which takes longer
                np.copyto(share, got)
                np.subtract(share, center, out=share)
        share = found.memory[some]
        np.abs(share, out=share)
        np.multiply(share, inverses.memory[some], out=share)
        for got, share in zip(outputs, found.parts, strict=True):
            if got is None:
                share[...] = 0
        for name in ("y_hat", "loss", "row_loss"):
            got = getattr(outputs, name)
            if got is not None and not np.minimum.reduce(got, axis=None) >= 0:
                getattr(found.parts, name)[got < 0] = np.inf
        y_hat = outputs.y_hat
        if y_hat is not None and not np.maximum.reduce(y_hat, axis=None) <= 1:
            found.parts.y_hat[y_hat > 1] = np.inf
    return found


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
