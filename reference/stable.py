"""The same network in float64, rewritten so that nothing cancels: the centre of every admissible set.

q = σ(−z) stands for 1 − ŷ, which loses its digits where ŷ is near 1. ``tests/reference/test_equations.py``
holds each rewrite against the document's own form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.types import Float64, Inputs, Labels, Problem, Weights

# Up to this many inner terms a loop over them is faster than a stacked matmul; it decides time, not values.
UNROLLED = 8


class Reference(NamedTuple):
    """Float64 values of the network; ŷ is ``p``.

    Attributes:
        z: X·W, ``[*stack, m, p]``.
        T: |X|·|W|, ``[*stack, m, p]``.
        p: ŷ = σ(z), ``[*stack, m, p]``.
        q: 1 − ŷ = σ(−z), ``[*stack, m, p]``.
        r: ∂L/∂ŷ = ŷ − y, ``[*stack, m, p]``.
        slope: ∂ŷ/∂z = ŷ(1 − ŷ), ``[*stack, m, p]``.
        delta: Δl₁ = ∂L/∂z, ``[*stack, m, p]``.
        grad: ∂L/∂W, ``[*stack, n, p]``.
    """

    z: Float64
    T: Float64
    p: Float64
    q: Float64
    r: Float64
    slope: Float64
    delta: Float64
    grad: Float64


def logistic(z: Float64) -> tuple[Float64, Float64]:
    """σ(z) and σ(−z), each to full relative accuracy, as 1 / (1 + e^-|z|) or e^-|z| / (1 + e^-|z|)."""
    above, below = np.exp(np.minimum(z, 0)), np.exp(-np.maximum(z, 0))  # one of them is 1, exactly
    one_plus = 1 + above * below
    return above / one_plus, below / one_plus


def contract(A: Float64, B: Float64) -> Float64:
    """A·B over the last two axes; by loops if rows or terms are few, which is faster for small products."""
    rows, inner = A.shape[-2:]
    if inner > UNROLLED:
        return np.matmul(A, B)
    if B.shape[-1] > 1 or rows > UNROLLED:
        total = A[..., :, 0, None] * B[..., 0, None, :]
        for j in range(1, inner):
            total += A[..., :, j, None] * B[..., j, None, :]
        return total
    total = np.empty((*A.shape[:-1], 1))
    for i in range(rows):
        np.multiply(A[..., i, 0], B[..., 0, 0], out=total[..., i, 0])
        for j in range(1, inner):
            total[..., i, 0] += A[..., i, j] * B[..., j, 0]
    return total


def product_and_size(X: Float64, W: Float64) -> tuple[Float64, Float64]:
    """z = X·W and T = |X|·|W|, from the same products where they are few."""
    inner = X.shape[-1]
    if inner > UNROLLED:
        return np.matmul(X, W), np.matmul(np.abs(X), np.abs(W))
    z = X[..., :, 0, None] * W[..., 0, None, :]
    T = np.abs(z)
    for j in range(1, inner):
        term = X[..., :, j, None] * W[..., j, None, :]
        z += term
        T += np.abs(term, out=term)
    return z, T


def half_squares(r: Float64) -> tuple[Float64, Float64]:
    """½r² added up to the loss of each row and of the whole network, always in the same order."""
    rows = sum_last(np.ascontiguousarray((0.5 * r) * r))
    return rows, sum_last(rows)


def sum_last(a: Float64) -> Float64:
    """Sum over the last axis, which for one term is that term."""
    return a[..., 0] if a.shape[-1] == 1 else np.asarray(a.sum(-1))


def widen(problem: Problem) -> Problem:
    """The problem in float64, which holds the numbers of every format exactly."""
    with np.errstate(invalid="ignore"):  # a signalling NaN warns
        return Problem(*(np.asarray(a).astype(np.float64, copy=False) for a in problem))


def after_product(X: Inputs, y: Labels, z: Labels, T: Labels) -> Reference:
    """All quantities that follow from z; the caller silences NumPy's floating-point warnings."""
    p, q = logistic(z)
    r = p - y
    slope = p * q
    delta = r * slope
    return Reference(z, T, p, q, r, slope, delta, contract(np.swapaxes(X, -1, -2), delta))


def evaluate(X: Inputs, y: Labels, W: Weights) -> Reference:
    """All quantities of the network in float64, for finite or non-finite float64 input."""
    with np.errstate(all="ignore"):
        return after_product(X, y, *product_and_size(X, W))
