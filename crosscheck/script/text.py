"""The text of a whole script: header, input, the framework's code, the exact value, and the verdict."""

from __future__ import annotations

import math
import platform
import re
import textwrap
from collections.abc import Iterator

import numpy as np

from adapters import instructions
from crosscheck.script import jax_code, torch_code
from crosscheck.script.arrays import inputs
from crosscheck.script.network import Sketch
from crosscheck.script.reproduction import Reproduction
from crosscheck.script.words import formula, reason, title
from crosscheck.text import format_hex, format_number
from reference import oracle
from reference.ulp import ulp

WIDTH = 100
STANDARD = ("base64", "math", "os", "platform", "sys", "zlib")
HOOK = '''
def cannot_run(kind, error, trace):
    """Whatever goes wrong before the verdict is no verdict."""
    print(f"cannot run: {kind.__name__}: {error}", flush=True)
    os._exit(2)


sys.excepthook = cannot_run
'''
ENDING = """
versions = f"{where}, NumPy {np.__version__}, Python {platform.python_version()}"
print(f"{versions}, {platform.platform()}")
print(f"got    {got.hex()}  {got!r}")
print(f"exact  {EXACT.hex()}  {EXACT!r}")
print(f"error  {abs(got - EXACT - REST) / ULP:.3g} ulp")
print("ok" if right else "BUG")
sys.exit(0 if right else 1)
"""


def script(reproduction: Reproduction, *, lean: bool = False) -> str:
    """Write a script that needs only Python, NumPy and the framework; it exits with 1 if the number is wrong.

    Args:
        reproduction: the wrong number that the script shows.
        lean: whether the script computes only what the number needs, even if the mode computes all outputs.

    Raises:
        NoScriptError: the text of the input is too long.
    """
    mode = reproduction.mode
    sketch = Sketch(mode, reproduction.output, reproduction.case.shape, lean)
    of = torch_code if mode.framework == "torch" else jax_code
    lines, result = of.code(sketch)
    is_defined = lines[0].startswith(("def ", "@", "P = "))
    body = [
        *_dtype_and_settings(reproduction, sketch),
        *inputs(reproduction, sketch.used),
        *[""] * (1 + is_defined),
        *lines,
        "",
    ]
    body += [
        *_exact(reproduction),
        "",
        f"got = float({_picked(reproduction, result)})",
        *_right(reproduction),
    ]
    ending = ENDING if "\nREST = " in "\n".join(body) else ENDING.replace(" - REST", "")
    ending = ending.replace("{where}", f"{mode.framework} {{{mode.framework}.__version__}}")
    text = "\n".join([*HOOK.splitlines(), "", *_imports(sketch), "", *body, *ending.splitlines()])
    standard = [f"import {name}" for name in STANDARD if re.search(rf"\b{name}\.", text)]
    whole = "\n".join([*_header(reproduction), "", *standard, "", text]) + "\n"
    return re.sub(r"\n{4,}", "\n\n\n", whole)


