"""The combinations of factors other than the modes with names: a full product, and a covering array.

A *combination* is a dtype and a mode, which is named after its values of the factors (`adapters.modes`).
The product contains each output computed alone and compiled, with every set of constants, in every
convention: for JAX in float64 and float32, for torch, whose programs take seconds to compile, in float32.

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
# The execution that compiles in each framework, and the dtypes of its product.
COMPILED: Final = {"torch": ("compile", ("float32",)), "jax": ("jit", ("float64", "float32"))}
Combination = tuple[str, str]


def product() -> Iterator[Combination]:
    """Yield the combinations of the product: an output alone, constants and a convention, compiled."""
    for framework, (execution, dtypes) in COMPILED.items():
        for output, closed, convention, dtype in itertools.product(OUTPUTS[1:], CLOSED, CONVENTIONS, dtypes):
            mode = plain(framework, execution=execution, outputs=output, closed=closed, convention=convention)
            yield mode.name, dtype


def covering() -> list[Combination]:
    """Read the combinations of the covering arrays from the file."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [(name, dtype) for name, _, dtype in (line.partition(" ") for line in lines)]


def all_combinations() -> list[Combination]:
    """Return the combinations of the product and of the covering arrays, each once, as mode and dtype."""
    return list(dict.fromkeys([*product(), *covering()]))
