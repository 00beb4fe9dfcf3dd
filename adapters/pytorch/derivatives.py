"""The ways to compute ∂L/∂W in PyTorch: functions of the forward pass and X, y, W that return all outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from adapters.pytorch.network import Forward, Tensor

Found = dict[str, Tensor]
Pass = Callable[[Tensor, Tensor, Tensor], Forward]
Derivative = Callable[[Pass, Tensor, Tensor, Tensor], Found]


def _found(forward: Forward, grad: Tensor) -> Found:
    return {"y_hat": forward.y_hat, "loss": forward.loss, "grad": grad, "row_loss": forward.row_loss}


def by_grad(run: Pass, X: Tensor, y: Tensor, W: Tensor) -> Found:
    """Compute ∂L/∂W by `torch.autograd.grad` of each network's loss."""
    weights = W.requires_grad_()
    forward = run(X, y, weights)
    (grad,) = torch.autograd.grad(forward.loss, weights, torch.ones_like(forward.loss))
    return _found(forward, grad)


def by_backward(run: Pass, X: Tensor, y: Tensor, W: Tensor) -> Found:
    """Compute ∂L/∂W by `backward`, which writes it to ``.grad``."""
    weights = W.requires_grad_()
    forward = run(X, y, weights)
    forward.loss.sum().backward()  # type: ignore[no-untyped-call]  # it has no types
    if weights.grad is None:
        raise AssertionError  # backward leaves a gradient in every leaf that requires one
    return _found(forward, weights.grad)


def by_checkpoint(run: Pass, X: Tensor, y: Tensor, W: Tensor) -> Found:
    """Compute ∂L/∂W under `torch.utils.checkpoint`: the backward pass computes the forward pass again."""
    weights = W.requires_grad_()
    forward = Forward(*checkpoint(run, X, y, weights, use_reentrant=False))
    (grad,) = torch.autograd.grad(forward.loss, weights, torch.ones_like(forward.loss))
    return _found(forward, grad)


def _each_network(function: Callable[..., Any], depth: int) -> Callable[..., Any]:
    """Return the function of one network, mapped by `torch.func.vmap` over `depth` stack axes."""
    for _ in range(depth):
        function = torch.func.vmap(function)
    return function


def _with_forward(run: Pass) -> Callable[..., tuple[Tensor, Forward]]:
    """Return the loss as a function of W, X, y that returns the whole forward pass as well."""

    def loss(W: Tensor, X: Tensor, y: Tensor) -> tuple[Tensor, Forward]:
        forward = run(X, y, W)
        return forward.loss, forward

    return loss


def by_func(run: Pass, X: Tensor, y: Tensor, W: Tensor) -> Found:
    """Compute ∂L/∂W by `torch.func.grad` of one network, under `torch.func.vmap` over the stack."""
    single = torch.func.grad(_with_forward(run), has_aux=True)
    grad, forward = _each_network(single, X.ndim - 2)(W, X, y)
    return _found(Forward(*forward), grad)


def by_jacfwd(run: Pass, X: Tensor, y: Tensor, W: Tensor) -> Found:
    """Compute ∂L/∂W by `torch.func.jacfwd`: forward mode, all directions at once, under `torch.func.vmap`."""
    if not W.numel():
        raise NotImplementedError("torch.func.jacfwd needs a direction, and W has none (2.13.0: IndexError)")
    single = torch.func.jacfwd(_with_forward(run), has_aux=True)
    grad, forward = _each_network(single, X.ndim - 2)(W, X, y)
    return _found(Forward(*forward), grad)


def by_jvp(run: Pass, X: Tensor, y: Tensor, W: Tensor) -> Found:
    """Compute ∂L/∂W by `torch.func.jvp`: forward mode, one direction of W at a time in all networks."""
    if 0 in W.stride():  # a direction is copied into memory with W's strides (2.13.0: RuntimeError)
        W = W.clone(memory_format=torch.contiguous_format)
    grad = torch.zeros_like(W)
    for i in range(W.shape[-2]):
        for k in range(W.shape[-1]):
            direction = torch.zeros_like(W)
            direction[..., i, k] = 1
            grad[..., i, k] = torch.func.jvp(lambda W: run(X, y, W).loss, (W,), (direction,))[1]
    return _found(run(X, y, W), grad)


# Transforms of functions: a mode that compiles compiles them with the forward pass. For all other derivatives
# it compiles the forward pass only, and autograd differentiates the compiled function.
TRANSFORMS = ("func", "jacfwd", "jvp")
DERIVATIVES: dict[str, Derivative] = {
    "grad": by_grad,
    "backward": by_backward,
    "checkpoint": by_checkpoint,
    "func": by_func,
    "jacfwd": by_jacfwd,
    "jvp": by_jvp,
}
