"""The text of a whole script, from a template for each framework, with what is true of one reproduction."""

from __future__ import annotations

import math
import platform
import re
import textwrap
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters import instructions
from adapters.instructions import LEVELS
from adapters.modes import DEVICES, FACTORS, Mode
from adapters.threads import xla_flags
from crosscheck.script.arrays import WIDTH, inputs
from crosscheck.script.reproduction import Reproduction
from crosscheck.text import format_hex, format_number
from reference import oracle
from reference.ulp import ulp

TEMPLATES = Path(__file__).with_name("templates")
# Phrases of the title for the values of a mode; values without a phrase are visible in the code only.
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
    "addmm": "with a product by addmm with beta=0",
    "out": "with results in given memory",
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


def script(reproduction: Reproduction, *, lean: bool = False) -> str:
    """Write a script that needs only Python, NumPy and the framework; it exits with 1 if the number is wrong.

    Args:
        reproduction: the wrong number that the script shows.
        lean: whether the script computes only what the number needs, even if the mode computes all outputs.

    Raises:
        NoScriptError: the text of the input is too long.
    """
    mode, case = reproduction.mode, reproduction.case
    element, ball, (high, low) = reproduction.element, reproduction.element.ball, reproduction.element.exact
    flags = {**xla_flags(mode.threads, mode.devices), **instructions.xla_flag(mode.isa)}
    text = _environment().get_template(f"{mode.framework}.jinja").render(
        mode=mode,
        output=reproduction.output,
        shape=case.shape,
        depth=len(case.shape) - 3,
        lean=lean,
        framework=mode.framework,
        version=reproduction.version,
        circumstances=circumstances(mode),
        numpy_version=np.__version__,
        platform=platform,
        restrictions=list(restrict_instructions(mode.isa)),
        xla_flags=" ".join(f"--{name}={value}" for name, value in flags.items()),
        dtype=case.dtype,
        inputs=partial(inputs, reproduction),
        inner=element.inner,
        bits=f"to {ball.rel_accuracy_bits()} bits" if ball.rad() else "without any rounding",
        decimal=oracle.decimal(ball),
        exact=high,
        rest=low,
        ulp=float(ulp(np.array(high), case.format, np.array(low))),
        claims=reproduction.claims,
        admissible=reproduction.admissible,
        came_out=format_number(reproduction.got, case.format),
        index=_index(reproduction),
        DEVICES=DEVICES,
    )  # fmt: skip
    return re.sub(r"\n{4,}", "\n\n\n", text)


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701, it writes Python, not HTML
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["comment"] = comment
    environment.filters["literal"] = _literal
    environment.filters["extract"] = lambda name, values: values[name]
    return environment


def comment(text: str) -> str:
    """Write a text as lines of comments."""
    words = " ".join(text.split())
    lines = textwrap.wrap(words, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def circumstances(mode: Mode) -> list[str]:
    """Describe the values of a mode that are not plain."""
    values = zip(FACTORS[mode.framework].values(), mode.values, strict=True)
    found = [PHRASES[v] for known, v in values if v != known[0] and v in PHRASES]
    return [*found, f"with {' and '.join(mode.closed)} closed over"] if mode.closed else found


def restrict_instructions(isa: str) -> Iterator[str]:
    """Yield the lines that restrict libraries to an instruction set, before they are imported."""
    if isa != instructions.NATIVE:
        variables = {**instructions.environment(isa), **instructions.numpy_variable(isa, np.__version__)}
        del variables[instructions.VARIABLE]
        yield from (f'os.environ["{name}"] = "{value}"' for name, value in variables.items())


def _index(reproduction: Reproduction) -> str:
    """Write the index of the number in its output, in which ŷ may have samples as columns."""
    index = reproduction.element.index
    if reproduction.output == "y_hat" and reproduction.mode["convention"] == "columns":
        index = (*index[:-2], index[-1], index[-2])
    return f"[{', '.join(map(str, index))}]" if index else ""


def _literal(value: float) -> str:
    return f'float.fromhex("{format_hex(value)}")' if math.isfinite(value) else f'float("{value}")'
