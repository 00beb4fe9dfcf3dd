"""The case: a line of text that names one stack of problems, bit for bit the same everywhere.

    ordinary:7:8192x1x3x1:contiguous:float64        regime:seed:shape:layout:dtype
    mixed:7:8192x1x3x1:contiguous:float64           a source beside the regimes, `crosscheck.inputs.sources`
    float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]    a literal case, `crosscheck.inputs.literals`

The shape is ``(*stack, m, n, p)``. Regime, seed, shape and dtype are the key of a case's random bits; a
layout changes memory only, except ``broadcast``: there the first problem's weights serve the whole stack.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from crosscheck.inputs.literals import (
    DEEPEST,
    CaseError,
    Literal,
    check_size,
    joined,
    one_of,
    parse_literal,
)
from crosscheck.inputs.sources import SOURCES, Draw
from crosscheck.inputs.structured import describe
from reference.formats import FORMATS, Format
from reference.layouts import LAYOUTS, aligned, arrange
from reference.types import Problem

__all__ = ["SHAPES_ELEMENTWISE", "SHAPES_STACKED", "Case", "CaseError", "Literal", "parse", "take"]

# The fixed list of shapes (stack, m, n, p): every new one costs a framework that compiles 50 to 80 ms.
SHAPES_ELEMENTWISE: Final = ((1, 1, 3, 1), (1, 1, 1, 1), (1, 2, 3, 2))  # the document's first
SHAPES_STACKED: Final = ((8192, 1, 3, 1), (256, 7, 3, 2), (64, 2, 33, 1), (4, 64, 8, 3))

LARGEST_SEED: Final = 2**64 - 1
SEED: Final = re.compile(r"[0-9]{1,20}")
SHAPE: Final = re.compile(r"[0-9]{1,12}(x[0-9]{1,12})*")


@dataclass(frozen=True)
class Case:
    """A stack of problems by its description.

    Attributes:
        regime: a key of `SOURCES`: a regime or another source.
        seed: 0 to 2^64 − 1.
        shape: ``(*stack, m, n, p)``, each at least 1.
        layout: one of `LAYOUTS`.
        dtype: a key of `FORMATS`.

    Raises:
        CaseError: an unknown name, a seed or shape out of range, a shape that cannot host the regime, or a
            layout ``broadcast`` without a stack axis or without weights that problems could share.
    """

    regime: str
    seed: int
    shape: tuple[int, ...]
    layout: str = "contiguous"
    dtype: str = "float64"

    def __post_init__(self) -> None:
        one_of(self.regime, tuple(SOURCES), "regime")
        one_of(self.layout, LAYOUTS, "layout")
        one_of(self.dtype, tuple(FORMATS), "dtype")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise CaseError(f"seed {self.seed} is out of range; use 0 to {LARGEST_SEED}")
        _check_shape(self.shape)
        if self.layout == "broadcast" and len(self.shape) < 4:
            raise CaseError(f"layout broadcast needs a stack axis; the shape is {joined(self.shape)}")
        source = SOURCES[self.regime]
        if self.layout == "broadcast" and not source.shares:
            raise CaseError(f"layout broadcast lends weights; the problems of {self.regime} have their own")
        reason = source.unsupported(self.shape, self.format)
        if reason:
            raise CaseError(f"regime {self.regime} at shape {joined(self.shape)}: {reason}")

    @property
    def format(self) -> Format:
        """The format of all three arrays."""
        return FORMATS[self.dtype]

    @property
    def text(self) -> str:
        """The line that `parse` reads back."""
        return f"{self.regime}:{self.seed}:{joined(self.shape)}:{self.layout}:{self.dtype}"

    @property
    def note(self) -> str:
        """What the numbers are, in words, where only the seed says it; empty for other cases."""
        return describe(self.seed, math.prod(self.shape[:-3])) if self.regime == "structured" else ""

    def problem(self) -> Problem:
        """Make X, y and W in the layout; ``contiguous`` means C-contiguous and 64-byte aligned."""
        return arrange(self._made(), self.layout)

    def problem_view(self) -> Problem:
        """Make X, y and W in the layout ``contiguous``; crossed cases of the same random bits share memory.

        Writing to the arrays would change the problems of those cases.
        """
        return Problem(*(aligned(array) for array in self._made()))

    def _made(self) -> Problem:
        draw = Draw(self.regime, self.shape, self.dtype, shared=self.layout == "broadcast")
        return SOURCES[self.regime].generate(draw, self.seed, self.shape, self.format)


def _check_shape(shape: tuple[int, ...]) -> None:
    """Raise `CaseError` unless the shape is ``(*stack, m, n, p)`` of a size that can be judged."""
    if not 3 <= len(shape) <= DEEPEST or min(shape) < 1:
        raise CaseError(f"shape {joined(shape)!r} is unusable; use [stack x] m x n x p, each at least 1")
    check_size(shape)


def parse(text: str) -> Case | Literal:
    """Read the text of a case, generated or literal.

    Raises:
        CaseError: the text is no case; the message says where, and what is allowed.
    """
    text = text.strip()
    first, _, others = text.partition(":")
    if first in FORMATS or others.startswith("X="):
        return parse_literal(text)
    parts = text.split(":")
    if len(parts) != 5:
        raise CaseError(
            f"case {text[:60]!r} has {len(parts)} parts; use regime:seed:shape:layout:dtype,"
            " or dtype:X=[[..]]:y=[[..]]:W=[[..]]"
        )
    regime, seed, shape, layout, dtype = parts
    if not SEED.fullmatch(seed):
        raise CaseError(f"seed {seed!r} is no whole number from 0 to {LARGEST_SEED}")
    if not SHAPE.fullmatch(shape):
        raise CaseError(f"shape {shape!r} is unusable; write the sizes stack, m, n, p as in 8192x1x3x1")
    return Case(regime, int(seed), tuple(map(int, shape.split("x"))), layout, dtype)


def take(source: Problem | Case | Literal, index: int | tuple[int, ...]) -> Literal:
    """Take one problem of a stack as a literal case, without stack axes.

    An index that is one number counts through all stack axes in C order. The layout of the case is kept,
    except ``broadcast``, which needs a stack.

    Raises:
        CaseError: the stack has no such problem.
    """
    X, y, W = source if isinstance(source, Problem) else source.problem()
    layout = "contiguous" if isinstance(source, Problem) else source.layout
    stack = X.shape[:-2]
    numbers = np.arange(math.prod(stack)).reshape(stack)
    try:
        place = int(numbers[index] if isinstance(index, tuple) else numbers.ravel()[index])
    except (IndexError, TypeError):  # TypeError: an index with too few axes names several problems
        raise CaseError(f"there is no problem {index} in a stack of {joined(stack) or 1}") from None
    X, y, W = (np.array(array.reshape(-1, *array.shape[-2:])[place]) for array in (X, y, W))
    return Literal(X.dtype.name, X, y, W, "contiguous" if layout == "broadcast" else layout)
