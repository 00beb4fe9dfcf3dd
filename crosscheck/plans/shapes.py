"""The fixed list of shapes, ``(*stack, m, n, p)``, by class; each shape costs frameworks a compilation.

| class | its shapes |
|---|---|
| document | the document's own, 1×3 by 3×1 |
| tails | stack, m and n around the lengths of vector registers: 1, 3, 7, 8, 15, 16, 17, 31, 32, 33 |
| wide | tens to hundreds of inputs, also as many as samples |
| outputs | p = 1, 2, 3, 8, 64 by m = 1, 2, 7, 64 |
| axes | stacks of several axes |
| rows | m around the thresholds of parallel and library code: 2^12, 2^14, 2^15, 2^16, 2^17; odd remainders |
| columns | n or p around the same thresholds, up to 2^16 |
| stacks | the number of networks around the same thresholds |
"""

from __future__ import annotations

import math
from typing import Final

from crosscheck.inputs.sources import Shape

# A stack with four problems of every regime, for cases of the kind `mixed`.
MIXED: Final[Shape] = (40, 2, 3, 2)
SPECIAL: Final[Shape] = (13**3, 1, 1, 1)
DOCUMENT: Final[tuple[Shape, ...]] = ((160, 1, 3, 1), (1, 3, 1))
THRESHOLDS: Final = (*(size for k in (12, 14, 15, 16) for size in (2**k - 1, 2**k + 1)), 2**17 + 1)
# Pairs (n, p): the document's n with two values of p, and another.
INNER: Final = ((3, 1), (3, 2), (5, 3))

TAILS: Final[tuple[Shape, ...]] = (
    (16, 1, 31, 1),
    (33, 3, 7, 2),
    (15, 7, 16, 3),
    (31, 8, 1, 8),
    (17, 15, 33, 1),
    (32, 16, 3, 2),
    (1, 17, 8, 3),
    (3, 31, 17, 1),
    (7, 32, 15, 2),
    (8, 33, 32, 3),
)
WIDE: Final[tuple[Shape, ...]] = (
    (20, 2, 300, 1),
    (2, 7, 300, 3),
    (10, 1, 1000, 1),
    (2, 64, 1000, 1),
    (64, 64, 1),
    (2, 256, 3),
)
# The last has m·p = 4096, where XLA's compiler for the CPU changes its kernel.
OUTPUTS: Final[tuple[Shape, ...]] = ((16, 1, 3, 2), (20, 2, 3, 3), (10, 7, 3, 8), (10, 64, 8, 3), (64, 2, 64))
# Where constants of equal values have been wrong: m·p = 4096 in one network, and more in a stack.
EQUAL_CONSTANTS: Final[tuple[Shape, ...]] = ((64, 2, 64), (40, 64, 8, 3))
AXES: Final[tuple[Shape, ...]] = ((3, 5, 2, 3, 2), (5, 2, 2, 7, 3, 1), (2, 2, 2, 2, 2, 2, 9, 9, 9))
ROWS: Final[tuple[Shape, ...]] = tuple((m, n, p) for m in THRESHOLDS for n, p in INNER)
# Numbers of rows that leave 15 of 16 and 3 of 4 behind.
REMAINDERS: Final[tuple[Shape, ...]] = ((2**12 + 15, 3, 2), (2**14 + 3, 3, 1), (2**15 + 15, 5, 3))
OUTPUT_COLUMNS: Final[tuple[Shape, ...]] = tuple((2, 3, p) for p in THRESHOLDS[:-1])
INPUT_COLUMNS: Final[tuple[Shape, ...]] = tuple((2, n, 1) for n in THRESHOLDS[:-1])
STACKS: Final[tuple[Shape, ...]] = tuple((s, 1, n, p) for s in THRESHOLDS for n, p in INNER[:2])
# Even numbers of rows and of networks, for modes that spread them over two devices.
EVEN: Final[tuple[Shape, ...]] = ((2, 2**14 + 1, 3, 2), (2, 2**15 + 1, 3, 1), (2**16 + 2, 3, 1))
EVEN_STACKS: Final[tuple[Shape, ...]] = ((2**14 + 2, 1, 3, 1), (2**16 + 2, 1, 3, 2))
STACK_OF_AXES: Final[Shape] = (4, 2**12 + 1, 1, 3, 2)

CLASSES: Final[dict[str, tuple[Shape, ...]]] = {
    "document": (*DOCUMENT, MIXED, SPECIAL),
    "tails": TAILS,
    "wide": WIDE,
    "outputs": (*OUTPUTS, *EQUAL_CONSTANTS),
    "axes": AXES,
    "rows": (*ROWS, *REMAINDERS, *EVEN),
    "columns": (*OUTPUT_COLUMNS, *INPUT_COLUMNS),
    "stacks": (*STACKS, *EVEN_STACKS, STACK_OF_AXES),
}
LARGE: Final = ("rows", "columns", "stacks")
# In 16-bit dtypes few sums of thousands of numbers are judged: ŷ, and a loss of one row.
LARGE_DTYPES: Final = ("float64", "float32")
# Forward mode takes one direction for each weight, and seconds at a large shape with many weights.
MOST_DIRECTIONS: Final = 6
# Other shapes belong to the first of these classes for which their m, stack, n or p is large enough.
LEAST: Final = {"rows": 1000, "stacks": 1000, "wide": 64, "outputs": 64}

_CLASS: Final = {shape: name for name, shapes in CLASSES.items() for shape in shapes}


def shape_class(shape: Shape) -> str:
    """Return the class of a shape: that of the list, or one by its sizes and its number of stack axes.

    Of other shapes, ``axes`` has those with several stack axes, and ``other`` the rest.
    """
    if shape in _CLASS:
        return _CLASS[shape]
    *stack, m, n, p = shape
    sizes = zip(LEAST, (m, math.prod(stack), n, p), strict=True)
    by_size = (name for name, size in sizes if size >= LEAST[name])
    return next(by_size, "axes" if len(stack) > 1 else "other")
