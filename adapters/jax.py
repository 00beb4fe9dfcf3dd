"""JAX, eager and jitted: its own sigmoid forward, its own autodiff backward.

``import jax`` is absolute and finds the framework, not this module, as long as nothing puts ``adapters/``
itself on the path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adapters import threads
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs

WIDE = FORMATS["float32"].u
# κ is twice the documented error in ulp on CPU: 3.5, 2.5, 2.0 and 2.5.
KAPPA = {"float64": 7.0, "float32": 5.0, "float16": 4.0, "bfloat16": 5.0}
SOURCES = {
    "kappa": "twice the ulp of logistic on CPU in JAX's documentation (docs.jax.dev, Numerical accuracy)",
    "u_acc": "measured: 16-bit products add in float32 (tests/test_accumulators.py)",
    "u_sum": "jax.numpy.sum adds 16-bit floats in float32 (upcast_f16_for_computation in reductions.py)",
    "flush": "XLA's CPU client sets FTZ and DAZ (tsl::port::ScopedFlushDenormal); not claimed for float16,"
    " where the judge has seen none",
}


def forward(W: jax.Array, X: jax.Array, y: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """The loss of the whole stack, whose networks share nothing; with it ŷ, L and the loss of each row."""
    z = X @ W
    y_hat = jax.nn.sigmoid(z)
    terms = 0.5 * (y - y_hat) ** 2
    loss = terms.sum((-2, -1))
    return loss.sum(), (y_hat, loss, terms.sum(-1))


def half_squares(y_hat: jax.Array, y: jax.Array) -> jax.Array:
    """½(y − ŷ)², summed over everything: each ŷ has its own term."""
    return (0.5 * (y - y_hat) ** 2).sum()


def traced(X: jax.Array, y: jax.Array, W: jax.Array) -> dict[str, jax.Array]:
    """z, and the derivatives of the parts of the network that lie between z and L."""
    z = X @ W
    y_hat, sigmoid_back = jax.vjp(jax.nn.sigmoid, z)
    dL_dyhat = jax.grad(half_squares)(y_hat, y)
    (dyhat_dz,), (delta,) = sigmoid_back(jnp.ones_like(z)), sigmoid_back(dL_dyhat)
    return {"z": z, "dL_dyhat": dL_dyhat, "dyhat_dz": dyhat_dz, "delta": delta}


class Jax:
    """`jax.nn.sigmoid`, and `jax.value_and_grad` of the summed loss, as it is or under `jax.jit`."""

    framework = "jax"
    version = jax.__version__
    dtypes = tuple(FORMATS)

    def __init__(self, name: str, transform: Callable[..., Any]) -> None:
        self.name = name
        self.differentiated = transform(jax.value_and_grad(forward, has_aux=True))
        self.traced = transform(traced)

    @property
    def device(self) -> str:
        """The platform that JAX chose."""
        return jax.default_backend()

    @property
    def threads(self) -> int | None:
        """Those of XLA's pool, which reads them once, from the environment of the process."""
        return threads.count()

    def arithmetic(self, dtype: str) -> Arithmetic:
        """κ as documented; in 16 bits sums are wide; all but float16 flush subnormals."""
        claims: dict[str, Any] = {"kappa": KAPPA[dtype]}
        if dtype != "float16":
            claims |= {"flush": True}
        if dtype in ("float16", "bfloat16"):
            claims |= {"u_acc": WIDE, "u_sum": WIDE}
        return Arithmetic(**claims, sources={claim: SOURCES[claim] for claim in claims})

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """ŷ, L, ∂L/∂W and the loss of each row."""
        with jax.enable_x64(X.dtype == np.float64):
            (_, (y_hat, loss, row_loss)), grad = self.differentiated(*map(jnp.asarray, (W, X, y)))
            return Outputs(*map(np.asarray, (y_hat, loss, grad, row_loss)))

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """z, ∂L/∂ŷ, ∂ŷ/∂z and Δ = ∂L/∂z, each ``[*stack, m, p]``."""
        with jax.enable_x64(X.dtype == np.float64):
            found = self.traced(*map(jnp.asarray, (X, y, W)))
            return {name: np.asarray(values) for name, values in found.items()}


eager = Jax("jax", lambda function: function)
jitted = Jax("jax-jit", jax.jit)
