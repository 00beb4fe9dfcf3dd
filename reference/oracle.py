"""The document's quantities exactly: certified balls, at whatever precision the problem needs.

z = X·W is computed without any rounding. With e = exp(−|z|), the smaller of σ(z), σ(−z) is
s = e/(1+e) and the larger l = 1/(1+e), so that nothing cancels in saturation:

    ŷ − y = s − y (z ≤ 0),    ŷ − y = (1−y) − s (z > 0),    ŷ·(1−ŷ) = s·l.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np
from flint import arb, ctx

from reference.balls import (
    EXACT_BITS,
    Balls,
    contained,
    decimal,
    dot,
    excluded,
    hexadecimal,
    is_decided,
    precision,
    to_floats,
)
from reference.types import Array, Bool, Float64, Inputs, Labels, Weights

__all__ = [
    "Balls",
    "Exact",
    "contained",
    "decimal",
    "evaluate",
    "excluded",
    "hexadecimal",
    "inside",
    "is_decided",
    "to_floats",
]

_Matrix = list[list[arb]]

_GUARD_BITS = 32  # lost to rounding in the network; a wrong guess costs a second attempt, nothing else
_ZERO, _ONE, _HALF, _NAN = arb(0), arb(1), arb(1) / 2, arb("nan")


class Exact(NamedTuple):
    """The exact values: object arrays of `flint.arb`.

    Attributes:
        z: ``[*stack, m, p]``, exact: radius 0.
        y_hat: ŷ, ``[*stack, m, p]``.
        dL_dyhat: ŷ − y (13), ``[*stack, m, p]``.
        dyhat_dz: ŷ·(1−ŷ) (14–16), ``[*stack, m, p]``.
        delta: Δ (20), ``[*stack, m, p]``.
        loss: ``[*stack]``.
        row_loss: ``[*stack, m]``.
        grad: ∂L/∂W, ``[*stack, n, p]``.
    """

    z: Balls
    y_hat: Balls
    dL_dyhat: Balls
    dyhat_dz: Balls
    delta: Balls
    loss: Balls
    row_loss: Balls
    grad: Balls


def evaluate(X: Inputs, y: Labels, W: Weights, bits: int = 128) -> Exact:
    """The exact outputs of a stack of networks, as balls.

    The precision doubles until every ball of a problem is accurate to `bits` bits, or has a radius
    below 2^-2300: relative accuracy is out of reach where terms cancel to exactly zero, and where
    ŷ is as small as e^-1e308. There is no other limit. Elements that depend on a NaN or an infinity
    are NaN balls. About 30 µs a problem at 1×3.

    Args:
        X: ``[*stack, m, n]``, any of the four dtypes, as y and W.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        bits: relative accuracy of every ball, in bits.
    """
    stack, (m, n), p = X.shape[:-2], X.shape[-2:], W.shape[-1]
    finite = all(np.isfinite(A).all() for A in (X, y, W))
    operands = zip(*(_matrices(A, arb if finite else _ball) for A in (X, y, W)), strict=True)
    with precision(EXACT_BITS):
        problems = [_problem(rows, labels, weights, bits) for rows, labels, weights in operands]
    shapes = ((m, p),) * 5 + ((), (m,), (n, p))
    return Exact(*(_array(problems, i, (*stack, *shape)) for i, shape in enumerate(shapes)))


def _matrices(A: Array, to_ball: Callable[[float], arb]) -> Iterator[_Matrix]:
    """The matrices of a stack, one after the other, as lists of exact balls."""
    for matrix in A.astype(np.float64).reshape(math.prod(A.shape[:-2]), *A.shape[-2:]).tolist():
        yield [[to_ball(value) for value in row] for row in matrix]


def _ball(value: float) -> arb:
    return arb(value) if math.isfinite(value) else _NAN


def _array(problems: list[list[list[arb]]], output: int, shape: tuple[int, ...]) -> Balls:
    array = np.empty(math.prod(shape), dtype=object)
    array[:] = list(chain.from_iterable(problem[output] for problem in problems))
    return array.reshape(shape)


def _problem(X: _Matrix, y: _Matrix, W: _Matrix, bits: int) -> list[list[arb]]:
    """The outputs of one network in the order of `Exact`, each flat, at whatever precision they need."""
    ctx.prec = EXACT_BITS
    columns = list(zip(*W, strict=True))
    z = [dot(row, column) for row in X for column in columns]
    labels = [_ONE - label if t > _ZERO else label for t, label in zip(z, chain(*y), strict=True)]
    working = bits + _GUARD_BITS
    while True:
        ctx.prec = working
        outputs = [z, *_network(X, z, labels)]
        if all(is_decided(ball, bits) for output in outputs for ball in output):
            return outputs
        working *= 2


def _network(X: _Matrix, z: list[arb], labels: list[arb]) -> Iterator[list[arb]]:
    """All quantities after z, at the current precision; labels are y where z ≤ 0 and 1−y where z > 0."""
    m, p = len(X), len(z) // len(X)
    e = [(-abs(t)).exp() for t in z]
    larger = [_ONE / (_ONE + f) for f in e]
    smaller = [f * large for f, large in zip(e, larger, strict=True)]
    high = [t > _ZERO for t in z]
    yield [large if up else small for up, large, small in zip(high, larger, smaller, strict=True)]  # (10.1)
    r = [a - s if up else s - a for up, a, s in zip(high, labels, smaller, strict=True)]
    yield r  # (13)
    slope = [small * large for small, large in zip(smaller, larger, strict=True)]
    yield slope  # (16)
    delta = [a * b for a, b in zip(r, slope, strict=True)]
    yield delta  # (20)
    row_loss = [_HALF * dot(row, row) for row in (r[i * p : (i + 1) * p] for i in range(m))]
    yield [sum(row_loss[1:], row_loss[0])]
    yield row_loss
    yield [dot(x, delta[k::p]) for x in zip(*X, strict=True) for k in range(p)]  # (19)


def inside(X: Inputs, y: Labels, W: Weights, ends: Mapping[str, tuple[Float64, Float64]]) -> dict[str, Bool]:
    """Whether the exact value of each output lies within its [lo, hi]: decided, at any precision.

    A problem whose balls overlap an end is evaluated again with twice the accuracy, until the ball
    lies on one side of it or within 2^-2300 of it, which counts as inside. NaN is never inside.

    Args:
        X: ``[*stack, m, n]``, as for `evaluate`.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        ends: fields of `Exact` to (lo, hi), float64 of the shapes of those fields.
    """
    stack = X.shape[:-2]
    count = math.prod(stack)
    X, y, W = (A.reshape(count, *A.shape[-2:]) for A in (X, y, W))
    flat = {name: tuple(end.reshape(count, -1) for end in pair) for name, pair in ends.items()}
    within = {name: np.zeros(low.shape, dtype=bool) for name, (low, _) in flat.items()}
    todo, bits = np.arange(count), 128
    while todo.size:
        exact = evaluate(X[todo], y[todo], W[todo], bits)
        undecided = np.zeros(todo.size, dtype=bool)
        for name, (low, high) in flat.items():
            balls = getattr(exact, name).reshape(todo.size, -1)
            within[name][todo] = contained(balls, low[todo], high[todo])
            undecided |= ~(within[name][todo] | excluded(balls, low[todo], high[todo])).all(axis=1)
        todo, bits = todo[undecided], 2 * bits
    return {name: found.reshape(ends[name][0].shape) for name, found in within.items()}
