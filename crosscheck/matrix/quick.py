"""The part of the plan for a run that ends soon: a user's question, without what takes long to compile.

The core adapters that compile nothing keep all their cases. Any other mode keeps, in every dtype, all special
values and the document's network, and in float64 and float32 a threshold of rows in every regime. torch
compiles for seconds: a compiled mode of it keeps one of the first two, torch.nn, which is called for each
network, the document's. Of the other combinations there remains the place of the fault that is known: the
losses of rows alone, with constants, in a compiled function of JAX in float64.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from typing import Final

from adapters import CORE, NAMED
from adapters.modes import parse
from crosscheck.matrix.plan import Item, is_cheap
from crosscheck.matrix.shapes import DOCUMENT, EVEN, ROWS, SPECIAL, Shape
from reference.layouts import LAYOUTS

THRESHOLDS: Final = (*ROWS, *EVEN)
FAULTY: Final = "float64"


def quick(items: Iterable[Item]) -> Iterator[Item]:
    """What is left of these items, each with some of its cases and one at least, in the same order."""
    for item in items:
        mode = parse(item.mode if item.mode in NAMED else "jax-jit")
        if item.mode in CORE and is_cheap(mode):
            yield item
        elif mode.framework == "torch" and mode.compiles:
            small = DOCUMENT[0] if mode["derivative"] == "module" else SPECIAL
            yield _kept(item, (small, *THRESHOLDS), LAYOUTS[:1])
        else:
            yield _kept(item, (DOCUMENT[0], SPECIAL, *THRESHOLDS), LAYOUTS)


def quick_combinations(items: Iterable[Item]) -> Iterator[Item]:
    """The combinations that are left, each with all its cases."""
    for item in items:
        mode = parse(item.mode)
        compiled = mode.framework == "jax" and mode.compiles
        if compiled and mode.alone == "row_loss" and mode.closed and item.dtype == FAULTY:
            yield item


def _kept(item: Item, shapes: Container[Shape], layouts: Container[str]) -> Item:
    """The item at these shapes, in these layouts."""
    return replace(item, cases=tuple(c for c in item.cases if c.shape in shapes and c.layout in layouts))
