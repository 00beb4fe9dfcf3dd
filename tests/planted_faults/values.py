"""Bound to values: wrong only for some numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.planted_faults.fault import ANY, BACKWARD, DELTA, GRAD, LOSS, SWEEP, Array, Fault
from tests.planted_faults.network import delta_of, network, sigmoid, where

SPLAT = ("float64:X=[[2,2,2],[2,2,2]]:y=[[0],[1]]:W=[[1],[2],[3]]",)
F64, F32 = ("float64",), ("float32",)
B = (GRAD, DELTA, *BACKWARD)


def matrix(holds: Any) -> Array:
    """For a condition on elements: where all of a matrix fulfil it, ``[*stack, 1, 1]``."""
    return np.asarray(np.asarray(holds).all((-2, -1), keepdims=True))


def _equal(A: Array) -> Array:
    return matrix(A[..., :1, :1] == A)


def _is_power(A: Array) -> Array:
    return np.asarray(np.frexp(np.where(np.isfinite(A), A, 0))[0] == np.copysign(0.5, A))


def _has_duplicates(X: Array) -> Array:
    ordered = np.sort(X, -1)
    found = (ordered[..., 1:] == ordered[..., :-1]).any(-1)
    return found.any(-1)[..., None, None]


def _rows_repeat(X: Array) -> Array:
    return matrix(X[..., :1, :] == X) & (X.shape[-2] > 1)


def _one_hot(X: Array) -> Array:
    return matrix(
        ((X == 1).sum(-1, keepdims=True) == 1) & ((X == 0).sum(-1, keepdims=True) == X.shape[-1] - 1)
    )


def _symmetric(X: Array) -> Array:
    if X.shape[-1] != X.shape[-2] or X.shape[-1] == 1:
        return np.zeros((*X.shape[:-2], 1, 1), bool)
    return matrix(np.swapaxes(X, -1, -2) == X)


def _small_integers(X: Array) -> Array:
    return matrix((np.round(np.nan_to_num(X)) == X) & (abs(X) < 10)) & (X.shape[-1] > 1)


def _one_float(z: Array) -> Array:
    """Wrong at one float32, z = 0x1.5bf0a8p+1 (2.718282), where σ is off by 2⁻¹⁰."""
    y_hat = sigmoid(z)
    return np.where(
        z == z.dtype.type(float.fromhex("0x1.5bf0a8p+1")), y_hat * z.dtype.type(1 + 2.0**-10), y_hat
    )


def _literal(X: str, y: str, W: str) -> tuple[str, ...]:
    return (f"{{}}:X={X}:y={y}:W={W}",)


FAULTS = [
    Fault("one_float", "σ is wrong at one of 2³² floats.", network(sigma=_one_float), ANY, SWEEP, dtypes=F32,
          witness=("float32:X=[[1]]:y=[[0]]:W=[[0x1.5bf0a8p+1]]",)),
    Fault("equal_inputs", "The gradient is off where all numbers of X are equal, in several columns.",
          where(lambda X, _y, _W: _equal(X) & (X.shape[-1] > 1)), B, witness=SPLAT),
    Fault("equal_weights", "The loss is off where all of several weights are equal.",
          where(lambda _X, _y, W: (_equal(W) & (W.shape[-2] > 1))[..., 0, 0], 1), (LOSS,),
          witness=_literal("[[1,2]]", "[[0]]", "[[3],[3]]")),
    Fault("equal_labels", "The gradient is off where several labels are equal.",
          where(lambda _X, y, _W: _equal(y) & (y.shape[-2] * y.shape[-1] > 1)), B,
          witness=_literal("[[1],[2]]", "[[1],[1]]", "[[1]]")),
    Fault("duplicates_in_a_row", "The gradient is off where a row of X has a number twice.",
          where(lambda X, _y, _W: _has_duplicates(X)), B, witness=_literal("[[1,2,1]]", "[[0]]",
          "[[1],[1],[2]]")),
    Fault("repeated_rows", "The gradient is off where all rows of X are equal.",
          where(lambda X, _y, _W: _rows_repeat(X)), B, witness=_literal("[[1,2],[1,2]]", "[[0],[1]]",
          "[[1],[2]]")),
    Fault("power_of_two", "The gradient is off where all weights are powers of two.",
          where(lambda _X, _y, W: matrix(_is_power(W)) & (W.shape[-2] > 1)), B,
          witness=_literal("[[1,3]]", "[[0]]", "[[2],[4]]")),
    Fault("sorted_row", "The gradient is off where the rows of X ascend.",
          where(lambda X, _y, _W: matrix(np.diff(X, axis=-1) > 0) & (X.shape[-1] > 1)), B,
          witness=_literal("[[1,2,3]]", "[[0]]", "[[1],[1],[2]]")),
    Fault("one_hot_rows", "The gradient is off where the rows of X are one-hot.",
          where(lambda X, _y, _W: _one_hot(X) & (X.shape[-1] > 1)), B,
          witness=_literal("[[0,1],[1,0]]", "[[0],[1]]", "[[1],[2]]")),
    Fault("symmetric_inputs", "The gradient is off where X is symmetric.", where(lambda X, _y,
          _W: _symmetric(X)), B,
          witness=_literal("[[1,5],[5,2]]", "[[0],[1]]", "[[1],[2]]")),
    Fault("small_integers", "The gradient is off where X has integers below 10 only.",
          where(lambda X, _y, _W: _small_integers(X)), B, witness=_literal("[[1,7]]", "[[0]]", "[[1],[2]]")),
    Fault("labels_above_one", "Labels above 1 are 1.", network(
        given=lambda X, y, W: (X, np.where(y > 1, 1, y).astype(y.dtype), W)), (LOSS, *BACKWARD)),
    Fault("negative_labels", "Labels below 0 are 0.", network(
        given=lambda X, y, W: (X, np.where(y < 0, 0, y).astype(y.dtype), W)), (LOSS, *BACKWARD)),
    Fault("labels_of_zero_and_one", "With labels 0 and 1 only, the gradient is that of cross-entropy.",
          network(
        delta=lambda y, p, z: np.where(matrix((y == 0) | (y == 1)), p - y, delta_of(y, p, z))), B,
        witness=_literal("[[1]]", "[[1]]", "[[1]]")),
    Fault("label_of_one_half", "A label of ½ counts as no label.", network(
        delta=lambda y, p, z: np.where(y == 0.5, 0, delta_of(y, p, z))), B,
        witness=_literal("[[1]]", "[[0.5]]", "[[1]]")),
    Fault("large_z", "Δ is 0 where z is above 30.", network(
        delta=lambda y, p, z: np.where(z > 30, 0, delta_of(y, p, z))), B, dtypes=F64,
        witness=_literal("[[1]]", "[[0]]", "[[31]]")),
    Fault("small_z", "Δ is halved where z is below −30.", network(
        delta=lambda y, p, z: np.where(z < -30, delta_of(y, p, z) / 2, delta_of(y, p, z))), B,
        witness=_literal("[[1]]", "[[1]]", "[[-31]]")),
    Fault("tiny_z", "σ is ½ where |z| is below 10⁻³.",
          network(sigma=lambda z: np.where(abs(z) < 1e-3, z.dtype.type(0.5), sigmoid(z))), ANY,
          witness=_literal("[[1]]", "[[0]]", "[[0x1p-11]]")),
    Fault("z_of_zero", "Where z is 0, the gradient is 0.", network(
        delta=lambda y, p, z: np.where(z == 0, 0, delta_of(y, p, z))), B, witness=_literal("[[1]]", "[[1]]",
          "[[0]]")),
    Fault("square_overflows", "The gradient is off where a square of X overflows.",
          where(lambda X, _y, _W: np.isinf(X * X).any((-2, -1), keepdims=True) & np.isfinite(X).all((-2, -1),
                keepdims=True)), B, dtypes=F32, witness=_literal("[[0x1p70]]", "[[0]]", "[[0x1p-70]]")),
    Fault("negative_inputs", "The gradient is off where all numbers of X are negative.",
          where(lambda X, _y, _W: matrix(X < 0)), B, witness=_literal("[[-1]]", "[[0]]", "[[1]]")),
    Fault("huge_weights", "z is cut to [−10⁴, 10⁴].", network(
        sigma=lambda z: sigmoid(np.clip(z, -1e4, 1e4))), dtypes=F32,
        witness=_literal("[[0x1p20]]", "[[1]]", "[[-1]]"),
        undetectable="σ(±10⁴) rounds to 0 and 1 as σ of every larger z does, so all outputs keep their bits"),
]  # fmt: skip
