"""Tails: σ and its slope where ŷ is near 0 or 1."""

from __future__ import annotations

import numpy as np

from tests.planted_faults.fault import ANY, BACKWARD, Array, Fault
from tests.planted_faults.network import network, sigmoid

F64, F32 = ("float64",), ("float32",)
LOW = ("saturated_low:0:256x7x3x2:contiguous:{}",)
LITERAL = "{}:X=[[1]]:y=[[0]]:W=[[%s]]"
TANH = "https://github.com/chainer/chainer/pull/1047"


def at(z: str) -> tuple[str, ...]:
    """A witness with this z."""
    return (LITERAL.replace("%s", z),)


def _softplus(z: Array) -> Array:
    """σ(z) = e^-softplus(−z), where softplus(t) = t from t = 20 on."""
    return np.exp(-np.where(-z > 20, -z, np.log1p(np.exp(np.minimum(-z, 20)))))


def _log_slope(y: Array, p: Array, z: Array) -> Array:
    """σ′ = e^(−|z| − 2·log(1 + e^−|z|)), without the second term from |z| = 8 on."""
    a = abs(z)
    return (p - y) * np.exp(-a - 2 * np.where(a > 8, 0, np.log1p(np.exp(-a))))


def _single(A: Array) -> Array:
    return A.astype(np.float32).astype(A.dtype)


def _with_an_entry(z: Array) -> Array:
    y_hat = sigmoid(z)
    return np.where((z >= 3.125) & (z < 3.1875), y_hat * z.dtype.type(1 - 2.0**-19), y_hat)


FAULTS = [
    Fault("one_from_20", "σ is 1 from z = 20 on.", network(sigma=lambda z: np.where(z > 20, 1, sigmoid(z))),
          ANY,
          dtypes=F64, witness=at("0x1.5p4")),
    Fault("zero_from_20", "σ is 0 below z = −20.", network(sigma=lambda z: np.where(z < -20, 0, sigmoid(z))),
          ANY,
          witness=LOW),
    Fault("zero_from_80", "σ is 0 below z = −80.", network(sigma=lambda z: np.where(z < -80, 0, sigmoid(z))),
          ANY,
          witness=at("-0x1.54p6")),
    Fault("complement_in_float32", "1 − ŷ is formed from a ŷ in float32.", network(
        delta=lambda y, p, _: (p - y) * p * (1 - _single(p))), BACKWARD, dtypes=F64),
    Fault("tanh_form", "σ(z) is ½(1 + tanh(z/2)), which loses all digits of a small ŷ.",
          network(sigma=lambda z: z.dtype.type(0.5) * (1 + np.tanh(z / 2))), ANY, witness=LOW,
          reference=TANH),
    Fault("one_minus_sigma", "For negative z, ŷ is 1 − σ(−z).", network(
        sigma=lambda z: np.where(z < 0, 1 - sigmoid(-z), sigmoid(z))), ANY, witness=LOW),
    Fault("softplus_threshold", "σ is the exponential of a softplus with a threshold of 20.",
          network(sigma=_softplus), ANY, dtypes=F64, witness=at("-0x1.5p4")),
    Fault("log_slope", "The logarithm of σ′ lacks a term from |z| = 8 on.", network(delta=_log_slope),
          BACKWARD,
          witness=at("-0x1.2p3")),
    Fault("slope_zero_from_15", "σ′ is 0 from |z| = 15 on.", network(
        delta=lambda y, p, z: (p - y) * np.where(abs(z) > 15, 0, p * (1 - p))), BACKWARD, witness=LOW),
    Fault("exponential_below_minus_10", "Below z = −10, σ(z) is e^z.",
          network(sigma=lambda z: np.where(z < -10, np.exp(z), sigmoid(z))), ANY, witness=at("-0x1.5p3")),
    Fault("linear_above_10", "Above z = 10, σ(z) is 1 − e^-z.", network(
        sigma=lambda z: np.where(z > 10, 1 - np.exp(-z), sigmoid(z))), ANY, dtypes=F64,
          witness=at("0x1.5p3")),
    Fault("slope_overflow", "σ′ is ŷ²·e^-z, NaN where e^-z overflows.", network(
        delta=lambda y, p, z: (p - y) * (p * p * np.exp(-z))), BACKWARD, witness=at("-0x1.9p9")),
    Fault("tail_in_float32", "Beyond |z| = 8, σ is that of float32.",
          network(sigma=lambda z: np.where(abs(z) > 8, _single(sigmoid(_single(z))), sigmoid(z))), ANY,
          dtypes=F64, witness=at("-0x1.2p3")),
    Fault("fast_tanh", "tanh is 1 beyond |z/2| = 7.9, as in fast kernels of float32.", network(
        sigma=lambda z: z.dtype.type(0.5) * (1 + np.tanh(np.clip(z / 2, -7.9, 7.9)))), ANY, dtypes=F32,
        witness=LOW),
    Fault("bump_at_37", "Between z = 36 and 38 the gradient has a slope of 2⁻⁴⁰.", network(
        delta=lambda y, p, z: (p - y) * np.where((z > 36) & (z < 38), 2.0**-40, p * (1 - p))), BACKWARD,
        dtypes=F64, witness=at("0x1.23p5")),
    Fault("entry_of_a_table", "Between z = 3.125 and 3.1875, σ is off by 2⁻¹⁹, as by an entry of a table.",
          network(sigma=_with_an_entry), ANY, witness=at("0x1.94p1")),
]  # fmt: skip
