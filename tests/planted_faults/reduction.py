"""Reductions that lose terms, count some twice, or add in another format or by another formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import BACKWARD, DELTA, FORWARD, GRAD, LOSS, Array, Fault, Z
from tests.planted_faults.network import gradient, half_squares, matmul, network, transpose

MASK = "https://github.com/pytorch/pytorch/issues/195845"
EUCLIDEAN = "https://github.com/scikit-learn/scikit-learn/issues/9354"
SEGMENTS = "https://github.com/Bears-R-Us/arkouda/pull/1036"
CUMSUM = "https://github.com/numpy/numpy/issues/24443"
LARGE = "https://github.com/tensorflow/tensorflow/issues/22123"


def rows(keep: Callable[[int], Any]) -> Any:
    """The gradient and the loss of some rows: `keep` says which of m, as a slice or an index."""
    return network(
        loss=lambda y, p: half_squares(y[..., keep(y.shape[-2]), :], p[..., keep(y.shape[-2]), :]),
        grad=lambda X, d: gradient(X[..., keep(X.shape[-2]), :], d[..., keep(X.shape[-2]), :]),
    )


def terms(keep: Callable[[int], Any]) -> Any:
    """z of some of the n terms."""
    return network(product=lambda X, W: matmul(X[..., keep(X.shape[-1])], W[..., keep(X.shape[-1]), :]))


def _tail_twice(m: int) -> Any:
    return np.r_[0:m, m - m % 4 : m] if m > 4 else slice(None)


def _overlapping(n: int) -> Any:
    return np.r_[0 : n // 2 + 1, n // 2 : n] if n >= 8 else slice(None)


def _adding_in(dtype: Any) -> Callable[[Array, Array], Array]:
    def product(A: Array, B: Array) -> Array:
        total = np.zeros(np.broadcast_shapes(A.shape[:-1], (*B.shape[:-2], A.shape[-2])), dtype)[..., None]
        total = np.repeat(total, B.shape[-1], axis=-1)
        for k in range(A.shape[-1]):
            total = total + (A[..., :, k, None] * B[..., k, None, :]).astype(dtype)
        return total.astype(A.dtype)

    return product


def _strassen(A: Array, B: Array) -> Array:
    """A·B by Strassen's seven products, one level, padded to even sizes."""
    rows, inner, columns = A.shape[-2], A.shape[-1], B.shape[-1]

    def quarters(M: Array) -> list[Array]:
        pad = [(0, 0)] * (M.ndim - 2) + [(0, size % 2) for size in M.shape[-2:]]
        M = np.pad(M, pad)
        r, c = M.shape[-2] // 2, M.shape[-1] // 2
        return [M[..., :r, :c], M[..., :r, c:], M[..., r:, :c], M[..., r:, c:]]

    a, b, c, d = quarters(A)
    e, f, g, h = quarters(B)
    p1, p2, p3, p4 = matmul(a, f - h), matmul(a + b, h), matmul(c + d, e), matmul(d, g - e)
    p5, p6, p7 = matmul(a + d, e + h), matmul(b - d, g + h), matmul(a - c, e + f)
    upper = np.concatenate([p5 + p4 - p2 + p6, p1 + p2], axis=-1)
    lower = np.concatenate([p3 + p4, p1 + p5 - p3 - p7], axis=-1)
    assert inner == B.shape[-2]
    return np.concatenate([upper, lower], axis=-2)[..., :rows, :columns]


def _by_squares(X: Array, W: Array) -> Array:
    """x·w = ½(‖x + w‖² − ‖x‖² − ‖w‖²)."""
    x, w = X[..., :, None, :], transpose(W)[..., None, :, :]
    whole, left, right = ((a * a).sum(-1) for a in (x + w, x, w))
    return (whole - left - right) * X.dtype.type(0.5)


def _expanded(y: Array, p: Array) -> Array:
    """½Σy² − Σyŷ + ½Σŷ²."""
    half = y.dtype.type(0.5)
    return half * (y * y).sum((-2, -1)) - (y * p).sum((-2, -1)) + half * (p * p).sum((-2, -1))


def _by_prefix_sums(y: Array, p: Array) -> Array:
    """The losses of the networks as differences of sums over all networks so far."""
    each = half_squares(y, p)
    sums = np.cumsum(each.ravel())
    return np.diff(sums, prepend=sums.dtype.type(0)).reshape(each.shape)


def _last_block_wins(X: Array, delta: Array) -> Array:
    m = X.shape[-2]
    start = m - (m % 32 or 32) if m > 32 else 0
    return gradient(X[..., start:, :], delta[..., start:, :])


def _float16_loss(y: Array, p: Array) -> Array:
    return half_squares(y, p).astype(np.float16).astype(y.dtype)


