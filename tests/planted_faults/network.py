"""A network in NumPy whose steps can be replaced one by one.

X is ``[*stack, m, n]``, y and y_hat ``[*stack, m, p]``, W ``[*stack, n, p]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import Array, Evaluate

Outputs = tuple[Array, Array, Array]
Problem = tuple[Array, Array, Array]


def matmul(A: Array, B: Array) -> Array:
    """A·B in the dtype of A."""
    return np.matmul(A, B).astype(A.dtype, copy=False)


def transpose(A: Array) -> Array:
    """Aᵀ of every matrix of the stack."""
    return np.swapaxes(A, -1, -2)


def sigmoid(z: Array) -> Array:
    """σ(z)."""
    return 1 / (1 + np.exp(-z))


def half_squares(y: Array, y_hat: Array) -> Array:
    """L."""
    return np.sum(y.dtype.type(0.5) * (y - y_hat) ** 2, axis=(-2, -1))


def delta_of(y: Array, y_hat: Array, z: Array) -> Array:
    """Δ = (ŷ − y)·ŷ·(1 − ŷ)."""
    del z
    return (y_hat - y) * y_hat * (1 - y_hat)


def gradient(X: Array, delta: Array) -> Array:
    """∂L/∂W = Xᵀ·Δ."""
    return matmul(transpose(X), delta)


def evaluate_with(  # noqa: PLR0913, one for each step, by name
    *,
    given: Callable[[Array, Array, Array], Problem] | None = None,
    product: Callable[[Array, Array], Array] = matmul,
    sigma: Callable[[Array], Array] = sigmoid,
    loss: Callable[[Array, Array], Array] = half_squares,
    delta: Callable[[Array, Array, Array], Array] = delta_of,
    grad: Callable[[Array, Array], Array] = gradient,
    found: Callable[[Outputs, Array, Array, Array], Outputs] | None = None,
) -> Evaluate:
    """The network with some steps replaced; every output comes in the dtype of X."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        given_X, dtype = X, X.dtype
        if given is not None:
            X, y, W = given(X, y, W)
        z = product(X, W)
        y_hat = sigma(z)
        outputs = y_hat, loss(y, y_hat), grad(X, delta(y, y_hat, z))
        if found is not None:
            outputs = found(outputs, given_X, y, W)
        return tuple(np.asarray(output).astype(dtype, copy=False) for output in outputs)

    return evaluate


def network(**steps: Any) -> Callable[[], Evaluate]:
    """Makes the network with these steps replaced, without a state."""
    return lambda: evaluate_with(**steps)


healthy = evaluate_with()


def changed(index: int, change: Callable[[Array, Array, Array, Array], Array]) -> Callable[[], Evaluate]:
    """Makes the right network with one output changed: 0 for ŷ, 1 for L, 2 for ∂L/∂W."""

    def found(outputs: Outputs, X: Array, y: Array, W: Array) -> Any:
        one = change(outputs[index], X, y, W)
        return (*outputs[:index], one, *outputs[index + 1 :])

    return network(found=found)


def where(
    condition: Callable[[Array, Array, Array], Any], index: int = 2, factor: float = 1.125
) -> Callable[[], Evaluate]:
    """Makes the right network, with one output times a factor where a condition on the inputs holds."""

    def change(output: Array, X: Array, y: Array, W: Array) -> Array:
        return np.where(condition(X, y, W), output * output.dtype.type(factor), output)

    return changed(index, change)
