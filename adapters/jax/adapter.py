"""JAX's modes as adapters."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adapters import threads
from adapters.jax.batching import each_network, placements, rowwise, sharded
from adapters.jax.claims import claims
from adapters.jax.derivatives import DERIVATIVES, Found
from adapters.jax.network import Network, half_squares
from adapters.memory import from_columns, to_columns
from adapters.modes import Mode
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs, Problem

Routine = Callable[..., Any]
Given = dict[str, jax.Array]
PRECISION = {"matmul_high": "high", "matmul_highest": "highest"}


class Jax:
    """The adapter that executes the network in JAX in one mode."""

    framework = "jax"
    version = jax.__version__
    dtypes = tuple(FORMATS)

    def __init__(self, mode: Mode) -> None:
        self.mode, self.name, self.device = mode, mode.name, mode["device"]
        self.network = Network(mode)

    @property
    def threads(self) -> int | None:
        """The number of threads of XLA's pool, which XLA reads once from the environment of the process."""
        return threads.count()

    def arithmetic(self, dtype: str) -> Arithmetic:
        """Return the mode's claims about the dtype."""
        return claims(self.mode, dtype)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return the outputs that the mode has."""
        problem = Problem(X, y, W)
        given = to_columns(problem) if self.network.columns else problem
        precision = jax.default_matmul_precision(PRECISION.get(self.mode["matmul"]))
        with jax.enable_x64(X.dtype == np.float64), precision, jax.default_device(self._chosen):
            outputs = self._by_network(given) if self.mode.by_network else self._outputs_of(given)
        return from_columns(outputs) if self.network.columns else outputs

    def _outputs_of(self, given: Problem) -> Outputs:
        """Return the outputs of one call of the framework."""
        arrays = zip("XyW", given, strict=True)
        found = self._over({name: self._array(array, name, given.X) for name, array in arrays})
        return Outputs(**{name: np.asarray(values) for name, values in found.items()})

    def _by_network(self, given: Problem) -> Outputs:
        """Return the outputs of a stack, of which each network has a call without a stack axis."""
        stack = given.X.shape[:-2]
        if not stack:
            return self._outputs_of(given)
        if 0 in stack:
            raise NotImplementedError("a stack without networks has no call")
        flat = (array.reshape(given.stack_size, *array.shape[-2:]) for array in given)
        parts = [self._outputs_of(Problem(*network)) for network in zip(*flat, strict=True)]
        return Outputs(*(np.stack(part).reshape(*stack, *part[0].shape) for part in zip(*parts, strict=True)))

    @property
    def _chosen(self) -> jax.Device:
        try:
            return jax.devices(self.device)[0]
        except RuntimeError:
            raise NotImplementedError(f"there is no {self.device.upper()} that JAX sees") from None

    def _array(self, array: Array, name: str, X: Array) -> Any:
        """Put the array on the device; `jax.numpy.asarray` would compile a program for that (jax 0.10.2).

        The result may share the array's memory, unless the mode donates it: XLA reuses only memory that JAX
        owns, and `may_alias` is observed for JAX's own arrays, not for NumPy's (jax 0.10.2). If there are
        several devices, jit spreads an array itself, and would donate its own copy; so one that is donated is
        spread before.

        Args:
            array: the array.
            name: ``X``, ``y`` or ``W``.
            X: the array X, whose shape decides how arrays are spread.
        """
        is_donated = self.mode["execution"] == "donate" and name not in self.mode.closed
        if self.mode.devices > 1 and not is_donated:
            return array
        there = jax.device_put(array)
        if is_donated:
            there = jax.device_put(there, may_alias=False)
        return there if self.mode.devices == 1 else jax.device_put(there, placements(self.network, X)[name])

    def _over(self, arrays: Given) -> Found:
        """Return the mode's outputs for these arrays; arrays that the mode closes over become constants."""
        constants = {name: jax.device_put(arrays.pop(name)) for name in self.mode.closed}
        if not constants:
            return self._executed(arrays)
        return self._execute(lambda given: self._function(**constants, **given))(arrays)

    @cached_property
    def _executed(self) -> Callable[[Given], Found]:
        """The function of X, y and W as the mode executes it, made once."""
        return self._execute(lambda given: self._function(**given))

    def _execute(self, function: Callable[[Given], Found]) -> Callable[[Given], Found]:
        """Return the function as the mode executes it: itself, or compiled by `jax.jit`."""
        if self.mode["execution"] == "eager":
            return function
        return jax.jit(function, donate_argnums=0 if self.mode["execution"] == "donate" else None)

    def _function(self, X: jax.Array, y: jax.Array, W: jax.Array) -> Found:
        """Return the mode's outputs; `_execute` decides how this function is run."""
        batching, depth = self.mode["batching"], X.ndim - 2
        if batching in ("stacked", "shardmap"):
            run = sharded(self.network) if batching == "shardmap" else self.network.forward
            return self._outputs(run, X, y, W)
        one = self.network.forward if batching == "vmap" else rowwise(self.network, batching)
        found: Found = each_network(lambda X, y, W: self._outputs(one, X, y, W), depth)(X, y, W)  # type: ignore[assignment]  # vmap knows no types
        return found

    def _outputs(self, run: Routine, X: jax.Array, y: jax.Array, W: jax.Array) -> Found:
        """Return the one output that the mode computes alone, or all outputs with the gradient."""
        if self.mode.alone is not None:
            return {self.mode.alone: getattr(run(X, y, W), self.mode.alone)}
        return DERIVATIVES[self.mode["derivative"]](run, X, y, W)


def traced(X: jax.Array, y: jax.Array, W: jax.Array) -> Given:
    """Return z, and the derivatives of the parts of the network between z and L, each ``[*stack, m, p]``."""
    z = X @ W
    y_hat, sigmoid_back = jax.vjp(jax.nn.sigmoid, z)
    dL_dyhat = jax.grad(lambda y_hat, y: half_squares(y_hat, y).sum())(y_hat, y)
    (dyhat_dz,), (delta,) = sigmoid_back(jnp.ones_like(z)), sigmoid_back(dL_dyhat)
    return {"z": z, "dL_dyhat": dL_dyhat, "dyhat_dz": dyhat_dz, "delta": delta}


class Traced(Jax):
    """One of the two plain modes, which can return the quantities between z and L."""

    @cached_property
    def _traced(self) -> Callable[..., Given]:
        return traced if self.mode["execution"] == "eager" else jax.jit(traced)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Return z, ∂L/∂ŷ, ∂ŷ/∂z and Δ = ∂L/∂z, each ``[*stack, m, p]``."""
        with jax.enable_x64(X.dtype == np.float64), jax.default_device(self._chosen):
            found = self._traced(*map(jax.device_put, (X, y, W)))
            return {name: np.asarray(values) for name, values in found.items()}


def adapter(mode: Mode) -> Jax:
    """Return the adapter that executes the mode."""
    return Traced(mode) if mode.name in ("jax", "jax-jit") else Jax(mode)
