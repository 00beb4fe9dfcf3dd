"""The network as users write it with `torch.nn`: `Linear` without bias, `Sigmoid` and `MSELoss`.

`Linear` has no stack axis and stores W transposed, so each network of a stack is evaluated on its own.
`MSELoss` is a mean of squares by default: L is half of it times the number of elements. In float16 it returns
their sum, and L is half of that: the mean's gradient, 2(ŷ − y) by the number of elements, would soon be
subnormal there, and from 65520 elements on their number overflows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from adapters.pytorch.claims import SUMMED

Tensor = torch.Tensor
Execute = Callable[[Any], Any]


class Modules:
    """The network as a `torch.nn` module, made once for each shape of W, dtype and device."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._made: dict[tuple[Any, ...], tuple[torch.nn.Linear, Callable[[Tensor], Tensor]]] = {}

    def __call__(self, X: Tensor, y: Tensor, W: Tensor) -> dict[str, Tensor]:
        """Return ŷ, L and ∂L/∂W of every network of the stack.

        Raises:
            NotImplementedError: y is empty, so that the mean of `MSELoss` is undefined.
        """
        if not y.numel():
            raise NotImplementedError("torch.nn.MSELoss: the mean of no numbers is undefined")
        stack = W.shape[:-2]
        flat = (array.reshape((math.prod(stack), *array.shape[-2:])) for array in (X, y, W))
        parts = [self._trained(*one) for one in zip(*flat, strict=True)]
        columns = zip(("y_hat", "loss", "grad"), zip(*parts, strict=True), strict=True)
        return {name: torch.stack(values).reshape((*stack, *values[0].shape)) for name, values in columns}

    def _trained(self, X: Tensor, y: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ŷ, L and ∂L/∂W of one network."""
        linear, model = self._made.setdefault((*W.shape, W.dtype, W.device), self._module(W))
        with torch.no_grad():
            linear.weight.copy_(W.mT)
        linear.weight.grad = None
        y_hat = model(X)
        if y.dtype == getattr(torch, SUMMED):
            total = torch.nn.MSELoss(reduction="sum")(y_hat, y)
            loss = 0.5 * total
        else:
            mean, count = torch.nn.MSELoss()(y_hat, y), y.numel()
            loss = 0.5 * mean * count
        loss.backward()
        if linear.weight.grad is None:
            raise AssertionError  # backward leaves a gradient in every parameter
        return y_hat.detach(), loss.detach(), linear.weight.grad.mT

    def _module(self, W: Tensor) -> tuple[torch.nn.Linear, Callable[[Tensor], Tensor]]:
        """Return a linear layer of W's shape on its device, and the network as a module with that layer."""
        given = {"bias": False, "dtype": W.dtype, "device": W.device}
        linear = torch.nn.utils.skip_init(torch.nn.Linear, *W.shape, **given)  # type: ignore[no-untyped-call]  # it has no types
        return linear, self._execute(torch.nn.Sequential(linear, torch.nn.Sigmoid()))
