"""The sentences of a script: its title, the mode, the formula of its number, and its admissible set."""

from __future__ import annotations

from adapters.instructions import LEVELS
from adapters.modes import FACTORS, Mode
from crosscheck.script.reproduction import Reproduction
from reference.arithmetic import Arithmetic

# Phrases for the values of a mode; values without a phrase are visible in the code only.
PHRASES = {
    "compile": "under torch.compile",
    "nograd": "under torch.no_grad",
    "inference": "under torch.inference_mode",
    "jit": "under jax.jit",
    "donate": "under jax.jit with donated arguments",
    "vmap": "under jax.vmap",
    "rowvmap": "with jax.vmap over rows",
    "map": "with jax.lax.map over rows",
    "scan": "with jax.lax.scan over rows",
    "shardmap": "under jax.shard_map",
    "backward": "by backward()",
    "module": "by torch.nn",
    "func": "by torch.func.grad",
    "jacfwd": "by jacfwd",
    "jvp": "by jvp",
    "linearize": "by jax.linearize",
    "checkpoint": "with checkpoint",
    "literal": "with the logistic as 1/(1 + exp(-z))",
    "tanh": "with the logistic as 1/2 + tanh(z/2)/2",
    "columns": "with samples as columns",
    "vectors": "with z = W^T X^T",
    "matmul_high": "with matmul precision high",
    "matmul_medium": "with matmul precision medium",
    "matmul_highest": "with matmul precision highest",
    "logistic_highest": "with AccuracyMode.HIGHEST",
    "deterministic": "with deterministic algorithms",
    "cuda": "on CUDA",
    "gpu": "on a GPU",
    "2threads": "on two threads",
    **{level: f"with no instructions beyond {held.psabi}" for level, held in LEVELS.items()},
}


def circumstances(mode: Mode) -> list[str]:
    """Describe the values of a mode that are not plain."""
    letters = list(mode.closed)
    closed = f"with {' and '.join(letters)} closed over" if letters else ""
    values = zip(FACTORS[mode.framework].values(), mode.values, strict=True)
    return [*(PHRASES[v] for known, v in values if v != known[0] and v in PHRASES), *filter(None, [closed])]


def title(reproduction: Reproduction) -> str:
    """Return the title: framework, version, output, dtype and circumstances."""
    framework = f"{reproduction.mode.framework} {reproduction.version}"
    head = f"{framework}: {reproduction.output} of a one-layer logistic network"
    return ", ".join([f"{head} is wrong in {reproduction.case.dtype}", *circumstances(reproduction.mode)])


def formula(reproduction: Reproduction) -> str:
    """Return the formula of the number, for one network of the stack."""
    i, *rest = map(str, reproduction.element.inner or ("", ""))
    k = rest[0] if rest else ""
    return {
        "y_hat": f"1/(1 + exp(-z)) with z = sum over j of X[{i},j]·W[j,{k}]",
        "loss": "sum over i and k of (y[i,k] - y_hat[i,k])²/2",
        "row_loss": f"sum over k of (y[{i},k] - y_hat[{i},k])²/2",
        "grad": f"sum over i of X[i,{i}]·d[i,{k}] with d = (y_hat - y)·y_hat·(1 - y_hat)",
    }[reproduction.output]


def reason(claims: Arithmetic, dtype: str) -> str:
    """Say which effects the admissible set allows for."""
    allowed = [
        "sums in any order",
        "every operation rounded",
        f"a logistic off by {claims.kappa:g}·2^-p relatively, p the digits of {dtype}",
    ]
    if claims.u_acc is not None:
        allowed.append("16-bit sums held in float32")
    if claims.u_in:
        allowed.append("products of inputs rounded to fewer digits")
    if claims.flush:
        allowed.append("subnormal numbers flushed to zero")
    return f"What {dtype} arithmetic may return, rounding errors added up: {', '.join(allowed)}."
