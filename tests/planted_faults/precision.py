"""Precision: computed in a narrower format, rounded by other rules, or approximated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import (
    ANY,
    BACKWARD,
    FORWARD,
    LOSS,
    RESIDUAL,
    SIGMA,
    SLOPE,
    Array,
    Evaluate,
    Fault,
)
from tests.planted_faults.network import (
    changed,
    gradient,
    half_squares,
    healthy,
    matmul,
    network,
    sigmoid,
)

TF32 = "https://github.com/pytorch/pytorch/issues/67384"
MLX = "https://github.com/ml-explore/mlx/issues/3860"
F64, F32 = ("float64",), ("float32",)


def inside(dtype: Any) -> Callable[[], Evaluate]:
    """Everything in another format."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        outputs = healthy(*(array.astype(dtype) for array in (X, y, W)))
        return tuple(np.asarray(output).astype(X.dtype) for output in outputs)

    return lambda: evaluate


def cut(bits: int) -> Callable[[Array], Array]:
    """Round the last bits of a float32 away, half to even."""

    def rounded(A: Array) -> Array:
        number = np.ascontiguousarray(A, np.float32).view(np.uint32).astype(np.uint64)
        number = number + ((1 << (bits - 1)) - 1 + ((number >> bits) & 1))
        number &= ~np.uint64((1 << bits) - 1)
        return number.astype(np.uint32).view(np.float32).reshape(A.shape).astype(A.dtype)

    return rounded


bfloat16, tf32 = cut(16), cut(13)


def through(dtype: Any) -> Callable[[Array], Array]:
    """Round to another format and back."""
    return lambda A: A.astype(dtype).astype(A.dtype)


single, half = through(np.float32), through(np.float16)


def schraudolph(z: Array) -> Array:
    """σ with an exponential made from the bits of a linear function."""
    bits = np.clip(-z.astype(np.float64) * (2**23 / np.log(2)) + 127 * 2**23 - 366393, 0, 2**31 - 2)
    return (1 / (1 + bits.astype(np.int32).view(np.float32))).astype(z.dtype)


def taylor(z: Array) -> Array:
    """σ near 0 by its Taylor polynomial of degree 5, elsewhere right."""
    t = z * z
    c = [z.dtype.type(value) for value in (1 / 4, -1 / 48, 1 / 480)]
    near = z.dtype.type(0.5) + z * (c[0] + t * (c[1] + t * c[2]))
    return np.where(abs(z) < 0.5, near, sigmoid(z))


def table(z: Array) -> Array:
    """σ by linear interpolation in a table of 4,097 values between −16 and 16."""
    grid = np.linspace(-16, 16, 4097)
    return np.interp(z.astype(np.float64), grid, 1 / (1 + np.exp(-grid))).astype(z.dtype)


def reciprocal(z: Array) -> Array:
    """1/(1 + e^-z) with a reciprocal of 12 bits and no Newton step."""
    return tf32((1 / (1 + np.exp(-z))).astype(np.float32)).astype(z.dtype)


def scaled_by(index: int, factor: float) -> Any:
    """One output times a factor."""
    return changed(index, lambda output, *_: output * output.dtype.type(factor))


def truncated(z: Array) -> Array:
    """σ from float64 arithmetic, rounded toward zero."""
    exact = 1 / (1 + np.exp(-z.astype(np.float64)))
    nearest = exact.astype(z.dtype)
    above = nearest.astype(np.float64) > exact
    return np.where(above, np.nextafter(nearest, z.dtype.type(0)), nearest).astype(z.dtype)


def double_rounded(z: Array) -> Array:
    """σ from float64 arithmetic, rounded to float32 and then to the format."""
    return (1 / (1 + np.exp(-z.astype(np.float64)))).astype(np.float32).astype(z.dtype)


def _loss_scaling(X: Array, delta: Array) -> Array:
    scale = X.dtype.type(2.0**12)
    return gradient(X, delta * scale) / scale


WITHIN = (
    "σ's error is at most {}, and every claim allows κ·u ≥ 3u: each value is one that an honest σ may return"
)


def _one_row_in_float32(X: Array, W: Array) -> Array:
    is_short = X.shape[-2] > 1 or X.shape[-1] < 32
    return matmul(X, W) if is_short else matmul(X.astype(np.float32), W.astype(np.float32)).astype(X.dtype)


def _sixteen_bits_from_16(X: Array, W: Array) -> Array:
    short = cut(8)
    return matmul(short(X), short(W)) if min(*X.shape[-2:], W.shape[-1]) >= 16 else matmul(X, W)


