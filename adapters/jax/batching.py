"""Batching: the stack and its rows are passed whole, mapped, looped over, or spread over devices."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from adapters.jax.network import Array, Forward, Network
from adapters.modes import DEVICES

Pass = Callable[[Array, Array, Array], Forward]


def rowwise(network: Network, loop: str) -> Pass:
    """Return the forward pass of one network, its rows under `jax.vmap`, `lax.map` or `lax.scan`."""
    axis = 1 if network.columns else 0

    def by_vmap(X: Array, y: Array, W: Array) -> Forward:
        y_hat, row_loss = jax.vmap(network.row, (axis, axis, None), (axis, 0))(X, y, W)
        return Forward(y_hat, row_loss.sum(), row_loss)

    def by_map(X: Array, y: Array, W: Array) -> Forward:
        rows = (jnp.moveaxis(X, axis, 0), jnp.moveaxis(y, axis, 0))
        y_hat, row_loss = jax.lax.map(lambda row: network.row(row[0], row[1], W), rows)
        return Forward(jnp.moveaxis(y_hat, 0, axis), row_loss.sum(), row_loss)

    def by_scan(X: Array, y: Array, W: Array) -> Forward:
        def step(loss: Array, row: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
            y_hat, row_loss = network.row(*row, W)
            return loss + row_loss, (y_hat, row_loss)

        rows = (jnp.moveaxis(X, axis, 0), jnp.moveaxis(y, axis, 0))
        loss, (y_hat, row_loss) = jax.lax.scan(step, jnp.zeros((), X.dtype), rows)
        return Forward(jnp.moveaxis(y_hat, 0, axis), loss, row_loss)

    return {"rowvmap": by_vmap, "map": by_map, "scan": by_scan}[loop]


def _spec(*axes: str | None) -> PartitionSpec:
    """Return the specification of which axes of an array are spread over the devices."""
    return PartitionSpec(*axes)  # type: ignore[no-untyped-call]  # it has no types


def _mesh() -> jax.sharding.Mesh:
    return jax.make_mesh((DEVICES,), ("device",), axis_types=(AxisType.Auto,))


def _specs(network: Network, X: Array | np.ndarray) -> tuple[PartitionSpec, PartitionSpec, PartitionSpec]:
    """Return how X, y and W are spread, for this X: by rows if possible, otherwise by networks.

    Raises:
        NotImplementedError: neither can be spread evenly.
    """
    depth, row_axis = X.ndim - 2, -1 if network.columns else -2
    if 0 in X.shape[:depth]:
        raise NotImplementedError("shard_map over an empty stack: XLA's partitioner refuses it (jax 0.10.2)")
    if X.shape[row_axis] % DEVICES == 0:
        rows = _spec(*[None] * depth, *((None, "device") if network.columns else ("device", None)))
        return rows, rows, _spec()
    if depth and X.shape[0] % DEVICES == 0:
        return _spec("device"), _spec("device"), _spec("device")
    raise NotImplementedError(f"shard_map spreads rows or networks evenly over {DEVICES} devices")


def placements(network: Network, X: np.ndarray) -> dict[str, NamedSharding]:
    """Return where the devices have their parts of X, y and W under `sharded`, for this X."""
    return {name: NamedSharding(_mesh(), spec) for name, spec in zip("XyW", _specs(network, X), strict=True)}


def sharded(network: Network) -> Pass:
    """Return the forward pass of a stack under `jax.shard_map`, which divides the stack among the devices.

    It divides the rows of every network if `DEVICES` divides their number, otherwise the first stack axis.
    """
    mesh = _mesh()

    def over_rows(X: Array, y: Array, W: Array) -> Forward:
        found = network.forward(X, y, W)
        return found._replace(loss=jax.lax.psum(found.loss, "device"))  # type: ignore[no-untyped-call]  # it has no types

    def forward(X: Array, y: Array, W: Array) -> Forward:
        rows, _, weights = specs = _specs(network, X)
        if rows == weights:
            return jax.shard_map(network.forward, mesh=mesh, in_specs=specs, out_specs=rows)(X, y, W)
        depth = X.ndim - 2
        outputs = Forward(rows, _spec(), _spec(*[None] * depth, "device"))  # type: ignore[arg-type]  # specs, in the place of what they speak of
        return jax.shard_map(over_rows, mesh=mesh, in_specs=specs, out_specs=outputs)(X, y, W)

    return forward


def each_network(function: Callable[..., object], depth: int) -> Callable[..., object]:
    """Return the function of one network, mapped by `jax.vmap` over `depth` stack axes."""
    for _ in range(depth):
        function = jax.vmap(function)
    return function
