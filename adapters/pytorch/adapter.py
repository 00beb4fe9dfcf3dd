"""PyTorch's modes as adapters, and the conversion of arrays to tensors and back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import ml_dtypes
import numpy as np
import torch

from adapters import threads
from adapters.memory import from_columns, to_columns
from adapters.modes import Mode
from adapters.pytorch.claims import claims
from adapters.pytorch.derivatives import DERIVATIVES, TRANSFORMS, Found
from adapters.pytorch.execution import EXECUTIONS, Routine, switches
from adapters.pytorch.module import Modules
from adapters.pytorch.network import Tensor, network
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs, Problem


def tensor(values: Array) -> torch.Tensor:
    """Return a tensor in the array's own memory; a copy if the array is read-only or has negative strides.

    NumPy marks broadcast arrays as read-only, since their elements share memory. Torch has such tensors, made
    by `expand`, so a broadcast array is not copied if its memory itself may be written.
    """
    if 0 in values.strides:
        values = _writeable(values)
    if not values.flags.writeable or min(values.strides, default=0) < 0:
        values = values.copy()
    if values.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(values)


def _writeable(values: Array) -> Array:
    """Return the array without the read-only mark; the array itself if NumPy does not allow that."""
    alias = values.view()
    with contextlib.suppress(ValueError):  # the owner of the memory does not let it be written
        alias.flags.writeable = True
    return alias


def array(values: torch.Tensor) -> Array:
    """Return the tensor as a NumPy array of the same dtype; NumPy's bfloat16 comes from ml_dtypes."""
    values = values.detach()
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    found: Array = values.numpy()
    return found


# Derivatives that one thread at a time can compute: the levels of forward mode are the same for all threads
# (torch 2.13: "Trying to access a forward AD level with an invalid index"), and a module has one weight.
ONE_CALLER = ("jacfwd", "jvp", "module")


class Torch:
    """The adapter that executes the network in PyTorch in one mode."""

    framework = "torch"
    version = str(torch.__version__)
    dtypes = tuple(FORMATS)

    def __init__(self, mode: Mode) -> None:
        self.mode, self.name = mode, mode.name
        self.device = mode["device"]
        self.network = network(mode)
        self.threads = threads.count() or mode.threads
        self.max_callers = 1 if mode["derivative"] in ONE_CALLER else None

    def arithmetic(self, dtype: str) -> Arithmetic:
        """Return the mode's claims about the dtype."""
        return claims(self.mode, dtype)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return the outputs that the mode has."""
        problem = Problem(X, y, W)
        given = to_columns(problem) if self.network.columns else problem
        if self.device == "cuda" and not torch.cuda.is_available():
            raise NotImplementedError("there is no CUDA device")
        arrays = {name: tensor(a).to(self.device) for name, a in zip("XyW", given, strict=True)}
        with switches(self.mode, self.threads):
            found = self._over(arrays)
        outputs = Outputs(**{name: array(values.cpu()) for name, values in found.items()})
        return from_columns(outputs) if self.network.columns else outputs

    def _over(self, arrays: dict[str, Tensor]) -> Found:
        """Return the mode's outputs for these arrays; arrays that the mode closes over become constants."""
        constants = {name: arrays[name] for name in self.mode.closed}
        computed = self._prepared if not constants else self._prepare(constants)
        return computed(**arrays)

    @cached_property
    def _prepared(self) -> Callable[..., Found]:
        """The function of X, y and W that computes the outputs of a mode without constants, made once."""
        return self._prepare({})

    def _prepare(self, constants: dict[str, Tensor]) -> Callable[..., Found]:
        """Return the function of X, y and W that computes the outputs, compiled or not, as the mode says.

        It closes over the constants.
        """
        execute, derivative = EXECUTIONS[self.mode["execution"]], self.mode["derivative"]
        if derivative == "module":
            return Modules(execute)
        if self.mode.has_gradient and derivative not in TRANSFORMS:
            forward = _closed(execute, self.network.forward, constants)
            return partial(DERIVATIVES[derivative], forward)
        return _closed(execute, self._whole, constants)

    def _whole(self, X: Tensor, y: Tensor, W: Tensor) -> Found:
        """Return the mode's outputs, where forward pass and derivative are one function."""
        if self.mode.alone is not None:
            return {self.mode.alone: getattr(self.network, self.mode.alone)(X, y, W)}
        if self.mode.has_gradient:
            return DERIVATIVES[self.mode["derivative"]](self.network.forward, X, y, W)
        forward = self.network.forward(X, y, W)
        return {"y_hat": forward.y_hat, "loss": forward.loss, "row_loss": forward.row_loss}


def _closed(
    execute: Callable[[Routine], Routine], function: Routine, constants: dict[str, Tensor]
) -> Routine:
    """Return what `execute` makes of the function with constants closed over; it still takes X, y and W."""
    if not constants:
        return execute(function)

    def closed(**given: Tensor) -> Any:
        return function(**constants, **given)

    executed = execute(closed)
    return lambda X, y, W: executed(
        **{name: value for name, value in zip("XyW", (X, y, W), strict=True) if name not in constants}
    )


class Traced(Torch):
    """A mode that can also return the quantities that autograd passes on."""

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Return z, ∂L/∂ŷ, ∂ŷ/∂z and Δ = ∂L/∂z as autograd computes them, each ``[*stack, m, p]``."""
        with switches(self.mode, self.threads):
            forward = self.network.forward(tensor(X), tensor(y), tensor(W).requires_grad_())
            z, ones = forward.z, torch.ones_like(forward.z)
            asked = (forward.y_hat, z)
            dL_dyhat, delta = torch.autograd.grad(forward.half_squares, asked, ones, retain_graph=True)
            (dyhat_dz,) = torch.autograd.grad(forward.y_hat, z, ones)
        traced = {"z": z, "dL_dyhat": dL_dyhat, "dyhat_dz": dyhat_dz, "delta": delta}
        return {name: array(values) for name, values in traced.items()}


def adapter(mode: Mode) -> Torch:
    """Return the adapter that executes the mode; eager CPU modes with samples as rows also have a trace."""
    how = mode["execution"], mode["device"], mode["convention"]
    plainly = how == ("eager", "cpu", "rows") and mode.has_gradient
    return Traced(mode) if plainly else Torch(mode)