FAULTS = [
    Fault("last_row_dropped", "Loss and gradient lack the last of several rows.",
          rows(lambda m: slice(0, max(m - 1, 1))), (LOSS, GRAD)),
    Fault("first_row_only", "Loss and gradient are those of the first row.", rows(lambda _: slice(0, 1)),
          (LOSS, GRAD)),
    Fault("every_second_row", "Loss and gradient take every second row.", rows(lambda _: slice(None, None,
          2)),
          (LOSS, GRAD)),
    Fault("last_input_dropped", "z lacks the last of several inputs.",
          terms(lambda n: slice(0, max(n - 1, 1))), (Z,)),
    Fault("last_output_dropped", "The loss lacks the last of several outputs.", network(
        loss=lambda y, p: half_squares(y[..., : max(y.shape[-1] - 1, 1)], p[..., : max(y.shape[-1] - 1, 1)])),
        (LOSS,)),
    Fault("tail_of_rows_twice", "Rows beyond the last multiple of four count twice.", rows(_tail_twice),
          (LOSS, GRAD), reference=MASK),
    Fault("tail_of_rows_dropped", "Rows beyond the last multiple of four are lost.",
          rows(lambda m: slice(0, m - m % 4 or m)), (LOSS, GRAD)),
    Fault("tail_of_inputs_dropped", "Inputs beyond the last multiple of eight are lost.",
          terms(lambda n: slice(0, n - n % 8 or n)), (Z,), witness=("ordinary:0:64x2x33x1:contiguous:{}",)),
    Fault("pairwise_overlap", "From eight terms on the halves of a pairwise sum share a term.",
          terms(_overlapping), (Z,), witness=("ordinary:0:64x2x33x1:contiguous:{}",)),
    Fault("last_block_wins", "Blocks of 32 rows overwrite each other's gradient.",
          network(grad=_last_block_wins), (GRAD,), witness=("ordinary:0:4x64x8x3:contiguous:{}",)),
    Fault("row_128_lost", "The row between the first two blocks of 128 has no gradient.",
          network(grad=lambda X, d: gradient(np.delete(X, [128], -2), np.delete(d, [128], -2))
                  if X.shape[-2] > 128 else gradient(X, d)),
          (GRAD,), witness=("ordinary:0:1x255x3x2:contiguous:{}",)),
    Fault("sum_in_float16", "The gradient adds in float16.", network(
        grad=lambda X, d: _adding_in(np.float16)(transpose(X), d)), (GRAD, DELTA, *BACKWARD),
          reference=CUMSUM),
    Fault("sum_in_float32", "z adds in float32.", network(product=_adding_in(np.float32)), FORWARD,
          dtypes=("float64",)),
    Fault("gradient_in_float32", "The gradient adds in float32.", network(
        grad=lambda X, d: _adding_in(np.float32)(transpose(X), d)), BACKWARD, dtypes=("float64",)),
    Fault("loss_in_float16", "The loss is rounded to float16.", network(loss=_float16_loss), (LOSS,)),
    Fault("first_sixteen_terms", "z has the first 16 terms.", terms(lambda _: slice(0, 16)), (Z,),
          witness=("ordinary:0:64x2x33x1:contiguous:{}",)),
    Fault("first_thousand_rows", "Loss and gradient have the first 1,000 rows.", rows(lambda _: slice(0,
          1000)),
          (LOSS, GRAD), witness=("ordinary:0:1x1025x3x2:contiguous:{}",)),
    Fault("sum_of_maxima", "The loss adds the largest residual of each row.", network(
        loss=lambda y, p: (np.max((y - p) ** 2, -1) * y.dtype.type(0.5)).sum(-1)), (LOSS,)),
    Fault("strassen", "Xᵀ·Δ is Strassen's product, whose errors are those of the largest entries.",
          network(grad=lambda X, d: _strassen(transpose(X), d)), BACKWARD),
    Fault("product_by_squares", "x·w is ½(‖x + w‖² − ‖x‖² − ‖w‖²).", network(product=_by_squares), FORWARD,
          reference=EUCLIDEAN),
    Fault("expanded_square", "The loss is ½Σy² − Σyŷ + ½Σŷ².", network(loss=_expanded), (LOSS,),
          witness=("near_label:0:64x7x3x2:contiguous:{}",), reference=EUCLIDEAN),
    Fault("loss_by_prefix_sums", "The losses are differences of running sums over the stack.",
          network(loss=_by_prefix_sums), (LOSS,), reference=SEGMENTS),
    Fault("rows_modulo_block", "Loss and gradient lose the last row where m is above 100 and odd.",
          rows(lambda m: slice(0, m - (m > 100) * (m % 2))), (LOSS, GRAD),
          witness=("ordinary:0:1x1025x3x2:contiguous:{}",), reference=LARGE),
    Fault("input_512_lost", "The input between the first 512 and the others is lost.",
          terms(lambda n: np.delete(np.arange(n), [512] if n > 512 else [])), (Z, *FORWARD),
          witness=("ordinary:0:2x600x1:contiguous:{}",)),
]  # fmt: skip