def _comment(text: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


def _header(reproduction: Reproduction) -> Iterator[str]:
    framework = reproduction.mode.framework
    yield from _comment(title(reproduction))
    yield "#"
    seen = f"{framework} {reproduction.version}, NumPy {np.__version__}, Python {platform.python_version()}"
    yield from _comment(f"Seen with {seen}, {platform.system()} {platform.machine()}.")
    yield from _comment(f"Needs Python, NumPy and {framework} only. Run it: python <this file>")
    yield from _comment("Exit code: 1 while the bug is there, 0 once it is gone, 2 if this cannot run.")
    yield from _comment("Made by Gradient Crosscheck.")


def restrict_instructions(isa: str) -> Iterator[str]:
    """Yield the lines that restrict libraries to an instruction set, before they are imported."""
    if isa != instructions.NATIVE:
        variables = {**instructions.environment(isa), **instructions.numpy_variable(isa, np.__version__)}
        del variables[instructions.VARIABLE]
        yield from (f'os.environ["{name}"] = "{value}"' for name, value in variables.items())


def _imports(sketch: Sketch) -> Iterator[str]:
    yield from restrict_instructions(sketch.mode.isa)
    if sketch.mode.framework == "jax":
        yield from jax_code.environment(sketch)
        yield from ("", "import jax", "import jax.numpy as jnp", "import numpy as np")
        return
    yield from ("import numpy as np", "import torch")
    if sketch.has_gradient and sketch.mode["derivative"] == "checkpoint":
        yield "import torch.utils.checkpoint"


def _dtype_and_settings(reproduction: Reproduction, sketch: Sketch) -> Iterator[str]:
    dtype = reproduction.case.dtype
    if reproduction.mode.framework == "torch":
        if reproduction.mode["device"] == "cuda":
            yield from ("if not torch.cuda.is_available():", '    raise RuntimeError("no CUDA device")')
        yield from torch_code.settings(sketch)
    else:
        yield from jax_code.settings(sketch, dtype)
    *stack, m, n, p = reproduction.case.shape
    stacked = f" A stack of {'×'.join(map(str, stack))} networks." if stack else ""
    way = " Samples lie in columns." if reproduction.mode["convention"] == "columns" else ""
    yield from _comment(
        f"The smallest input found: m = {m} samples in X, n = {n} inputs, p = {p} outputs.{stacked}{way}"
    )
    is_torch = reproduction.mode.framework == "torch"
    yield f"dtype = torch.{dtype}" if is_torch else f'dtype = jnp.dtype("{dtype}")'


def _picked(reproduction: Reproduction, result: str) -> str:
    """Write the expression that picks the number from the result, in which ŷ may have samples as columns."""
    index = reproduction.element.index
    if reproduction.output == "y_hat" and reproduction.mode["convention"] == "columns":
        index = (*index[:-2], index[-1], index[-2])
    return f"{result}[{', '.join(map(str, index))}]" if index else result


def _literal(value: float) -> str:
    if not math.isfinite(value):
        return f'float("{value}")'
    return f'float.fromhex("{format_hex(value)}")'


def _exact(reproduction: Reproduction) -> Iterator[str]:
    """Yield the lines with the exact value and the admissible interval around it."""
    element, one, format = reproduction.element, reproduction.admissible, reproduction.case.format
    high, low = element.exact
    if math.isnan(high):
        yield from _comment("The input is not finite; what remains of the formula is not a number.")
        yield "EXACT, ULP = math.nan, 1.0"
    else:
        bits = f"to {element.ball.rel_accuracy_bits()} bits" if element.ball.rad() else "without any rounding"
        yield from _comment(
            f"The exact value of {formula(reproduction)}, of the very numbers above, by interval arithmetic"
            f" (FLINT's balls), certified {bits}: {oracle.decimal(element.ball)}"
        )
        yield f"EXACT = {_literal(high)}"
        if format.name == "float64":
            yield f"REST = {_literal(low)}  # what float64 cannot hold of it"
        unit = float(ulp(np.array(high), format, np.array(low)))
        yield f"ULP = {_literal(unit)}  # a unit in the last place of {format.name} there"
    if not one.must:
        yield from _comment(reason(reproduction.claims, format.name))
        ends = (f"({_literal(low)}, {_literal(high)})" for low, high in one.intervals())
        yield f"ADMISSIBLE = [{', '.join(ends)}]"
    yield from _comment(f"What came out where it was seen: {format_number(reproduction.got, format)}")


def _right(reproduction: Reproduction) -> Iterator[str]:
    one = reproduction.admissible
    if one.must:
        yield "right = math.isnan(got)"
    else:
        within = "any(low <= got <= high for low, high in ADMISSIBLE)"
        yield f"right = {within}" + (" or math.isnan(got)" if one.may else "")
