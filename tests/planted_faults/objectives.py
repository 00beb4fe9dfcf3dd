"""The gradient of something else than the loss that is returned."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.planted_faults.fault import BACKWARD, DELTA, FORWARD, GRAD, LOSS, RESIDUAL, SLOPE, Array, Fault
from tests.planted_faults.network import (
    Outputs,
    changed,
    delta_of,
    half_squares,
    healthy,
    matmul,
    network,
    sigmoid,
    transpose,
)

KERAS = "https://github.com/keras-team/keras/issues/15249"


def _difference(step: float, *, central: bool) -> Any:
    """∂L/∂W by differences of the loss, with a step for each weight."""

    def found(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
        G = np.empty_like(W)
        for i, j in np.ndindex(W.shape[-2:]):
            ahead, behind = W.copy(), W.copy()
            ahead[..., i, j] += W.dtype.type(step)
            if central:
                behind[..., i, j] -= W.dtype.type(step)
            far, near = (half_squares(y, sigmoid(matmul(X, V))) for V in (ahead, behind))
            G[..., i, j] = (far - near) / W.dtype.type(step * (1 + central))
        return outputs[0], outputs[1], G

    return network(found=found)


def _clipped_norm(G: Array, X: Array, y: Array, W: Array) -> Array:
    del X, y, W
    norm = np.sqrt((G * G).sum((-2, -1), keepdims=True))
    return G * np.minimum(1, G.dtype.type(0.1) / np.maximum(norm, G.dtype.type(1e-30)))


def _bfloat16(W: Array) -> Array:
    bits = W.astype(np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(W.dtype)


def _at_rounded_weights(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    return outputs[0], outputs[1], healthy(X, y, _bfloat16(W))[2]


def _of_inputs(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    """The gradient with respect to the weights of the normalised rows, not of the rows."""
    del W
    size = np.maximum(np.sqrt((X * X).sum(-1, keepdims=True)), X.dtype.type(1e-30))
    p = outputs[0]
    return p, outputs[1], matmul(transpose(X / size), (p - y) * p * (1 - p))


def _huber(y: Array, p: Array) -> Array:
    r, half = abs(y - p), y.dtype.type(0.5)
    return np.where(r > 1, r - half, half * r * r).sum((-2, -1))


def _after_a_step(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    del y
    return sigmoid(matmul(X, W - W.dtype.type(1e-6) * outputs[2])), *outputs[1:]


FAULTS = [
    Fault("cross_entropy", "The gradient is that of binary cross-entropy: Δ = ŷ − y.",
          network(delta=lambda y, p, _: p - y), (SLOPE, DELTA)),
    Fault("huber", "The gradient is that of the Huber loss with δ = ½.", network(
        delta=lambda y, p, _: np.clip(p - y, -0.5, 0.5) * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("absolute_loss", "The gradient is that of Σ|y − ŷ|.",
          network(delta=lambda y, p, _: np.sign(p - y) * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("fourth_power", "The gradient is that of Σ ¼(y − ŷ)⁴.",
          network(delta=lambda y, p, _: (p - y) ** 3 * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("log_cosh", "The gradient is that of Σ log cosh(y − ŷ).",
          network(delta=lambda y, p, _: np.tanh(p - y) * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("gradient_of_y_hat", "The gradient is that of Σ ŷ.", network(delta=lambda _y, p, _z: p * (1 - p)),
          (RESIDUAL, DELTA)),
    Fault("of_mean_of_y_hat", "The gradient is that of ½(mean ŷ − y)².", network(
        delta=lambda y, p, _: (p.mean(-2, keepdims=True) - y) * p * (1 - p)), (GRAD,)),
    Fault("straight_through", "The slope is that of a hard sigmoid, ⅙ between −3 and 3.", network(
        delta=lambda y, p, z: (p - y) * (abs(z) < 3) / 6), (SLOPE, DELTA)),
    Fault("straight_through_rounded", "The residual is that of ŷ rounded to 0 or 1.", network(
        delta=lambda y, p, _: (np.round(p) - y) * p * (1 - p)), (RESIDUAL, DELTA)),
    Fault("central_differences", "The gradient is a central difference with a step of 10⁻⁶.",
          _difference(1e-6, central=True), BACKWARD, dtypes=("float64",)),
    Fault("one_sided_differences", "The gradient is a one-sided difference with a step of 10⁻³.",
          _difference(1e-3, central=False), BACKWARD),
    Fault("natural_gradient", "Δ is divided by σ′ + 0.1, as in a Gauss-Newton step.", network(
        delta=lambda y, p, z: delta_of(y, p, z) / (p * (1 - p) + y.dtype.type(0.1))), (SLOPE, DELTA)),
    Fault("normalised", "The gradient is divided by its norm.", changed(2, lambda G, *_: G / np.maximum(
        np.sqrt((G * G).sum((-2, -1), keepdims=True)), G.dtype.type(1e-30))), BACKWARD),
    Fault("clipped_by_value", "The gradient is clipped to [−0.1, 0.1].",
          changed(2, lambda G, *_: np.clip(G, -0.1, 0.1)), BACKWARD),
    Fault("clipped_by_norm", "The gradient is clipped to a norm of 0.1.", changed(2, _clipped_norm),
          BACKWARD),
    Fault("sign_only", "The gradient is its sign.", changed(2, lambda G, *_: np.sign(G)), BACKWARD),
    Fault("sparsified", "Gradients below 10⁻⁸ are zero.",
          changed(2, lambda G, *_: np.where(abs(G) < 1e-8, 0, G)), BACKWARD,
          witness=("saturated_low:0:64x7x3x2:contiguous:{}",)),
    Fault("at_rounded_weights", "The gradient is that at the weights cut to bfloat16.",
          network(found=_at_rounded_weights), BACKWARD),
    Fault("second_order", "Δ has the factor 1 − 2ŷ of the second derivative.", network(
        delta=lambda y, p, z: delta_of(y, p, z) * (1 - 2 * p)), (SLOPE, DELTA)),
    Fault("of_normalised_rows", "The gradient is that for rows of norm 1.", network(found=_of_inputs),
          (GRAD, DELTA, RESIDUAL)),
    Fault("stopped_at_labels_above_half", "Rows with labels up to ½ have no gradient.", network(
        delta=lambda y, p, z: np.where(y > 0.5, delta_of(y, p, z), 0)), (RESIDUAL, DELTA, GRAD)),
    Fault("clipped_prediction", "The gradient is that of ŷ clipped to [10⁻⁷, 1 − 10⁻⁷].", network(
        delta=lambda y, p, z: np.where((p < 1e-7) | (p > 1 - 1e-7), 0, delta_of(y, p, z))), BACKWARD,
        witness=("saturated_low:0:64x7x3x2:contiguous:{}",), reference=KERAS),
    Fault("huber_from_residual_1", "Where |y − ŷ| is above 1, L and gradient are those of the Huber loss.",
          network(loss=_huber, delta=lambda y, p, _: np.clip(p - y, -1, 1) * p * (1 - p)),
          (LOSS, RESIDUAL, DELTA)),
    Fault("looks_ahead", "ŷ is that after a step of 10⁻⁶ times the gradient.", network(found=_after_a_step),
          FORWARD, dtypes=("float64",)),
]  # fmt: skip
