"""Networks that are right, with some of their parts computed in another way: for probes to tell apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter
from reference.formats import format_of
from reference.types import Array

from .wrong import Planted, product, turned


def same(array: Array) -> Array:
    return array


def without_subnormals(array: Array) -> Array:
    least = format_of(array).least_normal
    return np.where(np.abs(array.astype(np.float64)) < least, 0, array).astype(array.dtype)


def one_bit_up(array: Array) -> Array:
    return np.nextafter(array, array.dtype.type(2))


def printed(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def once(z: Array) -> Array:
    """σ rounded once, so that its bits are the same on every CPU."""
    return printed(z.astype(np.float64)).astype(z.dtype)


def in_turn(X: Array, W: Array) -> Array:
    """X·W, added one by one in the dtype of X."""
    z = np.zeros((*X.shape[:-1], W.shape[-1]), X.dtype)
    for i in range(X.shape[-1]):
        z = z + X[..., :, i, None] * W[..., i, None, :]
    return z


def in_float64(X: Array, W: Array) -> Array:
    """X·W, added in float64, whose order does not matter for narrower formats here."""
    return np.matmul(X.astype(np.float64), W.astype(np.float64)).astype(X.dtype)


def narrow(terms: Array) -> Array:
    total = np.zeros(terms.shape[:-2], terms.dtype)
    for i in range(terms.shape[-2]):
        total = total + terms[..., i, 0]
    return total


def wide(terms: Array) -> Array:
    return np.asarray(terms.astype(np.float64).sum((-2, -1))).astype(terms.dtype)


class Delta(NamedTuple):
    """What ∂L/∂W is made from."""

    X: Array
    r: Array
    y_hat: Array
    z: Array


def backward(d: Delta) -> Array:
    return product(turned(d.X), d.r * d.y_hat * (1 - d.y_hat))


def made(  # noqa: PLR0913, each part of the network
    name: str,
    *,
    taken: Callable[[Array], Array] = same,
    dot: Callable[[Array, Array], Array] = product,
    sigma: Callable[[Array], Array] = once,
    total: Callable[[Array], Array] = wide,
    gradient: Callable[[Delta], Array] = backward,
    given: Callable[[Array], Array] = same,
) -> CheckedAdapter:
    """A network that is right, with some of its parts computed in another way."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        X, y, W = taken(X), taken(y), taken(W)
        z = dot(X, W)
        y_hat = given(sigma(z))
        r = y_hat - y
        loss = total(X.dtype.type(0.5) * r**2)
        return y_hat, loss, given(gradient(Delta(X, r, y_hat, z)))

    return InProcessAdapter(Planted(name, evaluate))


def forward(d: Delta) -> Array:
    return without_subnormals(d.X * (d.y_hat * (1 - d.y_hat))) * d.r


def twice_r(d: Delta) -> Array:
    return d.X * (2 * d.r) * (d.y_hat * (1 - d.y_hat)) / 2


def by_inverse(z: Array) -> Array:
    return np.exp(z) / (1 + np.exp(z))


def by_place(z: Array) -> Array:
    y_hat = once(z)
    return np.where(np.arange(y_hat.size).reshape(y_hat.shape) % 8 == 7, one_bit_up(y_hat), y_hat)


def skipping_zeros(X: Array, W: Array) -> Array:
    return product(X, np.where(X == 0, 0, W).astype(W.dtype))


def if_stacked(change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda array: change(array) if len(array) > 1 else array


def unaligned(X: Array, W: Array) -> Array:
    z = product(X, W)
    return one_bit_up(z) if X.__array_interface__["data"][0] % 64 else z