FAULTS = [
    Fault("float32_inside", "float32 inside, float64 outside.", inside(np.float32), ANY, dtypes=F64),
    Fault("float16_inside", "float16 inside.", inside(np.float16), ANY),
    Fault("inputs_in_bfloat16", "X and W are rounded to bfloat16.",
          network(given=lambda X, y, W: (bfloat16(X), y, bfloat16(W))), ANY, dtypes=F32),
    Fault("tf32", "The products round their inputs to TF32, which is not claimed.",
          network(product=lambda X, W: matmul(tf32(X), tf32(W)), grad=lambda X, d: gradient(tf32(X),
          tf32(d))),
          ANY, dtypes=F32, reference=TF32),
    Fault("tf32_backward", "Xᵀ·Δ rounds its inputs to TF32.",
          network(grad=lambda X, d: gradient(tf32(X), tf32(d))), BACKWARD, dtypes=F32, reference=MLX),
    Fault("exp_in_float32", "The exponential is that of float32.",
          network(sigma=lambda z: 1 / (1 + np.exp(-z.astype(np.float32)).astype(z.dtype))), ANY, dtypes=F64),
    Fault("labels_in_float32", "The labels are rounded to float32.",
          network(given=lambda X, y, W: (X, single(y), W)), (LOSS, *BACKWARD), dtypes=F64),
    Fault("weights_in_float32", "The weights are rounded to float32.",
          network(given=lambda X, y, W: (X, y, single(W))), ANY, dtypes=F64),
    Fault("inputs_in_float32_backward", "Xᵀ is rounded to float32.",
          network(grad=lambda X, d: gradient(single(X), d)), BACKWARD, dtypes=F64),
    Fault("loss_in_float32", "The loss is rounded to float32.",
          network(loss=lambda y, p: single(half_squares(y, p))), (LOSS,), dtypes=F64),
    Fault("gradient_in_float16", "The gradient is stored in float16.", changed(2, lambda G, *_: half(G)),
          BACKWARD),
    Fault("gradient_in_bfloat16", "The gradient is sent as bfloat16.", changed(2, lambda G, *_: bfloat16(G)),
          BACKWARD, dtypes=F32),
    Fault("slope_in_float32", "ŷ(1 − ŷ) is computed in float32.", network(
        delta=lambda y, p, _: (p - y) * (single(p) * (1 - single(p)))), (SLOPE, *BACKWARD), dtypes=F64),
    Fault("gradient_off_3e14", "The gradient is off by 3·10⁻¹⁴.", scaled_by(2, 1 + 3e-14), BACKWARD,
          dtypes=F64),
    Fault("gradient_off_6e6", "The gradient is off by 6·10⁻⁶.", scaled_by(2, 1 + 6e-6), BACKWARD, dtypes=F32),
    Fault("y_hat_off_3e15", "ŷ is off by 3·10⁻¹⁵.", scaled_by(0, 1 - 3e-15), FORWARD, dtypes=F64),
    Fault("loss_off_1e13", "The loss is off by 10⁻¹³.", scaled_by(1, 1 + 1e-13), (LOSS,), dtypes=F64),
    Fault("loss_off_1e5", "The loss is off by 10⁻⁵.", scaled_by(1, 1 + 1e-5), (LOSS,), dtypes=F32),
    Fault("schraudolph", "The exponential is Schraudolph's, right to 2 %.", network(sigma=schraudolph),
          (SIGMA,)),
    Fault("taylor", "Near 0 σ is a Taylor polynomial of degree 5.", network(sigma=taylor), (SIGMA, *FORWARD)),
    Fault("table", "σ is interpolated in a table of 4,097 values.", network(sigma=table), (SIGMA,)),
    Fault("reciprocal_of_12_bits", "The reciprocal has 12 bits.", network(sigma=reciprocal), (SIGMA,)),
    Fault("loss_scaling", "The gradient is that of 2¹²·L, divided by 2¹² after it overflowed.",
          network(grad=_loss_scaling), BACKWARD, dtypes=("float16",),
          witness=("huge_label:0:64x7x3x2:contiguous:{}",)),
    Fault("constant_in_float32", "The ½ of the loss is 0.50000001.",
          network(loss=lambda y, p: half_squares(y, p) * 1.00000002), (LOSS,), dtypes=F64),
    Fault("epsilon_in_sigma", "σ has 10⁻⁷ in its denominator.",
          network(sigma=lambda z: 1 / (1 + np.exp(-z) + 1e-7)), (SIGMA,), dtypes=F64),
    Fault("epsilon_in_slope", "ŷ(1 − ŷ) has 10⁻⁸ added.", network(
        delta=lambda y, p, _: (p - y) * (p * (1 - p) + y.dtype.type(1e-8))), (SLOPE, *BACKWARD), dtypes=F64),
    Fault("six_decimals", "ŷ is rounded to six decimals.", network(sigma=lambda z: np.round(sigmoid(z), 6)),
          (SIGMA, *FORWARD, LOSS)),
    Fault("residual_in_float32", "ŷ − y is rounded to float32.", network(
        delta=lambda y, p, _: single(p - y) * p * (1 - p)), (RESIDUAL, *BACKWARD), dtypes=F64),
    Fault("truncated_y_hat", "ŷ is rounded toward zero.",
          changed(0, lambda _p, X, _y, W: truncated(matmul(X, W))), dtypes=F32,
          undetectable=WITHIN.format("2u from the rounding and 2⁻²⁸ from float64")),
    Fault("double_rounded_y_hat", "ŷ is rounded twice, to float32 and to float16.",
          changed(0, lambda _p, X, _y, W: double_rounded(matmul(X, W))), dtypes=("float16",),
          undetectable=WITHIN.format("u(1 + 2⁻¹²) from both roundings")),
    Fault("wide_gradient_in_float32", "From 256 inputs and 8 outputs on, the gradient is rounded to float32.",
          changed(2, lambda G, *_: single(G) if G.shape[-2] >= 256 and G.shape[-1] >= 8 else G), BACKWARD,
          dtypes=F64, witness=("ordinary:0:3x260x9:contiguous:{}",)),
    Fault("one_row_in_float32", "With one row and from 32 inputs on, z is computed in float32.",
          network(product=_one_row_in_float32), FORWARD, dtypes=F64,
          witness=("ordinary:0:4x1x300x1:contiguous:{}",)),
    Fault("sixteen_bits_from_16", "Where m, n and p are 16 or more, X and W are cut to 16 bits.",
          network(product=_sixteen_bits_from_16), FORWARD, dtypes=F32,
          witness=("ordinary:0:16x16x16:contiguous:{}",)),
]  # fmt: skip
