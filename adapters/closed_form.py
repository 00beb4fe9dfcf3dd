"""The document's closed form in NumPy, in each dtype: an adapter that tests the reference's arithmetic."""

from __future__ import annotations

import dataclasses

import numpy as np

from adapters import threads
from adapters.modes import Mode, plain
from reference import network
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs

WIDE = FORMATS["float32"].u
WIDE_SOURCE = {
    "float16": "NumPy's HALF_matmul_inner_noblas adds in float, whatever the strides (matmul.c.src)",
    "bfloat16": "np.matmul has no loop for it and multiplies in float32; network.matmul rounds once",
}


class ClosedForm:
    """The adapter that computes (10.1), L, (20) and Xᵀ·Δl₁, each operation in the dtype of the inputs."""

    framework = "numpy"
    version = np.__version__
    dtypes = tuple(FORMATS)
    device = "cpu"

    def __init__(self, mode: Mode) -> None:
        self.name = mode.name

    @property
    def threads(self) -> int | None:
        """The number of BLAS threads, which BLAS reads once from the environment of the process."""
        return threads.count()

    def arithmetic(self, dtype: str) -> Arithmetic:
        """Return the claims: the reference's κ for the logistic; in 16 bits, dot products added in float32.

        It claims nothing for sums: `sum` adds float16 in 16 bits along strided axes, and bfloat16 always.
        """
        claims = default_arithmetic(FORMATS[dtype])
        if dtype not in WIDE_SOURCE:
            return claims
        sources = {**claims.sources, "u_acc": WIDE_SOURCE[dtype]}
        return dataclasses.replace(claims, u_acc=WIDE, sources=sources)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return the reference's outputs in the dtype of X."""
        return network.evaluate(X, y, W)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Return z, ∂L/∂ŷ (13), ∂ŷ/∂z and Δl₁ (20), each ``[*stack, m, p]``."""
        with np.errstate(all="ignore"):
            z = network.matmul(X, W)
            y_hat = network.sigma(z)
            return {
                "z": z,
                "dL_dyhat": network.dL_dyhat(y, y_hat),
                "dyhat_dz": y_hat * (1 - y_hat),
                "delta": network.delta(y, y_hat),
            }


def adapter(mode: Mode) -> ClosedForm:
    """Return the adapter that executes the mode."""
    return ClosedForm(mode)


closed_form = adapter(plain("numpy"))  # for ``--adapter adapters.closed_form:closed_form``
