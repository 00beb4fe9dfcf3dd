"""The part of the plan for a run that ends soon: a user's question, without what takes long to compile.

The core adapters that compile nothing keep all their cases. Any other mode keeps, in every dtype, all special
values and the document's network, and in float64 and float32 a threshold of rows in every regime; torch
compiles for seconds, so that beside a threshold it leaves the document out. Of the other combinations there
remains the place of the fault that is known: the losses of rows alone, with constants, in a compiled function
of JAX in float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from adapters import CORE, NAMED
from adapters.modes import parse
from crosscheck.matrix.plan import Item, is_cheap
from crosscheck.matrix.shapes import DOCUMENT, EVEN, ROWS, SPECIAL
from reference.layouts import LAYOUTS

SHAPES: Final = frozenset((DOCUMENT[0], SPECIAL, *ROWS, *EVEN))
FAULTY: Final = "float64"


def quick(items: Iterable[Item]) -> Iterator[Item]:
    """What is left of these items, each with some of its cases and one at least, in the same order."""
    for item in items:
        mode = parse(item.mode if item.mode in NAMED else "jax-jit")
        if item.mode in CORE and is_cheap(mode):
            yield item
        elif mode.framework == "torch" and mode.compiles:
            yield _without_document(_kept(item, LAYOUTS[:1]))
        else:
            yield _kept(item, LAYOUTS)


def quick_combinations(items: Iterable[Item]) -> Iterator[Item]:
    """The combinations that are left, each with all its cases."""
    for item in items:
        mode = parse(item.mode)
        compiled = mode.framework == "jax" and mode.compiles
        if compiled and mode.alone == "row_loss" and mode.closed and item.dtype == FAULTY:
            yield item


def _kept(item: Item, layouts: tuple[str, ...]) -> Item:
    """The item at the shapes of a quick run, in these layouts."""
    return replace(item, cases=tuple(c for c in item.cases if c.shape in SHAPES and c.layout in layouts))


def _without_document(item: Item) -> Item:
    """The item without the document's network where it has a threshold."""
    if all(case.shape in (DOCUMENT[0], SPECIAL) for case in item.cases):
        return item
    return replace(item, cases=tuple(case for case in item.cases if case.shape != DOCUMENT[0]))
