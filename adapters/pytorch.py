"""PyTorch, eager: its own sigmoid forward, its own autograd backward."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import torch

from adapters import threads
from reference.arithmetic import KAPPA, Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs

WIDE = FORMATS["float32"].u
SOURCES = {
    "kappa": "torch documents none: the reference's κ, above what benchmarks/kappa.py finds",
    "u_acc": "16-bit products add in float32: at::opmath_type in BlasKernel.cpp; oneDNN's accumulation_mode"
    " strict, its default; held by tests/test_accumulators.py",
    "u_sum": "16-bit sums add in float32: at::acc_type<scalar_t, true> in SumKernel.cpp, cascade_sum",
    "flush": "measured on a CPU with AVX512_BF16, once stack·m·n·p > 4096; `crosscheck compare` says so where"
    " nothing seen needs the claim",
}


def tensor(values: Array) -> torch.Tensor:
    """The array's own memory as a tensor; a copy where torch has no such: negative strides, read-only."""
    if not values.flags.writeable or min(values.strides, default=0) < 0:
        values = values.copy()
    if values.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(values)


def array(values: torch.Tensor) -> Array:
    """The tensor as a NumPy array of the same dtype; NumPy's bfloat16 comes from ml_dtypes."""
    values = values.detach()
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    found: Array = values.numpy()
    return found


class Eager:
    """`torch.sigmoid`, and `torch.autograd.grad` of each network's loss."""

    name = framework = "torch"
    version = str(torch.__version__)
    dtypes = tuple(FORMATS)
    device = "cpu"

    def __init__(self) -> None:
        self.threads = threads.count() or 1

    def arithmetic(self, dtype: str) -> Arithmetic:
        """κ as measured; in 16 bits sums are wide, and bfloat16 products may flush subnormals."""
        claims: dict[str, Any] = {"kappa": KAPPA[dtype]}
        if dtype in ("float16", "bfloat16"):
            claims |= {"u_acc": WIDE, "u_sum": WIDE}
        if dtype == "bfloat16":
            claims |= {"flush": True}
        return Arithmetic(**claims, sources={claim: SOURCES[claim] for claim in claims})

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """ŷ, L, ∂L/∂W and the loss of each row."""
        weights = tensor(W).requires_grad_()
        _, y_hat, half_squares = self.forward(tensor(X), tensor(y), weights)
        loss = half_squares.sum((-2, -1))
        (grad,) = torch.autograd.grad(loss, weights, torch.ones_like(loss))
        return Outputs(*map(array, (y_hat, loss, grad, half_squares.sum(-1))))

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """z, and the derivatives ∂L/∂ŷ, ∂ŷ/∂z and Δ = ∂L/∂z that autograd passes on."""
        z, y_hat, half_squares = self.forward(tensor(X), tensor(y), tensor(W).requires_grad_())
        ones = torch.ones_like(z)
        dL_dyhat, delta = torch.autograd.grad(half_squares, (y_hat, z), ones, retain_graph=True)
        (dyhat_dz,) = torch.autograd.grad(y_hat, z, ones)
        traced = {"z": z, "dL_dyhat": dL_dyhat, "dyhat_dz": dyhat_dz, "delta": delta}
        return {name: array(values) for name, values in traced.items()}

    def forward(self, X: torch.Tensor, y: torch.Tensor, W: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """z, ŷ and ½(y − ŷ)², with this adapter's threads."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        z = X @ W
        y_hat = torch.sigmoid(z)
        return z, y_hat, 0.5 * (y - y_hat) ** 2


eager = Eager()
