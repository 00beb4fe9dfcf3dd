"""Forms of the logistic that users write by hand; in some regimes they leave the admissible set."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def literal(z: jax.Array) -> jax.Array:
    """Return 1 / (1 + e^-z), as (10.2) prints it."""
    return 1 / (1 + jnp.exp(-z))


def tanh(z: jax.Array) -> jax.Array:
    """Return ½ + ½·tanh(z/2)."""
    return 0.5 + 0.5 * jnp.tanh(0.5 * z)


HAZARDS = {"literal": literal, "tanh": tanh}
