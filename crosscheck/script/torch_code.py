"""The source of PyTorch's modes: the computation of `adapters.pytorch`, written out for one mode."""

from __future__ import annotations

from collections.abc import Iterator

from crosscheck.script.network import NAMES, Sketch, forward, function

LOGISTIC = {
    "sigmoid": "torch.sigmoid({})",
    "literal": "1 / (1 + torch.exp(-z))",
    "tanh": "0.5 + 0.5 * torch.tanh(0.5 * z)",
}
EXECUTION = {
    "eager": [],
    "compile": ["@torch.compile(fullgraph=True, dynamic=False)"],
    "nograd": ["@torch.no_grad()"],
    "inference": ["@torch.inference_mode()"],
}
PRECISION = {"matmul_high": "high", "matmul_medium": "medium"}
TRANSFORMS = {"func": "grad", "jacfwd": "jacfwd"}


def settings(sketch: Sketch) -> Iterator[str]:
    """Yield the lines that set options before anything is computed."""
    mode = sketch.mode
    yield f"torch.set_num_threads({mode.threads})"
    if mode["matmul"] in PRECISION:
        yield f'torch.set_float32_matmul_precision("{PRECISION[mode["matmul"]]}")'
    if mode["algorithms"] == "deterministic":
        yield "torch.use_deterministic_algorithms(True)"
    yield ""


def code(sketch: Sketch) -> tuple[list[str], str]:
    """Return the lines that compute, and the expression for the output after them."""
    derivative = sketch.mode["derivative"]
    if derivative == "module":
        return list(_module(sketch)), {"grad": "linear.weight.grad.mT"}.get(sketch.output, sketch.output)
    if not sketch.has_gradient:
        return list(_without_gradient(sketch)), sketch.output
    if derivative in TRANSFORMS:
        return list(_transformed(sketch)), sketch.output
    if derivative == "jvp":
        return list(_jvp(sketch)), sketch.output
    in_place = derivative == "backward" and sketch.output == "grad"
    return list(_by_autograd(sketch)), "W.grad" if in_place else sketch.output


def _forward(sketch: Sketch, parts: list[str], arguments: str, comment: str = "") -> list[str]:
    body = forward(sketch.mode, LOGISTIC[sketch.mode["form"]], parts)
    return function("forward", arguments, body, comment=comment)


def _without_gradient(sketch: Sketch) -> Iterator[str]:
    parts = [sketch.alone] if sketch.alone else ["y_hat", "loss", "row_loss"]
    yield from EXECUTION[sketch.mode["execution"]]
    yield from _forward(sketch, parts, sketch.arguments, sketch.constants)
    yield ""
    yield f"{', '.join(parts)} = forward({sketch.arguments})"


def _by_autograd(sketch: Sketch) -> Iterator[str]:
    """Yield the lines that use `torch.autograd.grad`, ``backward`` or `torch.utils.checkpoint`."""
    parts = ["loss"] if sketch.lean else list(NAMES)
    yield from EXECUTION[sketch.mode["execution"]]
    yield from _forward(sketch, parts, sketch.arguments, sketch.constants)
    yield ""
    yield "W.requires_grad_()"
    call, names = f"forward({sketch.arguments})", ", ".join(parts)
    if sketch.mode["derivative"] == "checkpoint":
        given = ", ".join(filter(None, ("forward", sketch.arguments)))
        call = f"torch.utils.checkpoint.checkpoint({given}, use_reentrant=False)"
    yield f"{names} = {call}"
    if sketch.mode["derivative"] == "backward":
        yield "loss.sum().backward()"
    else:
        yield "(grad,) = torch.autograd.grad(loss, W, torch.ones_like(loss))"


def _transformed(sketch: Sketch) -> Iterator[str]:
    """Yield the lines that use `torch.func.grad` or `torch.func.jacfwd`, mapped over the stack by `vmap`."""
    parts = ["loss"] if sketch.lean else ["y_hat", "loss", "row_loss"]
    body = forward(sketch.mode, LOGISTIC[sketch.mode["form"]], parts)
    if not sketch.lean:
        last = body[-1].removeprefix("return ")
        body = [*body[:-1], f"y_hat, loss, row_loss = {last}", "return loss, (y_hat, loss, row_loss)"]
    yield from function("loss_of", "W, X, y", body)
    yield ""
    has_aux = "" if sketch.lean else ", has_aux=True"
    whole = f"torch.func.{TRANSFORMS[sketch.mode['derivative']]}(loss_of{has_aux})"
    whole = f"{'torch.func.vmap(' * sketch.depth}{whole}{')' * sketch.depth}"
    names = "grad" if sketch.lean else "grad, (y_hat, loss, row_loss)"
    if sketch.mode["execution"] == "eager":
        yield f"{names} = {whole}(W, X, y)"
        return
    yield from EXECUTION[sketch.mode["execution"]]
    yield from function("run", sketch.arguments, [f"return {whole}(W, X, y)"], comment=sketch.constants)
    yield ""
    yield f"{names} = run({sketch.arguments})"


def _jvp(sketch: Sketch) -> Iterator[str]:
    """Yield the lines that use `torch.func.jvp` for one direction of W at a time."""
    parts = ["loss"] if sketch.lean else ["y_hat", "loss", "row_loss"]
    loss = "forward(X, y, W)" if sketch.lean else "forward(X, y, W)[1]"
    yield from _forward(sketch, parts, "X, y, W")
    yield ""
    if not sketch.lean:
        yield "y_hat, loss, row_loss = forward(X, y, W)"
    yield "grad = torch.zeros_like(W)"
    yield "for i in range(W.shape[-2]):"
    yield "    for k in range(W.shape[-1]):"
    yield "        direction = torch.zeros_like(W)"
    yield "        direction[..., i, k] = 1"
    yield f"        along = torch.func.jvp(lambda W: {loss}, (W,), (direction,))"
    yield "        grad[..., i, k] = along[1]"


def _module(sketch: Sketch) -> Iterator[str]:
    """Yield the lines that use `torch.nn`, which has one network."""
    n, p = sketch.shape[-2:]
    yield f"linear = torch.nn.Linear({n}, {p}, bias=False, dtype=dtype)"
    yield "with torch.no_grad():"
    yield "    linear.weight.copy_(W.mT)"
    yield "model = torch.nn.Sequential(linear, torch.nn.Sigmoid())"
    if sketch.mode["execution"] == "compile":
        yield "model = torch.compile(model, fullgraph=True, dynamic=False)"
    yield "y_hat = model(X)"
    yield "loss = 0.5 * torch.nn.MSELoss()(y_hat, y) * y.numel()"
    yield "loss.backward()"
