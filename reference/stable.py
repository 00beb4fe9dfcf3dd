"""The same network in float64, rewritten so that nothing cancels: the centre of every admissible set.

q = σ(−z) stands for 1 − ŷ, which loses its digits where ŷ is near 1. ``tests/test_equations.py`` holds each
rewrite against the document's own form.
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
        delta: Δl₁, ``[*stack, m, p]``.
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
    """σ(z) and σ(−z), each to full relative accuracy, from one exponential."""
    e = np.exp(-np.abs(z))
    one_plus = 1 + e
    large, small = 1 / one_plus, e / one_plus
    positive = z >= 0
    return np.where(positive, large, small), np.where(positive, small, large)


def contract(A: Float64, B: Float64) -> Float64:
    """A·B over the last two axes; a loop over few inner terms, which a stack of small products needs."""
    inner = A.shape[-1]
    if inner > UNROLLED:
        return np.matmul(A, B)
    total = A[..., :, 0, None] * B[..., 0, None, :]
    for j in range(1, inner):
        total += A[..., :, j, None] * B[..., j, None, :]
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
    """½r² added up to the loss of each row and of the whole network, in one order wherever it is called."""
    rows = sum_last(np.ascontiguousarray((0.5 * r) * r))
    return rows, sum_last(rows)


def sum_last(a: Float64) -> Float64:
    """Sum over the last axis, which for one term is that term."""
    return a[..., 0] if a.shape[-1] == 1 else np.asarray(a.sum(-1))


def widen(problem: Problem) -> Problem:
    """The problem in float64; every format embeds exactly."""
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
