"""Adapters that are wrong at some sizes, in some memory or at some values only. They need NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference.types import Problem
from tests.faulty_adapters.wrong import Array, Planted, Result, forward, right

Where = Callable[[Problem], Any]


def wrong_where(holds: Where, part: Callable[[Array], Array] = lambda y_hat: y_hat) -> Callable[..., Result]:
    """ŷ is 0.123 in a part of it, a view, if a condition holds for X, y and W."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        if holds(Problem(X, y, W)):
            part(y_hat)[...] = 0.123
        return y_hat, loss, grad

    return evaluate


def refusing_where(holds: Where) -> Callable[..., Result]:
    """Refuses if a condition holds for X, y and W."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        if holds(Problem(X, y, W)):
            raise NotImplementedError("too hard")
        return right(X, y, W)

    return evaluate


def without_grad(X: Array, y: Array, W: Array) -> dict[str, Array]:
    """Leaves out the gradient where a label is huge."""
    y_hat, loss, grad = right(X, y, W)
    outputs = {"y_hat": y_hat, "loss": loss, "grad": grad}
    if (np.abs(y.astype(np.float64)) > 1e6).any():
        del outputs["grad"]
    return outputs


def is_padded(X: Array) -> bool:
    """Whether the rows of X are C-ordered, with room between them."""
    size = X.itemsize
    return X.strides[-1] != size and X.shape[-1] > 1 and X.strides[-1] > 0


rows_from_16384 = Planted("rows-from-16384", wrong_where(lambda _: True, lambda y_hat: y_hat[..., 16384:, :]))
stacks_from_8193 = Planted("stacks-from-8193", wrong_where(lambda of: of.X.ndim > 2 and len(of.X) >= 8193))
inputs_from_64 = Planted("inputs-from-64", wrong_where(lambda of: of.X.shape[-1] >= 64))
outputs_from_4096 = Planted("outputs-from-4096", wrong_where(lambda of: of.y.shape[-1] >= 4096))
fortran = Planted(
    "fortran",
    wrong_where(lambda of: of.X.ndim == 2 and of.X.flags.f_contiguous and not of.X.flags.c_contiguous),
)
between = Planted("between", wrong_where(lambda of: is_padded(of.X)))
unaligned = Planted("unaligned", wrong_where(lambda of: of.X.ctypes.data % 64 == 8))
one_matrix = Planted("one-matrix", wrong_where(lambda of: of.X.ndim == 2))
two_stack_axes = Planted("two-stack-axes", wrong_where(lambda of: of.X.ndim == 4))
remainder = Planted("remainder", wrong_where(lambda of: of.X.shape[-2] % 16 == 15))
square = Planted("square", wrong_where(lambda of: of.X.shape[-1] == of.X.shape[-2] > 3))
last_of_many = Planted(
    "last-of-many", wrong_where(lambda of: of.X.shape[-2] > 1024, lambda y_hat: y_hat[..., -1, :])
)
refuses_saturated = Planted(
    "refuses-saturated", refusing_where(lambda of: bool((forward(of.X, of.W) == 1).any()))
)
leaves_out_grad = Planted("leaves-out-grad", without_grad)
refuses_many = Planted("refuses-many", refusing_where(lambda of: of.X.shape[-2] > 1000 or of.X.ndim > 3))
