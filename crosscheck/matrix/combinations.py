"""The combinations of factors beyond the modes with names: a full product, and a covering array.

The product: each output computed alone and compiled, by every set of constants, in every convention; in JAX
in float64 and float32, in torch, whose programs take seconds to compile, in float32.

The covering array: of all factors and the dtype, X, y and W each being an argument or a constant, such that
every three values that can go together do so in some combination. It stands in ``combinations.txt``, which
`tools/combinations.py` makes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.modes import CLOSED, CONVENTIONS, OUTPUTS, plain

FILE: Final = Path(__file__).with_suffix(".txt")
# How each framework compiles, and the dtypes of its product.
COMPILED: Final = {"torch": ("compile", ("float32",)), "jax": ("jit", ("float64", "float32"))}
Combination = tuple[str, str]


def product() -> Iterator[Combination]:
    """Name and dtype of every output alone × constants × convention, compiled."""
    for framework, (execution, dtypes) in COMPILED.items():
        for output, closed, convention, dtype in itertools.product(OUTPUTS[1:], CLOSED, CONVENTIONS, dtypes):
            mode = plain(framework, execution=execution, outputs=output, closed=closed, convention=convention)
            yield mode.name, dtype


def covering() -> list[Combination]:
    """The covering arrays that are written down."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [(name, dtype) for name, _, dtype in (line.partition(" ") for line in lines)]


def all_combinations() -> list[Combination]:
    """Both, each once."""
    return list(dict.fromkeys([*product(), *covering()]))
