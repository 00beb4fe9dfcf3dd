"""Broadcasting: an array serves where another should, or axes are taken for each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.planted_faults.fault import BACKWARD, DELTA, FORWARD, GRAD, LOSS, RESIDUAL, SLOPE, Array, Fault, Z
from tests.planted_faults.network import (
    Outputs,
    changed,
    gradient,
    half_squares,
    healthy,
    matmul,
    network,
    transpose,
)

MSE = "https://github.com/pytorch/pytorch/issues/4938"
SQUEEZED = "https://github.com/deepset-ai/FARM/issues/229"


def _first(A: Array) -> Array:
    """The first matrix of a stack for all."""
    return np.broadcast_to(A.reshape(-1, *A.shape[-2:])[0], A.shape)


def _outer(outputs: Outputs, X: Array, y: Array, W: Array) -> Outputs:
    """y of shape [m] against ŷ of shape [m, 1]: every label with every prediction."""
    del W
    p = outputs[0]
    if y.shape[-1] != 1:
        return outputs
    r = p - transpose(y)  # [*stack, m, m]
    return p, (r * r).sum((-2, -1)) * y.dtype.type(0.5), gradient(X, r.sum(-1, keepdims=True) * p * (1 - p))


def _fortran(X: Array) -> Array:
    """The stack of X as if its axes lay in memory in the opposite order."""
    return X.reshape(-1, *X.shape[-2:]).transpose(1, 0, 2).reshape(X.shape) if X.ndim > 2 else X


def _two_axes(X: Array, y: Array, W: Array) -> Any:
    outputs = healthy(X, y, W)
    if X.ndim != 4:
        return outputs
    G = outputs[2]
    return outputs[0], outputs[1], G.swapaxes(0, 1).reshape(G.shape)


def _no_axis(X: Array, y: Array, W: Array) -> Any:
    y_hat, loss, G = healthy(X, y, W)
    return y_hat, loss, G / 2 if X.ndim == 2 else G


def _along_inner(W: Array) -> Array:
    return np.broadcast_to(W[..., :1, :, :], W.shape) if W.ndim > 3 else W


def _axes_reversed(W: Array) -> Array:
    axes = W.ndim - 2
    return W.transpose(*range(axes)[::-1], axes, axes + 1).reshape(W.shape) if axes > 2 else W


def _stack_as_rows(X: Array) -> Array:
    return X.swapaxes(0, 1) if X.ndim == 3 and X.shape[0] == X.shape[1] else X


FAULTS = [
    Fault("label_of_first_output", "The labels of the first output serve all outputs.", network(
        given=lambda X, y, W: (X, np.broadcast_to(y[..., :1], y.shape), W)), (LOSS, RESIDUAL)),
    Fault("label_of_first_row", "The labels of the first row serve all rows.", network(
        given=lambda X, y, W: (X, np.broadcast_to(y[..., :1, :], y.shape), W)), (LOSS, RESIDUAL)),
    Fault("label_of_first_network", "The labels of the first network serve the stack.",
          network(given=lambda X, y, W: (X, _first(y), W)), (LOSS, *BACKWARD)),
    Fault("weights_of_first_network", "The weights of the first network serve the stack.",
          network(given=lambda X, y, W: (X, y, _first(W))), (*FORWARD, *BACKWARD)),
    Fault("inputs_of_first_network_in_gradient", "Xᵀ is that of the first network of the stack.",
          network(grad=lambda X, d: gradient(_first(X), d)), BACKWARD),
    Fault("loss_of_first_network", "The loss of the first network stands in the whole stack.",
          changed(1, lambda L, *_: np.broadcast_to(L.ravel()[:1], L.size).reshape(L.shape)), (LOSS,)),
    Fault("outer_residual", "With one output every label meets every prediction: [m] against [m, 1].",
          network(found=_outer), (LOSS, GRAD), witness=("ordinary:0:16x7x3x1:contiguous:{}",), reference=MSE),
    Fault("squeezed_predictions", "The loss alone pairs every label with every prediction.", network(
        loss=lambda y, p: ((p - transpose(y)) ** 2).sum((-2, -1)) * y.dtype.type(0.5) if y.shape[-1] == 1
        else half_squares(y, p)), (LOSS,), witness=("ordinary:0:16x7x3x1:contiguous:{}",),
          reference=SQUEEZED),
    Fault("stack_and_rows_mixed", "The rows of X are read as if the stack were the inner axis.",
          network(given=lambda X, y, W: (_fortran(X), y, W)), (*FORWARD, LOSS, GRAD)),
    Fault("weights_of_last_output", "The weights of the last output serve all outputs.", network(
        product=lambda X, W: matmul(X, np.broadcast_to(W[..., -1:], W.shape))), (Z,)),
    Fault("gradient_of_first_output", "The gradient of the first output stands in all columns.",
          changed(2, lambda G, *_: np.broadcast_to(G[..., :1], G.shape)), (GRAD,)),
    Fault("kept_axis", "The residual is the mean over the outputs, kept as an axis.", network(
        delta=lambda y, p, _: (p - y).mean(-1, keepdims=True) * p * (1 - p)), (GRAD,)),
    Fault("slope_of_first_row", "The slope of the first row serves all rows.", network(
        delta=lambda y, p, _: (p - y) * (p * (1 - p))[..., :1, :]), (SLOPE, DELTA)),
    Fault("two_stack_axes_swapped", "With two stack axes the gradients are in the order of the swapped axes.",
          lambda: _two_axes, (GRAD,), witness=("ordinary:0:3x5x7x3x2:contiguous:{}",)),
    Fault("no_stack_axis", "Without a stack axis the gradient is halved.", lambda: _no_axis, BACKWARD,
          witness=("ordinary:0:7x3x2:contiguous:{}",)),
    Fault("labels_transposed_where_square", "Where m = p the labels are transposed.", network(
        given=lambda X, y, W: (X, transpose(y) if y.shape[-1] == y.shape[-2] else y, W)), (LOSS, RESIDUAL),
        witness=("ordinary:0:16x3x5x3:contiguous:{}",)),
    Fault("inner_stack_axis", "With two stack axes, W of the first place of the inner one serves all.",
          network(given=lambda X, y, W: (X, y, _along_inner(W))), FORWARD,
          witness=("ordinary:0:3x5x7x3x2:contiguous:{}",)),
    Fault("three_stack_axes_reversed", "With three stack axes, W is read with the first as the inner one.",
          network(given=lambda X, y, W: (X, y, _axes_reversed(W))), FORWARD,
          witness=("ordinary:0:2x3x4x2x3x2:contiguous:{}",)),
    Fault("stack_as_rows", "With as many networks as rows, each network gets a row of every other in z.",
          network(product=lambda X, W: matmul(_stack_as_rows(X), W)), FORWARD,
          witness=("ordinary:0:4x4x3x2:contiguous:{}",)),
]  # fmt: skip
