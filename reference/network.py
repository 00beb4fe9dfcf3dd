"""The document's equations 10.1–20, one function each, in its order.

Notation: X is ``[*stack, m, n]``, W ``[*stack, n, p]``, y and ŷ ``[*stack, m, p]``; the document has
m = p = 1 and n = 3. Leading axes stack independent networks. Every function computes in the dtype that comes
in. Where a derivative with respect to a weight is meant, ``i`` counts inputs from 0 and the m samples are
summed, as the loss sums them. The document writes Δl₁ for ∂L/∂z.
"""

from __future__ import annotations

import numpy as np

from reference.types import Array, Inputs, Labels, Losses, OneInput, Outputs, RowLosses, Weights


def matmul(A: Array, B: Array) -> Array:
    """A·B over the last two axes, in the dtype of A (NumPy's bfloat16 product comes as float32)."""
    return np.matmul(A, B).astype(A.dtype, copy=False)


def sigma(z: Array) -> Array:
    """σ(z) = 1 / (1 + e^-z), as the document prints it; overflow of e^-z gives its limit, 0."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return 1 / (1 + np.exp(-z))


def y_hat_of_product(X: Inputs, W: Weights) -> Labels:
    """ŷ = σ([X]·[W]), ``[*stack, m, p]``."""
    return sigma(matmul(X, W))  # (10.1)


def y_hat_written_out(X: Inputs, W: Weights) -> Labels:
    """ŷ = 1 / (1 + e^(-[X]·[W])), ``[*stack, m, p]``."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return 1 / (1 + np.exp(-matmul(X, W)))  # (10.2)


def y_hat_by_components(X: Inputs, W: Weights) -> Labels:
    """ŷ = 1 / (1 + e^-(x¹w₁ + x²w₂ + x³w₃)), ``[*stack, m, p]``, for any number of inputs."""
    z = sum(X[..., :, i, None] * W[..., i, None, :] for i in range(X.shape[-1]))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return 1 / (1 + np.exp(-np.asarray(z)))  # (10.3)


def row_loss(y: Labels, y_hat: Labels) -> RowLosses:
    """L of each sample alone, ½ (y − ŷ)² summed over its outputs, ``[*stack, m]``."""
    half = y.dtype.type(0.5)
    return np.asarray(np.sum(half * (y - y_hat) ** 2, axis=-1))


def loss(y: Labels, y_hat: Labels) -> Losses:
    """L = ½ (y − ŷ)², summed over samples and outputs, ``[*stack]``."""
    half = y.dtype.type(0.5)
    return np.asarray(np.sum(half * (y - y_hat) ** 2, axis=(-2, -1)))


def gradient_vector(X: Inputs, y: Labels, W: Weights) -> Weights:
    """∇_W L, the partial derivatives (12) one above the other, ``[*stack, n, p]``."""
    return np.stack([dL_dw(X, y, W, i) for i in range(X.shape[-1])], axis=-2)  # (11)


def dL_dw(X: Inputs, y: Labels, W: Weights, i: int) -> OneInput:
    """∂L/∂wᵢ = ∂L/∂ŷ · ∂ŷ/∂wᵢ, ``[*stack, p]``."""
    y_hat = y_hat_of_product(X, W)
    return np.sum(dL_dyhat(y, y_hat) * dyhat_dw(X, y_hat, i), axis=-2)  # (12)


def dL_dyhat(y: Labels, y_hat: Labels) -> Labels:
    """∂L/∂ŷ = ½ · 2 · (y − ŷ)¹ · (−1), ``[*stack, m, p]``."""
    half, two, minus_one = (y.dtype.type(c) for c in (0.5, 2, -1))
    return half * two * (y - y_hat) * minus_one  # (13)


def dyhat_dw_written_out(X: Inputs, W: Weights, i: int) -> Labels:
    """∂ŷ/∂wᵢ with (10.2) written out twice, ``[*stack, m, p]``."""
    return y_hat_written_out(X, W) * (1 - y_hat_written_out(X, W)) * X[..., :, i, None]  # (14)


def dyhat_dw_by_sigma(X: Inputs, W: Weights, i: int) -> Labels:
    """∂ŷ/∂wᵢ = σ([X]·[W]) (1 − σ([X]·[W])) xᵢ, ``[*stack, m, p]``."""
    return sigma(matmul(X, W)) * (1 - sigma(matmul(X, W))) * X[..., :, i, None]  # (15)


def dyhat_dw(X: Inputs, y_hat: Labels, i: int) -> Labels:
    """∂ŷ/∂wᵢ = ŷ (1 − ŷ) xᵢ, ``[*stack, m, p]``."""
    return y_hat * (1 - y_hat) * X[..., :, i, None]  # (16)


def dL_dw_closed(X: Inputs, y: Labels, y_hat: Labels, i: int) -> OneInput:
    """∂L/∂wᵢ = (ŷ − y) ŷ (1 − ŷ) xᵢ, ``[*stack, p]``."""
    return np.sum((y_hat - y) * y_hat * (1 - y_hat) * X[..., :, i, None], axis=-2)  # (17)


def gradient_stacked(X: Inputs, y: Labels, y_hat: Labels) -> Weights:
    """∂L/∂W, the closed forms (17) one above the other, ``[*stack, n, p]``."""
    return np.stack([dL_dw_closed(X, y, y_hat, i) for i in range(X.shape[-1])], axis=-2)  # (18)


def gradient_factored(X: Inputs, y: Labels, y_hat: Labels) -> Weights:
    """∂L/∂W, the column of inputs times [(ŷ − y) ŷ (1 − ŷ)], ``[*stack, n, p]``."""
    columns = np.swapaxes(X, -1, -2)
    return matmul(columns, (y_hat - y) * y_hat * (1 - y_hat))  # (19)


def delta(y: Labels, y_hat: Labels) -> Labels:
    """Δl₁ = (ŷ − y) ŷ (1 − ŷ), ``[*stack, m, p]``."""
    return (y_hat - y) * y_hat * (1 - y_hat)  # (20)


def gradient(X: Inputs, delta: Labels) -> Weights:
    """∂L/∂W = [Xᵀ]·Δl₁, the document's last line, ``[*stack, n, p]``."""
    return matmul(np.swapaxes(X, -1, -2), delta)


def evaluate(X: Inputs, y: Labels, W: Weights) -> Outputs:
    """ŷ, L, ∂L/∂W and the loss of each row, by (10.1), L, (20) and Xᵀ·Δl₁, in the dtype of X."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        y_hat = y_hat_of_product(X, W)
        return Outputs(y_hat, loss(y, y_hat), gradient(X, delta(y, y_hat)), row_loss(y, y_hat))
