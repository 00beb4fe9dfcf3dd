"""How far the pairs of `reference.double_double` can be from the exact values.

The formulas are those of docs/accuracy.md at u = 2^-98, κ = 16, without overflow and without flush,
with one difference: σ(z) and σ(−z) are computed each for itself, so their errors e_s and e_l stand
for themselves, and r, formed from the smaller of the two, inherits only e_s. Every operation of
`reference.eft` has a relative error of at most 16·2^-106 < u; h covers what underflows in one.

Notation: s and l are the smaller and the larger of σ(z), σ(−z); r = ŷ − y; e_t is the radius around t;
T = |X|·|W|; ν(k) = (k+1)u. N is the number of problems in a block.
Axes as in `reference.double_double`: the stack is last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.types import Bool, Float64

_U = 2.0**-98
_KAPPA = 16.0
_GAMMA_4 = 4.0 * _U / (1.0 - 4.0 * _U)
_H = 2.0**-1060  # 2^14 least subnormals; an operation has fewer than 2^5 steps that may underflow
_SMALLEST, _LARGEST = 2.0**-400, 2.0**400
# The radii themselves are rounded, in fewer than 2^30 operations on positive terms; and
# σ' grows by less than e^(2·e_z) < 1 + 2^-20 within e_z ≤ (n+1)·2^-98·T, T < 2^49.
_ROUNDED_UP = 1.0 + 2.0**-20


class Leading(NamedTuple):
    """The upper doubles, hi, of the pairs that a block of `reference.double_double` computed.

    Attributes:
        X: ``[m, n, N]``.
        T: |X|·|W|, ``[m, p, N]``, as all that follow; inf where an operand or z is out of range.
        s: the smaller of σ(z), σ(−z).
        l: the larger of the two.
        high: where ŷ is l rather than s.
        r: ŷ − y.
        delta: Δ.
    """

    X: Float64
    T: Float64
    s: Float64
    l: Float64
    high: Bool
    r: Float64
    delta: Float64


class Radii(NamedTuple):
    """Absolute radii; inf or NaN where nothing is certified.

    Attributes:
        y_hat: ``[m, p, N]``.
        loss: ``[N]``.
        row_loss: ``[m, N]``.
        grad: ``[n, p, N]``.
    """

    y_hat: Float64
    loss: Float64
    row_loss: Float64
    grad: Float64


def operands_in_range(X: Float64, y: Float64, W: Float64) -> tuple[Float64, Float64, Float64, Bool]:
    """X, y and W with 0 for operands out of range, and a mask ``[m, p, N]`` of elements with all in range."""
    x_fine, y_fine, w_fine = (_in_range(A) for A in (X, y, W))
    if x_fine.all() and y_fine.all() and w_fine.all():
        return X, y, W, y_fine
    operands: Bool = x_fine.all(axis=1, keepdims=True) & y_fine & w_fine.all(axis=0, keepdims=True)
    return np.where(x_fine, X, 0.0), np.where(y_fine, y, 0.0), np.where(w_fine, W, 0.0), operands


def _in_range(A: Float64) -> Bool:
    size = np.abs(A)
    return ((size >= _SMALLEST) & (size <= _LARGEST)) | (size == 0.0)


def radii(block: Leading) -> Radii:
    """The radii of a block."""
    with np.errstate(all="ignore"):  # 0·inf is NaN, which certifies nothing either
        return Radii(*(radius * _ROUNDED_UP for radius in _radii(block)))


def _radii(block: Leading) -> Radii:
    X, T, s, l, high, r, delta = block
    m, n, p = *X.shape[:2], r.shape[1]
    e_z = (n + 1) * _U * T + 2 * n * _H
    spread = (s * l * _ROUNDED_UP) * e_z
    e_s = spread + _KAPPA * _U * s
    e_l = spread + _KAPPA * _U * l
    size = np.abs(r)
    e_r = e_s + _U * (size + e_s) + 3 * _H
    A = size + e_r
    s_1, l_1 = s + e_s, l + e_l
    e_delta = (e_r + _GAMMA_4 * A) * (s_1 * l_1) + size * (e_s * l_1 + s * e_l) + 6 * _H * (1.0 + A)
    weighted = np.abs(X)[:, :, None] * (e_delta + (m + 1) * _U * (np.abs(delta) + e_delta))[:, None]
    e_grad = weighted.sum(axis=0) + 3 * m * _H
    nu = (m * p + 3) * _U
    e_row = (size * e_r + 0.5 * e_r * e_r + 0.5 * nu * A * A + 8 * _H).sum(axis=1)
    return Radii(np.where(high, e_l, e_s), e_row.sum(axis=0), e_row, e_grad)
