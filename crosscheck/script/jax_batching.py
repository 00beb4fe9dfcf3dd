"""The source of JAX's ways of batching: the function `forward` that `adapters.jax.batching` makes."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.modes import DEVICES
from crosscheck.script.network import Sketch, forward, function, logistic_of

ALL = ("y_hat", "loss", "row_loss")


def batched(sketch: Sketch, logistic: str) -> Iterator[str]:
    """Yield the lines that define `forward`, which returns ŷ, L and the losses of rows.

    Args:
        sketch: the description of the script.
        logistic: the expression of the logistic, which contains the name z or ``{}`` in its place.
    """
    if sketch.mode["batching"] == "shardmap":
        yield from _sharded(sketch, logistic)
        return
    as_vectors = sketch.mode["convention"] != "rows"
    axis = 1 if sketch.mode["convention"] == "columns" else 0
    yield from function("row", "x, y, W", [
        *logistic_of("W.mT @ x" if as_vectors else "x @ W", logistic),
        "return y_hat, (0.5 * (y - y_hat) ** 2).sum()",
    ])  # fmt: skip
    yield ""
    yield from function("forward", "X, y, W", list(_LOOPS[sketch.mode["batching"]](axis)))
    yield ""


def _rowvmap(axis: int) -> Iterator[str]:
    yield f"y_hat, row_loss = jax.vmap(row, ({axis}, {axis}, None), ({axis}, 0))(X, y, W)"
    yield "return y_hat, row_loss.sum(), row_loss"


def _rows(axis: int) -> str:
    return f"rows = jnp.moveaxis(X, {axis}, 0), jnp.moveaxis(y, {axis}, 0)"


def _map(axis: int) -> Iterator[str]:
    yield _rows(axis)
    yield "y_hat, row_loss = jax.lax.map(lambda pair: row(*pair, W), rows)"
    yield f"return jnp.moveaxis(y_hat, 0, {axis}), row_loss.sum(), row_loss"


def _scan(axis: int) -> Iterator[str]:
    yield "def step(loss, pair):"
    yield "    y_hat, row_loss = row(*pair, W)"
    yield "    return loss + row_loss, (y_hat, row_loss)"
    yield ""
    yield _rows(axis)
    yield "loss, (y_hat, row_loss) = jax.lax.scan(step, jnp.zeros((), X.dtype), rows)"
    yield f"return jnp.moveaxis(y_hat, 0, {axis}), loss, row_loss"


_LOOPS = {"rowvmap": _rowvmap, "map": _map, "scan": _scan}


def _sharded(sketch: Sketch, logistic: str) -> Iterator[str]:
    """Yield the lines that distribute rows over the devices if their number is even, otherwise networks."""
    stack = [None] * sketch.depth
    over_rows = sketch.shape[-3] % DEVICES == 0
    body = forward(sketch.mode, logistic, ALL)
    if over_rows:
        last = body[-1].removeprefix("return ")
        body = [*body[:-1], f"y_hat, loss, row_loss = {last}"]
        body.append('return y_hat, jax.lax.psum(loss, "device"), row_loss')
    columns = _spec(*stack, None, "device")
    rows = columns if sketch.mode["convention"] == "columns" else _spec(*stack, "device", None)
    ins = f"({rows}, {rows}, P())" if over_rows else 'P("device")'
    outs = f"({rows}, P(), {_spec(*stack, 'device')})" if over_rows else 'P("device")'
    yield "P = jax.sharding.PartitionSpec"
    yield f'mesh = jax.make_mesh(({DEVICES},), ("device",), axis_types=(jax.sharding.AxisType.Auto,))'
    yield ""
    yield ""
    yield from function("part", "X, y, W", body)
    yield ""
    yield f"forward = jax.shard_map(part, mesh=mesh, in_specs={ins}, out_specs={outs})"
    yield ""
    yield ""


def _spec(*axes: str | None) -> str:
    return f"P({', '.join(map(repr, axes))})".replace("'", '"')
