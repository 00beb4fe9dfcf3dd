"""Bound to a shape: wrong from a size on, at a remainder, or where two sizes are equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import (
    ANY,
    BACKWARD,
    DELTA,
    FORWARD,
    GRAD,
    LOSS,
    SLOPE,
    Array,
    Evaluate,
    Fault,
)
from tests.planted_faults.network import (
    Outputs,
    Problem,
    changed,
    delta_of,
    gradient,
    half_squares,
    matmul,
    network,
    transpose,
)

REDUCE = "https://github.com/tensorflow/tensorflow/issues/22123"
CUMSUM = "https://github.com/pytorch/pytorch/issues/143486"
MASK = "https://github.com/pytorch/pytorch/issues/195845"


def case(shape: str) -> tuple[str, ...]:
    """A witness of this shape."""
    return (f"ordinary:0:{shape}:contiguous:{{}}",)


def near(shape: str) -> tuple[str, ...]:
    """A witness of this shape whose rows weigh alike: all labels are near ŷ."""
    return (f"near_label:0:{shape}:contiguous:{{}}",)


def rows_from(limit: int, index: int) -> Callable[[], Evaluate]:
    """An output without the rows from a limit on: 0 for ŷ, 1 for L, 2 for ∂L/∂W."""

    def found(outputs: Outputs, X: Array, y: Array, W: Array) -> Any:
        del W
        p, loss, G = outputs
        if X.shape[-2] > limit:
            if index == 0:
                p = np.where(np.arange(X.shape[-2])[:, None] >= limit, p.dtype.type(0.5), p)
            elif index == 1:
                loss = half_squares(y[..., :limit, :], p[..., :limit, :])
            else:
                few, t = p[..., :limit, :], y[..., :limit, :]
                G = gradient(X[..., :limit, :], (few - t) * few * (1 - few))
        return p, loss, G

    return network(found=found)


def networks_from(limit: int, index: int) -> Callable[[], Evaluate]:
    """An output whose networks from a limit on are those from 0 on."""

    def change(output: Array, X: Array, y: Array, W: Array) -> Array:
        del y, W
        count = int(np.prod(X.shape[:-2], dtype=np.int64))
        if count <= limit:
            return output
        flat = output.reshape(count, *output.shape[X.ndim - 2 :])
        return flat[np.arange(count) % limit].reshape(output.shape)

    return changed(index, change)


def if_shape(condition: Callable[[int, int, int], bool], index: int = 2) -> Callable[[], Evaluate]:
    """An output off by an eighth where a condition on (m, n, p) holds."""

    def change(output: Array, X: Array, y: Array, W: Array) -> Array:
        del y
        wrong = condition(X.shape[-2], X.shape[-1], W.shape[-1])
        return output * output.dtype.type(1.125) if wrong else output

    return changed(index, change)


def terms_from(limit: int) -> Callable[[], Evaluate]:
    """z without the inputs from a limit on."""
    return network(product=lambda X, W: matmul(X[..., :limit], W[..., :limit, :]))


def _square(X: Array, delta: Array) -> Array:
    square = X.shape[-1] == X.shape[-2]
    return matmul(X, delta) if square else gradient(X, delta)


def _odd_inputs(X: Array, W: Array) -> Array:
    n = X.shape[-1]
    keep = n - n % 2 if n > 8 else n
    return matmul(X[..., :keep], W[..., :keep, :])


def remainder(k: int, r: int) -> Callable[[], Evaluate]:
    """The gradient without the last row where m is above k and leaves the remainder r."""

    def grad(X: Array, d: Array) -> Array:
        m = X.shape[-2]
        keep = m - 1 if m > k and m % k == r else m
        return gradient(X[..., :keep, :], d[..., :keep, :])

    return network(grad=grad)


def _transposed_if(condition: Callable[[int, int, int], bool]) -> Callable[[], Evaluate]:
    """Wᵀ for a square W where a condition on (m, n, p) holds."""

    def given(X: Array, y: Array, W: Array) -> Problem:
        return X, y, transpose(W) if condition(X.shape[-2], *W.shape[-2:]) else W

    return network(given=given)


def rows_lost(
    condition: Callable[[Array, Array], bool], keep: Callable[[int], int]
) -> Callable[[], Evaluate]:
    """The gradient of the first `keep(m)` rows where a condition on X and Δ holds."""

    def grad(X: Array, d: Array) -> Array:
        count = keep(X.shape[-2]) if condition(X, d) else X.shape[-2]
        return gradient(X[..., :count, :], d[..., :count, :])

    return network(grad=grad)


def _network_256(X: Array, y: Array, W: Array) -> Problem:
    """An index of eight bits, from 512 networks on one of 16."""
    if W.ndim == 3 and 256 < W.shape[0] < 512:
        W = W.copy()
        W[256] = W[0]
    return X, y, W


def _fifth_input(G: Array, X: Array, y: Array, W: Array) -> Array:
    del y, W
    fifth = np.arange(X.shape[-1])[:, None] == 4
    return np.where(fifth, 0, G) if X.ndim == 2 and X.shape[0] >= 1500 else G


def _million_products(X: Array, d: Array) -> Array:
    """The last network without its last row, above 2²⁰ products."""
    G = gradient(X, d)
    if X.size * d.shape[-1] > 1 << 20:
        flat = G.reshape(-1, *G.shape[-2:])
        x, e = (A.reshape(-1, *A.shape[-2:])[-1, :-1] for A in (X, d))
        flat[-1] = gradient(x, e)
    return G


def _masked_store(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    del y, W
    p = outputs[0].copy()
    if 33 <= X.shape[-2] <= 47:
        p[..., 32, :] = p[..., 31, :]
    return p, *outputs[1:]


def _tile_of_outputs(X: Array, W: Array) -> Array:
    """The last tile of 32 columns, shifted by one column."""
    p = W.shape[-1]
    start = p - p % 32
    shifted = np.concatenate([W[..., :start], np.roll(W[..., start:], 1, -1)], -1)
    return matmul(X, shifted if p > 32 and p % 32 > 1 else W)


def _sixteen_bit_rows(X: Array, W: Array) -> Array:
    rows = np.arange(X.shape[-2])
    return matmul(X[..., np.where(rows < 1 << 15, rows, rows % (1 << 15)), :], W)


def _off_at_31(y: Array, y_hat: Array, z: Array) -> Array:
    delta = delta_of(y, y_hat, z)
    if delta.shape[-2] >= 64:
        delta[..., 31::32, :] *= delta.dtype.type(1 + 2.0**-9)
    return delta


FAULTS = [
    Fault("gradient_from_row_1024", "Rows from 1,024 on have no gradient.", rows_from(1024, 2), (GRAD,),
          witness=case("1x1025x3x2")),
    Fault("loss_from_row_4096", "Rows from 4,096 on have no loss.", rows_from(4096, 1), (LOSS,),
          witness=near("1x4097x3x2"), reference=REDUCE),
    Fault("gradient_from_row_16384", "Rows from 16,384 on have no gradient.", rows_from(16384, 2), (GRAD,),
          witness=near("1x16385x3x2")),
    Fault("y_hat_from_row_16384", "ŷ is ½ in rows from 16,384 on.", rows_from(16384, 0), FORWARD,
          witness=case("1x16385x3x2")),
    Fault("loss_from_row_32702", "Rows from 32,702 on have no loss.", rows_from(32702, 1), (LOSS,),
          witness=near("1x32769x3x2"), reference=CUMSUM),
    Fault("gradient_from_row_65536", "Rows from 65,536 on have no gradient.", rows_from(65536, 2), (GRAD,),
          witness=near("1x65537x3x2")),
    Fault("stack_from_8192", "Gradients of networks from 8,192 on are those from 0 on.", networks_from(8192,
          2),
          ANY, witness=case("8193x1x3x1")),
    Fault("stack_from_32768", "Losses of networks from 32,768 on are those from 0 on.", networks_from(32768,
          1),
          ANY, witness=case("32769x1x3x1")),
    Fault("stack_from_65536", "ŷ of networks from 65,536 on are those from 0 on.", networks_from(65536, 0),
          ANY,
          witness=case("65537x1x3x1")),
    Fault("sixty_four_inputs", "z has the first 64 inputs.", terms_from(64), FORWARD,
          witness=case("4x1x300x1")),
    Fault("two_hundred_fifty_six_inputs", "z has the first 256 inputs.", terms_from(256), FORWARD,
          witness=case("4x1x300x1")),
    Fault("square_inputs", "Where m = n, X stands for Xᵀ.", network(grad=_square), (GRAD,),
          witness=case("16x3x3x2")),
    Fault("one_output", "With one output and several rows the gradient is off.",
          if_shape(lambda m, _n, p: p == 1 and m > 1), (GRAD, *BACKWARD), witness=case("16x7x3x1")),
    Fault("eight_outputs", "From eight outputs on the gradient is off.", if_shape(lambda _m, _n, p: p >= 8),
          (GRAD, *BACKWARD), witness=case("10x7x3x8")),
    Fault("five_outputs", "With five outputs the loss is off.", if_shape(lambda _m, _n, p: p == 5, 1),
          (LOSS,), witness=case("10x7x3x5")),
    Fault("odd_inputs", "From nine inputs on an odd last one is lost.", network(product=_odd_inputs), FORWARD,
          witness=case("64x2x33x1")),
    Fault("remainder_3_of_4", "The last of 4k + 3 rows has no gradient, from seven rows on.", remainder(4, 3),
          (GRAD,), reference=MASK),
    Fault("remainder_7_of_8", "The last of 8k + 7 rows has no gradient, from fifteen rows on.", remainder(8,
          7),
          (GRAD,), witness=case("4x15x3x2")),
    Fault("remainder_15_of_16", "The last of 16k + 15 rows has no gradient, from 31 rows on.", remainder(16,
          15),
          (GRAD,), witness=case("4x31x3x2")),
    Fault("remainder_1_of_32", "The last of 32k + 1 rows has no gradient, from 33 rows on.", remainder(32, 1),
          (GRAD,), witness=case("4x33x3x2")),
    Fault("sixty_four_rows", "With 64 rows the loss is off.", if_shape(lambda m, _n, _p: m == 64, 1), (LOSS,),
          witness=case("4x64x8x3")),
    Fault("power_of_two_rows", "With 128 or 256 rows the gradient is off.",
          if_shape(lambda m, _n, _p: m in (128, 256)), (GRAD, *BACKWARD), witness=case("2x128x3x2")),
    Fault("more_rows_than_inputs", "With ten times as many rows as inputs the gradient is off.",
          if_shape(lambda m, n, _p: m >= 10 * n), (GRAD, *BACKWARD), witness=case("2x31x3x2")),
    Fault("more_outputs_than_rows", "With more outputs than rows the gradient is off.",
          if_shape(lambda m, _n, p: p > m), (GRAD, *BACKWARD), witness=case("16x1x3x2")),
    Fault("single_input", "With one input and several rows the gradient is off.",
          if_shape(lambda m, n, _p: n == 1 and m > 1), (GRAD, *BACKWARD), witness=case("16x8x1x1")),
    Fault("sixteen_bit_index", "With more than 32,767 labels the loss is off.",
          if_shape(lambda m, _n, p: m * p > 32767, 1), (LOSS,), witness=case("1x16385x3x2")),
    Fault("hundred_thousand_rows", "From 100,000 rows on the gradient is off.",
          if_shape(lambda m, _n, _p: m >= 100_000), (GRAD, *BACKWARD), witness=case("1x131073x3x1")),
    Fault("blocks_of_1000", "Where X has 2¹⁸ numbers, rows beyond the last thousand have no gradient.",
          rows_lost(lambda X, _: X.size >= 1 << 18, lambda m: m - m % 1000 or m), (GRAD,),
          witness=near("1500x200x1")),
    Fault("half_as_many_rows", "Where n = p = 2m, W stands for Wᵀ.",
          _transposed_if(lambda m, n, p: n == p == 2 * m), FORWARD, witness=case("16x2x4x4")),
    Fault("cube", "Where m = n = p, W stands for Wᵀ.",
          _transposed_if(lambda m, n, p: m == n == p > 2), FORWARD, witness=case("16x3x3x3")),
    Fault("network_256", "In a stack of 257 to 511 networks, one has the weights of the first.",
          network(given=_network_256), FORWARD, witness=case("257x2x3x1")),
    Fault("fifth_input", "Without a stack axis and from 1,500 rows on, the fifth input has no gradient.",
          changed(2, _fifth_input), (GRAD,), witness=case("1500x5x2")),
    Fault("million_products", "Above 2²⁰ products the last row of the last network has no gradient.",
          network(grad=_million_products), (GRAD,), witness=near("101x104x101")),
    Fault("masked_store", "With 33 to 47 rows, ŷ of row 32 is that of row 31.",
          network(found=_masked_store), FORWARD, witness=case("16x40x3x2")),
    Fault("tile_of_outputs", "Outputs beyond the last multiple of 32 have each other's weights.",
          network(product=_tile_of_outputs), FORWARD, witness=case("2x3x35")),
    Fault("slope_of_row_31", "From 64 rows on, the slope of every 32nd row is off by 2⁻⁹.",
          network(delta=_off_at_31), (SLOPE, DELTA), witness=case("1x64x3x2")),
    Fault("sixteen_bit_rows", "From row 32,768 on, z is that of the rows from 0 on.",
          network(product=_sixteen_bit_rows), FORWARD, witness=case("1x32769x3x1")),
]  # fmt: skip
