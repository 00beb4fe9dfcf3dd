"""ŷ, L and ∂L/∂W to about 100 bits in pairs of doubles, with a certified radius: fast, in pure NumPy.

It stands between float64, which is no judge of itself, and the oracle, which takes 30 µs a problem.
Inside this module the axes of the network come first and the stack comes last, in blocks that fit a
cache: for N problems X is ``[m, n, 1, N]``, W ``[1, n, p, N]``, y and everything after z ``[m, p, N]``.

With t = |z|, the smaller s = σ(−t) and the larger l = σ(t) are both relatively accurate, and
ŷ − y = ±(s − y′) with y′ = y (z ≤ 0) or 1−y (z > 0), so that nothing is lost in saturation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reference.certificate import Leading, operands_in_range, radii
from reference.eft import (
    Pair,
    add_accurately,
    multiply,
    multiply_double,
    square,
    total,
    two_product,
    two_sum,
)
from reference.exponential import logistic
from reference.types import Bool, Float64, Inputs, Labels, Weights

_BLOCK = 1 << 14  # products x·w in a block: measured, smaller ones pay NumPy's calls, larger ones the cache


class Certified(NamedTuple):
    """An output as hi + lo, within `radius` of the exact value; where nothing is certified, NaN, NaN and inf.

    Attributes:
        hi: float64, the double nearest to the sum.
        lo: float64, the rest.
        radius: float64, absolute.
    """

    hi: Float64
    lo: Float64
    radius: Float64

    @property
    def certified(self) -> Bool:
        """Where the radius is finite."""
        return np.asarray(np.isfinite(self.radius))


class DoubleDouble(NamedTuple):
    """The outputs of a stack.

    Attributes:
        y_hat: ``[*stack, m, p]``.
        loss: ``[*stack]``.
        row_loss: ``[*stack, m]``.
        grad: ∂L/∂W, ``[*stack, n, p]``.
    """

    y_hat: Certified
    loss: Certified
    row_loss: Certified
    grad: Certified


def evaluate(X: Inputs, y: Labels, W: Weights) -> DoubleDouble:
    """The outputs of a stack of networks as certified pairs.

    Results are not certified if they depend on an operand that is neither 0 nor within [2^-400, 2^400], or on
    a z with |z| + 2^-40·(|X|·|W|) ≥ 480. About 500 ns a problem at 1×3, stacked by thousands.

    Args:
        X: ``[*stack, m, n]``, any of the four dtypes, as y and W.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
    """
    stack, (m, n), p = X.shape[:-2], X.shape[-2:], W.shape[-1]
    count = math.prod(stack)
    stacked = [A.reshape(count, *A.shape[-2:]).transpose(1, 2, 0) for A in (X, y, W)]
    block = max(1, _BLOCK // (m * n * p))
    shapes = (m, p), (), (m,), (n, p)
    out = [[np.empty((*shape, count)) for _ in Certified._fields] for shape in shapes]
    for start in range(0, count, block):
        here = slice(start, start + block)
        with np.errstate(all="ignore"):  # a signalling NaN warns
            operands = [np.array(A[..., here], dtype=np.float64, order="C") for A in stacked]
            block_of_outputs = _block(*operands)
        for arrays, values in zip(out, block_of_outputs, strict=True):
            for array, value in zip(arrays, values, strict=True):
                array[..., here] = value
    return DoubleDouble(
        *(
            Certified(*(np.moveaxis(array, -1, 0).reshape((*stack, *shape)) for array in arrays))
            for arrays, shape in zip(out, shapes, strict=True)
        )
    )


def _block(X: Float64, y: Float64, W: Float64) -> tuple[Certified, ...]:
    """The outputs of one block, axes of the network first."""
    X, y, W, operands = operands_in_range(X, y, W)
    z, T = _product(X, W)
    usable = np.abs(z.hi) + 2.0**-40 * T < 480.0
    z = _where(usable, z, Pair(*np.zeros((2, 1, 1, 1))))
    high = z.hi > 0.0
    smaller, larger = logistic(Pair(np.abs(z.hi), np.where(high, z.lo, -z.lo)))
    r = _residual(smaller, y, high)
    delta = multiply(r, multiply(smaller, larger))  # (20)
    outputs = (_where(high, larger, smaller), *_losses(r), _gradient(X, delta))
    T = np.where(usable & operands, T, np.inf)
    bound = radii(Leading(X, T, smaller.hi, larger.hi, high, r.hi, delta.hi))
    return tuple(_certify(pair, radius) for pair, radius in zip(outputs, bound, strict=True))


def _product(X: Float64, W: Float64) -> tuple[Pair, Float64]:
    """z = X·W and T = |X|·|W|, both ``[m, p, N]``."""
    x, w = X[:, :, None], W[None]
    products = two_product(x, w)
    return total(products, axis=1), np.abs(products.hi).sum(axis=1)


def _residual(smaller: Pair, y: Float64, high: Bool) -> Pair:
    """ŷ − y (13) = ±(s − y′)."""
    complement = two_sum(np.ones_like(y), -y)
    minus_label = Pair(np.where(high, -complement.hi, -y), np.where(high, -complement.lo, 0.0))
    r = add_accurately(smaller, minus_label)
    return Pair(np.where(high, -r.hi, r.hi), np.where(high, -r.lo, r.lo))


def _where(condition: Bool, a: Pair, b: Pair) -> Pair:
    return Pair(np.where(condition, a.hi, b.hi), np.where(condition, a.lo, b.lo))


def _losses(r: Pair) -> tuple[Pair, Pair]:
    """L and the loss of each row."""
    squares = total(square(r), axis=1)
    row_loss = Pair(0.5 * squares.hi, 0.5 * squares.lo)
    return total(row_loss, axis=0), row_loss


def _gradient(X: Float64, delta: Pair) -> Pair:
    """Xᵀ·Δ (19)."""
    terms = multiply_double(X[:, :, None], Pair(delta.hi[:, None], delta.lo[:, None]))
    return total(terms, axis=0)


def _certify(pair: Pair, radius: Float64) -> Certified:
    certified = radius < np.inf
    if certified.all():
        return Certified(*pair, radius)
    hi, lo = (np.where(certified, part, np.nan) for part in pair)
    return Certified(hi, lo, np.where(certified, radius, np.inf))
