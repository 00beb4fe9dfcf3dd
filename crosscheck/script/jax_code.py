"""The source of JAX's modes: the computation of `adapters.jax`, written out for one mode."""

from __future__ import annotations

from collections.abc import Iterator

from adapters import instructions
from adapters.threads import xla_flags
from crosscheck.script.jax_batching import ALL, batched
from crosscheck.script.network import Sketch, forward, function

LOGISTIC = {
    "sigmoid": "jax.nn.sigmoid({})",
    "literal": "1 / (1 + jnp.exp(-z))",
    "tanh": "0.5 + 0.5 * jnp.tanh(0.5 * z)",
}
HIGHEST = "jax.lax.logistic({}, accuracy=jax.lax.AccuracyMode.HIGHEST)"
PRECISION = {"matmul_high": "high", "matmul_highest": "highest"}
# For a function `total` of W, X and y: code for ∂L/∂W with the forward pass's results, and for ∂L/∂W alone.
TRANSFORMS = {
    "grad": ("jax.value_and_grad(total, has_aux=True)", "jax.grad(total)"),
    "checkpoint": (
        "jax.value_and_grad(jax.checkpoint(total), has_aux=True)",
        "jax.grad(jax.checkpoint(total))",
    ),
    "jacfwd": ("jax.jacfwd(total, has_aux=True)", "jax.jacfwd(total)"),
}
ALONG = {
    "jvp": ["along = jax.lax.map(lambda d: jax.jvp(loss_of, (W,), (d,))[1], directions)"],
    "linearize": [
        "_, derivative = jax.linearize(loss_of, W)",
        "along = jax.vmap(derivative)(directions)",
    ],
}


def environment(sketch: Sketch) -> Iterator[str]:
    """Yield the lines that set the environment variables that JAX reads when it is imported."""
    mode = sketch.mode
    chosen = {**xla_flags(mode.threads, mode.devices), **instructions.xla_flag(mode.isa)}
    flags = " ".join(f"--{name}={value}" for name, value in chosen.items())
    if sketch.mode["device"] == "cpu":
        yield 'os.environ["JAX_PLATFORMS"] = "cpu"'
    yield f'os.environ["PJRT_NPROC"] = os.environ["NPROC"] = "{sketch.mode.threads}"  # threads'
    yield f'os.environ["XLA_FLAGS"] = "{flags}"'


def settings(sketch: Sketch, dtype: str) -> Iterator[str]:
    """Yield the lines that set options before anything is computed."""
    lines = []
    if sketch.mode["device"] == "gpu":
        lines.append('jax.config.update("jax_default_device", jax.devices("gpu")[0])')
    if dtype == "float64":
        lines.append('jax.config.update("jax_enable_x64", True)')
    if sketch.mode["matmul"] in PRECISION:
        lines.append(
            f'jax.config.update("jax_default_matmul_precision", "{PRECISION[sketch.mode["matmul"]]}")'
        )
    yield from [*lines, ""] if lines else []


def code(sketch: Sketch) -> tuple[list[str], str]:
    """Return the lines that compute, and the expression for the output after them."""
    return list(_lines(sketch)), sketch.output


def _logistic(sketch: Sketch) -> str:
    if sketch.mode["logistic"] == "logistic_highest" and not sketch.mode.is_hazard:
        return HIGHEST
    return LOGISTIC[sketch.mode["form"]]


def _lines(sketch: Sketch) -> Iterator[str]:
    wanted = [sketch.alone] if sketch.alone else ["loss"] if sketch.lean else list(ALL)
    parts = list(ALL) if sketch.by_rows else wanted
    arguments = ", ".join(sketch.used)
    if sketch.by_rows:
        yield from batched(sketch, _logistic(sketch))
    else:
        yield from function("forward", arguments, forward(sketch.mode, _logistic(sketch), parts))
        yield ""
    call = f"forward({arguments})"
    if sketch.has_gradient:
        yield from _gradient(sketch, parts, call)
        yield from _run(sketch, "outputs", "grad" if sketch.lean else "grad, y_hat, loss, row_loss")
    elif parts != wanted:
        yield from function("outputs", arguments, [f"return {call}[{parts.index(wanted[0])}]"])
        yield ""
        yield from _run(sketch, "outputs", sketch.output)
    else:
        yield from _run(sketch, "forward", sketch.output)


def _gradient(sketch: Sketch, parts: list[str], call: str) -> Iterator[str]:
    """Yield the lines of the function `outputs`."""
    derivative = sketch.mode["derivative"]
    place = f"[{parts.index('loss')}]" if len(parts) > 1 else ""
    if derivative in ALONG:
        rest = "" if sketch.lean else f", *{call}"
        yield from function("outputs", "X, y, W", [
            "def loss_of(W):",
            f"    return {call}{place}",
            "",
            "n, p = W.shape[-2:]",
            "directions = jnp.eye(n * p, dtype=W.dtype).reshape(n * p, *[1] * (W.ndim - 2), n, p)",
            "directions = jnp.broadcast_to(directions, (n * p, *W.shape))",
            *ALONG[derivative],
            f"return jnp.moveaxis(along, 0, -1).reshape(W.shape){rest}",
        ])  # fmt: skip
        yield ""
        return
    whole, bare = TRANSFORMS[derivative]
    if sketch.lean:
        yield from function("total", "W, X, y", [f"return {call}{place}.sum()"])
        yield ""
        yield from function("outputs", "X, y, W", [f"return {bare}(W, X, y)"])
    else:
        yield from function("total", "W, X, y", [f"found = {call}", "return found[1].sum(), found"])
        yield ""
        names = "grad, found" if derivative == "jacfwd" else "(_, found), grad"
        yield from function("outputs", "X, y, W", [f"{names} = {whole}(W, X, y)", "return grad, *found"])
    yield ""


def _run(sketch: Sketch, name: str, names: str) -> Iterator[str]:
    """Yield the lines of the call, in the way in which the mode executes it."""
    arguments = ", ".join(sketch.used)
    mapped = sketch.mode["batching"] not in ("stacked", "shardmap")
    depth = sketch.depth if mapped else 0
    if depth:
        yield f"{name} = {'jax.vmap(' * depth}{name}{')' * depth}"
    if sketch.mode["execution"] == "eager":
        yield f"{names} = {name}({arguments})"
        return
    given = [n for n in sketch.used if n not in sketch.mode.closed]
    if depth:
        yield from ("", "")
    yield from function("run", ", ".join(given), [f"return {name}({arguments})"], comment=sketch.constants)
    yield ""
    donated = f", donate_argnums={tuple(range(len(given)))}" if sketch.mode["execution"] == "donate" else ""
    yield f"{names} = jax.jit(run{donated})({', '.join(given)})"
