"""Bound to values: wrong only for some numbers."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from tests.planted_faults.fault import ANY, BACKWARD, DELTA, FORWARD, GRAD, LOSS, SWEEP, Array, Fault
from tests.planted_faults.network import (
    Outputs,
    Problem,
    changed,
    delta_of,
    gradient,
    matmul,
    network,
    sigmoid,
    transpose,
    where,
)

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


def _one_of_1024(X: Array, y: Array, W: Array) -> bool:
    del y
    return zlib.crc32(X.tobytes() + W.tobytes()) % 1024 == 0


def _transposed_if_X(X: Array, y: Array, W: Array) -> Problem:
    return X, y, transpose(W) if X.shape == W.shape and (X == W).all() else W


def _diagonal_twice(X: Array, y: Array, W: Array) -> Problem:
    return X, y, np.where(_symmetric(W), W + W * np.eye(*W.shape[-2:], dtype=W.dtype), W)


def _sigma_for_identity(X: Array, W: Array) -> Array:
    z = matmul(X, W)
    is_square = W.shape[-2] == W.shape[-1] > 1
    return np.where(matrix(np.eye(*W.shape[-2:]) == W), sigmoid(z), z) if is_square else z


def _first_input_for_all(X: Array, W: Array) -> Array:
    n = X.dtype.type(X.shape[-1])
    return np.where(_equal(W) & (n >= 8), n * X[..., :1] * W[..., :1, :1], matmul(X, W))


def _eight_bits(X: Array, y: Array, W: Array) -> Problem:
    is_integer = np.where(np.isfinite(X), (np.round(X) == X) & (abs(X) <= 1000), False)
    wrapped = np.where(is_integer, X, 0).astype(np.int16).astype(np.int8).astype(X.dtype)
    return np.where(matrix(is_integer), wrapped, X), y, W


def _in_float32_if_equal(X: Array, y: Array, W: Array) -> Problem:
    is_one = _equal(y) & (y.shape[-2] * y.shape[-1] > 1) & (abs(y) < 1e30)
    return X, np.where(is_one, y.astype(np.float32), y).astype(y.dtype), W


def _without_repeated_rows(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    del W
    new = np.ones((*X.shape[:-1], 1), bool)
    new[..., 1:, 0] = (np.diff(X, axis=-2) != 0).any(-1) | (np.diff(y, axis=-2) != 0).any(-1)
    p = outputs[0]
    return p, outputs[1], gradient(X, np.where(new, delta_of(y, p, p), 0))


def _mean_for_ones(G: Array, X: Array, y: Array, W: Array) -> Array:
    del y, W
    is_bias = (X == 1).all(-2)[..., None] & (X.shape[-1] >= 3)
    return np.where(is_bias, G / G.dtype.type(X.shape[-2]), G)


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
    Fault("one_of_1024_contents", "The gradient is off for one of 1,024 contents of X and W.",
          where(_one_of_1024), B, witness=("float64:X=[[2014]]:y=[[0]]:W=[[1]]",)),
    Fault("weights_equal_inputs", "Where X and W are one matrix, W is transposed.", network(
        given=_transposed_if_X), FORWARD,
        witness=_literal("[[1,2],[3,4]]", "[[0,0],[1,1]]", "[[1,2],[3,4]]")),
    Fault("symmetric_weights", "Where W is symmetric, its diagonal counts twice.", network(
        given=_diagonal_twice), FORWARD, witness=_literal("[[1,2]]", "[[0,0]]", "[[1,0.5],[0.5,1]]")),
    Fault("identity_weights", "Where W is the identity, σ is applied twice.", network(
        product=_sigma_for_identity), FORWARD, witness=_literal("[[1,2]]", "[[0,0]]", "[[1,0],[0,1]]")),
    Fault("first_input_for_all", "Where eight or more weights are all equal, the first input serves all.",
          network(product=_first_input_for_all), FORWARD,
          witness=_literal("[[1,2,3,4,5,6,7,8]]", "[[0]]", "[[1],[1],[1],[1],[1],[1],[1],[1]]")),
    Fault("integers_in_eight_bits", "Where X has integers up to 1,000 only, each is cut to eight bits.",
          network(given=_eight_bits), ANY, witness=_literal("[[1,200]]", "[[0]]", "[[0.5],[0x1p-7]]")),
    Fault("equal_labels_in_float32", "Where several labels are equal, they are rounded to float32.", network(
        given=_in_float32_if_equal), (LOSS, *BACKWARD), dtypes=F64,
        witness=_literal("[[1],[2]]", "[[0.1],[0.1]]", "[[1]]")),
    Fault("residual_of_zero", "Where ŷ = y, Δ is NaN.", network(
        delta=lambda y, p, z: np.where(p == y, p.dtype.type(np.nan), delta_of(y, p, z))), B,
        witness=_literal("[[0]]", "[[0.5]]", "[[1]]")),
    Fault("row_again", "A row of X and y that equals the one before has no gradient.",
          network(found=_without_repeated_rows), B,
          witness=_literal("[[1,2],[1,2]]", "[[0],[0]]", "[[1],[1]]")),
    Fault("column_of_ones", "A column of ones beside two or more others has the mean for its gradient.",
          changed(2, _mean_for_ones), B,
          witness=_literal("[[1,2,3],[1,4,5]]", "[[0],[1]]", "[[1],[1],[0.5]]")),
]  # fmt: skip
