"""The part of the plan for a run that ends soon: a user's question, without what takes long to compile.

A mode that compiles nothing keeps all its cases. Any other mode with a name keeps, in every dtype, the
document's network, all special values, and in float64 and float32 a threshold of rows in every regime. Of
the other combinations there remains the place of the fault that is known: the losses of rows alone, with
constants, in a compiled function of JAX in float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from adapters import NAMED
from adapters.modes import Mode, parse
from crosscheck.cases import Case
from crosscheck.matrix.plan import Item, is_cheap
from crosscheck.matrix.shapes import DOCUMENT, EVEN, ROWS, SPECIAL

SHAPES: Final = frozenset((DOCUMENT[0], SPECIAL, *ROWS, *EVEN))
FAULTY: Final = "float64"


def quick(items: Iterable[Item]) -> Iterator[Item]:
    """What is left of these items, each with some of its cases and one at least, in the same order."""
    for item in items:
        mode = parse(item.mode if item.mode in NAMED else "jax-jit")
        if is_cheap(mode):
            yield item
        else:
            kept = tuple(case for case in item.cases if _is_kept(mode, case))
            yield replace(item, cases=kept)


def quick_combinations(items: Iterable[Item]) -> Iterator[Item]:
    """The combinations that are left, each with all its cases."""
    for item in items:
        mode = parse(item.mode)
        compiled = mode.framework == "jax" and mode.compiles
        if compiled and mode.alone == "row_loss" and mode.closed and item.dtype == FAULTY:
            yield item


def _is_kept(mode: Mode, case: Case) -> bool:
    one_more_program = mode.framework == "torch" and mode.compiles and case.layout != "contiguous"
    return case.shape in SHAPES and not one_more_program
