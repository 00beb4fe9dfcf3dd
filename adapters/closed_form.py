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


class Numpy:
    """What all modes of NumPy have in common."""

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


class ClosedForm(Numpy):
    """The adapter that computes (10.1), L, (20) and Xᵀ·Δl₁, each operation in the dtype of the inputs."""

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


class Writing(Numpy):
    """The same, each result written into given memory that holds NaN, in C order or in Fortran order."""

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return all outputs in the dtype of X; ∂L/∂W and the products of rows are in Fortran order."""
        stack, (m, n), p = X.shape[:-2], X.shape[-2:], W.shape[-1]
        y_hat, terms = _memory((*stack, m, p), X), _memory((*stack, m, p), X)
        z, delta, grad = (_fortran((*stack, *axes), X) for axes in ((m, p), (m, p), (n, p)))
        loss, row_loss = _memory(stack, X), _memory((*stack, m), X)
        with np.errstate(all="ignore"):
            np.matmul(X, W, out=z)
            np.exp(np.negative(z, out=z), out=z)
            np.divide(1, np.add(1, z, out=z), out=y_hat)  # (10.1)
            np.subtract(y_hat, y, out=delta)
            np.multiply(np.multiply(delta, delta, out=terms), 0.5, out=terms)
            np.sum(terms, axis=(-2, -1), out=loss)
            np.sum(terms, axis=-1, out=row_loss)
            np.multiply(delta, y_hat, out=delta)
            np.multiply(delta, np.subtract(1, y_hat, out=terms), out=delta)  # (20)
            np.matmul(X.swapaxes(-1, -2), delta, out=grad)
        return Outputs(y_hat, loss, grad, row_loss)


def _memory(shape: tuple[int, ...], like: Array) -> Array:
    """Return NaN in C order, in the dtype of `like`."""
    return np.full(shape, np.nan, like.dtype)


def _fortran(shape: tuple[int, ...], like: Array) -> Array:
    """Return NaN whose last two axes are in Fortran order, in the dtype of `like`."""
    return _memory((*shape[:-2], shape[-1], shape[-2]), like).swapaxes(-1, -2)


def adapter(mode: Mode) -> Numpy:
    """Return the adapter that executes the mode."""
    return Writing(mode) if mode["results"] == "out" else ClosedForm(mode)


closed_form = ClosedForm(plain("numpy"))  # for ``--adapter adapters.closed_form:closed_form``
