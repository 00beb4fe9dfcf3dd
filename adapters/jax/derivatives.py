"""The ways to compute ∂L/∂W in JAX: functions of the forward pass and X, y, W that return all outputs."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from adapters.jax.batching import Pass
from adapters.jax.network import Array, Forward

Found = dict[str, Array]
Derivative = Callable[[Pass, Array, Array, Array], Found]


def _found(forward: Forward, grad: Array) -> Found:
    return {**forward._asdict(), "grad": grad}


def _total(run: Pass) -> Callable[..., tuple[Array, Forward]]:
    """Return the loss summed over the stack's independent networks, as a function of W, X and y."""

    def total(W: Array, X: Array, y: Array) -> tuple[Array, Forward]:
        forward = run(X, y, W)
        return forward.loss.sum(), forward

    return total


def by_grad(run: Pass, X: Array, y: Array, W: Array) -> Found:
    """Compute ∂L/∂W by `jax.value_and_grad` of the summed loss."""
    (_, forward), grad = jax.value_and_grad(_total(run), has_aux=True)(W, X, y)
    return _found(forward, grad)


def by_checkpoint(run: Pass, X: Array, y: Array, W: Array) -> Found:
    """Compute ∂L/∂W under `jax.checkpoint`: the backward pass computes the forward pass again."""
    (_, forward), grad = jax.value_and_grad(jax.checkpoint(_total(run)), has_aux=True)(W, X, y)
    return _found(forward, grad)


def by_jacfwd(run: Pass, X: Array, y: Array, W: Array) -> Found:
    """Compute ∂L/∂W of one network by `jax.jacfwd`: forward mode with all directions at once."""
    grad, forward = jax.jacfwd(_total(run), has_aux=True)(W, X, y)
    return _found(forward, grad)


def _directions(W: Array) -> Array:
    """Return the unit directions of W, the same in every network, ``[n·p, *stack, n, p]``."""
    n, p = W.shape[-2:]
    basis = jnp.eye(n * p, dtype=W.dtype).reshape(n * p, *[1] * (W.ndim - 2), n, p)
    return jnp.broadcast_to(basis, (n * p, *W.shape))


def _along(derivatives: Array, W: Array) -> Array:
    """Arrange the derivatives along each direction, ``[n·p, *stack]``, as ∂L/∂W, ``[*stack, n, p]``."""
    return jnp.moveaxis(derivatives, 0, -1).reshape(W.shape)


def by_jvp(run: Pass, X: Array, y: Array, W: Array) -> Found:
    """Compute ∂L/∂W by `jax.jvp`: forward mode, one direction after another."""

    def derivative(direction: Array) -> Array:
        return jax.jvp(lambda W: run(X, y, W).loss, (W,), (direction,))[1]

    return _found(run(X, y, W), _along(jax.lax.map(derivative, _directions(W)), W))


def by_linearize(run: Pass, X: Array, y: Array, W: Array) -> Found:
    """Compute ∂L/∂W by `jax.linearize`, whose linear function runs under `jax.vmap` over all directions."""
    _, derivative = jax.linearize(lambda W: run(X, y, W).loss, W)
    return _found(run(X, y, W), _along(jax.vmap(derivative)(_directions(W)), W))


DERIVATIVES: dict[str, Derivative] = {
    "grad": by_grad,
    "checkpoint": by_checkpoint,
    "jacfwd": by_jacfwd,
    "jvp": by_jvp,
    "linearize": by_linearize,
}
