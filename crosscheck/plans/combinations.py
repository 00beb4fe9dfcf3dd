"""The combinations of factors other than the modes with names: a full product, and a covering array.

A *combination* is a dtype and a mode, which is named after its values of the factors (`adapters.modes`).
The product contains each output computed alone and compiled, with every set of constants, in every
convention: for JAX in float64 and float32, and the losses of rows, where faults were found, in bfloat16; for
torch, whose programs take seconds to compile, in float32.

The covering array contains all factors and the dtype, where X, y and W are each an argument or a constant:
every three values that can be combined occur together in some combination. `tools/combinations.py` writes it
to ``combinations.txt``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.modes import CLOSED, CONVENTIONS, OUTPUTS, plain

FILE: Final = Path(__file__).with_suffix(".txt")
# The execution that compiles in each framework, and the outputs of its product in each dtype.
ALONE: Final = OUTPUTS[1:]
COMPILED: Final[dict[str, tuple[str, dict[str, tuple[str, ...]]]]] = {
    "torch": ("compile", {"float32": ALONE}),
    "jax": ("jit", {"float64": ALONE, "float32": ALONE, "bfloat16": ("row_loss",)}),
}
Combination = tuple[str, str]


def product() -> Iterator[Combination]:
    """Yield the combinations of the product: an output alone, constants and a convention, compiled."""
    for framework, (execution, outputs_of) in COMPILED.items():
        for dtype, outputs in outputs_of.items():
            for output, closed, convention in itertools.product(outputs, CLOSED, CONVENTIONS):
                values = {"outputs": output, "closed": closed, "convention": convention}
                yield plain(framework, execution=execution, **values).name, dtype


def covering() -> list[Combination]:
    """Read the combinations of the covering arrays from the file."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [(name, dtype) for name, _, dtype in (line.partition(" ") for line in lines)]


def all_combinations() -> list[Combination]:
    """Return the combinations of the product and of the covering arrays, each once, as mode and dtype."""
    return list(dict.fromkeys([*product(), *covering()]))
