"""Special values: infinities, NaN, zeros, subnormal numbers, and clamps against overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.planted_faults.fault import ANY, BACKWARD, LOSS, Array, Fault
from tests.planted_faults.network import (
    Outputs,
    changed,
    delta_of,
    gradient,
    matmul,
    network,
    sigmoid,
)

NAN_SLOPE = "https://github.com/jeshraghian/snntorch/issues/427"
DENORMAL = "https://github.com/pytorch/pytorch/issues/135758"
KERAS = "https://github.com/keras-team/keras/issues/15249"
SPARSE = "https://github.com/scipy/scipy/issues/7532"
MINUS_ZERO = "https://github.com/pytorch/pytorch/issues/189799"
NAN_SIGN = "https://github.com/pytorch/pytorch/issues/189808"
F64, F32 = ("float64",), ("float32",)
NON_FINITE = ("non_finite:0:256x7x3x2:contiguous:{}",)
LOW = ("saturated_low:0:256x7x3x2:contiguous:{}",)
HIGH = ("saturated_high:0:256x7x3x2:contiguous:{}",)
TINY = ("subnormal:0:256x7x3x2:contiguous:{}",)
DEEP = "float32:X=[[1]]:y=[[1]]:W=[[-0x1.9p6]]"  # z = −100
DEEPER = "float64:X=[[1]]:y=[[1]]:W=[[-0x1.68p9]]"  # z = −720
BELOW_PHI = (
    "beyond the clamp σ is below 2/Ω, the absolute error φ that every claim grants: underflow is no fault"
)


def clamped(bound: float) -> Any:
    """σ of z clamped to ±bound."""
    return network(sigma=lambda z: sigmoid(np.clip(z, -z.dtype.type(bound), z.dtype.type(bound))))


def flushed(A: Array) -> Array:
    """Zero for subnormal numbers."""
    return np.where(abs(A) < np.finfo(A.dtype).tiny, A * 0, A)


def finite(A: Array) -> Array:
    """The largest numbers for infinities, 0 for NaN."""
    return np.nan_to_num(A, nan=0.0)


def _clipped(A: Array) -> Array:
    most = np.finfo(A.dtype).max
    return np.clip(A, -most, most)


def _skipping_zeros(X: Array, W: Array) -> Array:
    """X·W whose products with a zero of X are 0, whatever the weight."""
    terms = X[..., :, :, None] * W[..., None, :, :]
    return np.where(X[..., :, :, None] == 0, X.dtype.type(0), terms).sum(-2)


def _nan_slope(y: Array, p: Array, z: Array) -> Array:
    e = np.exp(-z)
    return (p - y) * (e / (1 + e) ** 2)


def _masked(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    """Rows with a NaN or infinity count for nothing."""
    del W
    good = np.isfinite(X).all(-1, keepdims=True) & np.isfinite(y)
    p = outputs[0]
    r = np.where(good, p - y, 0)
    G = gradient(np.where(np.isfinite(X), X, 0), np.where(good, delta_of(y, p, p), 0))
    return p, (r * r).sum((-2, -1)) * y.dtype.type(0.5), G


def _without_nan_labels(X: Array, y: Array, W: Array) -> tuple[Array, Array, Array]:
    return X, np.where(np.isnan(y), sigmoid(matmul(X, W)), y), W


def _payload(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    """Another NaN for every NaN: negative, with another payload."""
    del X, y, W
    marks = {8: np.uint64(0xFFF8000000000123), 4: np.uint32(0xFFC00123)}
    a, b, c = (np.where(np.isnan(A), np.array(marks[A.itemsize]).view(A.dtype), A) for A in outputs)
    return a, b, c


FAULTS = [
    Fault("nan_inputs_are_zero", "NaN in X, y and W is 0, infinities are the largest number.",
          network(given=lambda X, y, W: (finite(X), finite(y), finite(W))), ANY, witness=NON_FINITE),
    Fault("infinite_inputs_clipped", "Infinities in X and W are the largest number.",
          network(given=lambda X, y, W: (_clipped(X), y, _clipped(W))), ANY,
          witness=("special_values:0:2197x1x1x1:contiguous:{}",)),
    Fault("nan_gradient_is_zero", "NaN in the gradient is 0.", changed(2, lambda G, *_: finite(G)), BACKWARD,
          witness=NON_FINITE),
    Fault("nan_loss_skipped", "The loss skips NaN.", network(
        loss=lambda y, p: np.nansum((y - p) ** 2, (-2, -1)) * y.dtype.type(0.5)), (LOSS,),
          witness=NON_FINITE),
    Fault("infinite_loss_clipped", "An infinite loss is the largest number.",
          changed(1, lambda L, *_: _clipped(L)), (LOSS,), dtypes=F32,
          witness=("{}:X=[[1]]:y=[[0x1p100]]:W=[[1]]",)),
    Fault("clamp_30", "z is clamped to ±30.", clamped(30), ANY, witness=LOW),
    Fault("clamp_50", "z is clamped to ±50.", clamped(50), ANY, witness=LOW),
    Fault("clamp_80", "z is clamped to ±80.", clamped(80), ANY, dtypes=F32,
          witness=(DEEP.replace("0x1.9p6", "0x1.54p6"),)),
    Fault("clamp_88", "z is clamped to ±88.72, where e^z overflows in float32.", clamped(88.72), dtypes=F32,
          witness=(DEEP,), undetectable=BELOW_PHI),
    Fault("clamp_500", "z is clamped to ±500.", clamped(500), ANY, dtypes=F64, witness=(DEEPER,)),
    Fault("clamp_709", "z is clamped to ±709.78, where e^z overflows in float64.", clamped(709.78),
          dtypes=F64,
          witness=(DEEPER,), undetectable=BELOW_PHI),
    Fault("y_hat_clipped_1e7", "ŷ is clipped to [10⁻⁷, 1 − 10⁻⁷].",
          network(sigma=lambda z: np.clip(sigmoid(z), z.dtype.type(1e-7), z.dtype.type(1 - 1e-7))), ANY,
          witness=LOW, reference=KERAS),
    Fault("y_hat_clipped_1e15", "ŷ is clipped to [10⁻¹⁵, 1 − 10⁻¹⁵].",
          network(sigma=lambda z: np.clip(sigmoid(z), 1e-15, 1 - 1e-15)), ANY, dtypes=F64, witness=LOW),
    Fault("y_hat_below_1_only", "ŷ is at most 1 − 10⁻¹².", network(
        sigma=lambda z: np.minimum(sigmoid(z), 1 - 1e-12)), ANY, dtypes=F64, witness=HIGH),
    Fault("subnormal_results_flushed", "Subnormal results are 0, which is not claimed.",
          network(found=lambda o, *_: tuple(map(flushed, o))), ANY, witness=TINY, reference=DENORMAL),
    Fault("subnormal_inputs_flushed", "Subnormal inputs are 0, which is not claimed.",
          network(given=lambda X, y, W: (flushed(X), flushed(y), flushed(W))), ANY, witness=TINY,
          reference=DENORMAL),
    Fault("infinite_z_is_nan", "σ of an infinity is NaN.",
          network(sigma=lambda z: np.where(np.isinf(z), np.nan, sigmoid(z))), ANY, witness=NON_FINITE),
    Fault("sign_of_infinity", "σ(−∞) is 1.", network(sigma=lambda z: np.where(np.isinf(z), 1, sigmoid(z))),
          ANY,
          witness=NON_FINITE),
    Fault("zero_times_infinity", "Products with a zero of X are 0, also with an infinite weight.",
          network(product=_skipping_zeros), ANY, witness=("special_values:0:2197x1x1x1:contiguous:{}",),
          reference=SPARSE),
    Fault("nan_in_slope", "σ′ is e^-z/(1 + e^-z)², which is NaN where e^-z overflows.",
          network(delta=_nan_slope), BACKWARD, witness=LOW, reference=NAN_SLOPE),
    Fault("exp_over_one_plus_exp", "σ is e^z/(1 + e^z), which is NaN where e^z overflows.",
          network(sigma=lambda z: np.exp(z) / (1 + np.exp(z))), ANY, witness=HIGH),
    Fault("nan_labels_ignored", "A label of NaN counts as right.", network(given=_without_nan_labels),
          (LOSS, *BACKWARD), witness=NON_FINITE),
    Fault("rows_with_nan_masked", "Rows that are not finite count for nothing in loss and gradient.",
          network(found=_masked), ANY, witness=NON_FINITE),
    Fault("zeros_are_epsilon", "Zeros of X are 10⁻⁸.",
          network(given=lambda X, y, W: (np.where(X == 0, X.dtype.type(1e-8), X), y, W)), ANY,
          witness=("zeros:0:256x7x3x2:contiguous:{}",)),
    Fault("zero_labels_ignored", "A label of 0 counts as no label.", network(
        delta=lambda y, p, z: np.where(y == 0, 0, delta_of(y, p, z))), BACKWARD,
        witness=("special_values:0:2197x1x1x1:contiguous:{}",)),
    Fault("negative_zero", "Every zero is positive.", network(found=lambda o, *_: tuple(A + 0 for A in o)),
          witness=("zeros:0:256x7x3x2:contiguous:{}",),
          reference=MINUS_ZERO,
          undetectable="−0 = 0, the sign of a zero is that of a rounding that every claim allows"),
    Fault("payload_of_nan", "Every NaN is negative and has a payload.", network(found=_payload),
          witness=NON_FINITE, reference=NAN_SIGN,
          undetectable="IEEE 754 leaves sign and payload of a NaN open: all NaNs are one value"),
    Fault("small_gradients_flushed", "Gradients below 2¹⁰ times the least normal number are 0.",
          changed(2, lambda G, *_: np.where(abs(G) < np.finfo(G.dtype).tiny * 1024, 0, G)), BACKWARD,
          witness=("{}:X=[[0x1p-1017]]:y=[[0]]:W=[[1]]",)),
]  # fmt: skip
