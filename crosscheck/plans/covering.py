"""The covering cases of a plan: sizes, values and memory layouts, which meet by turns.

Faults hide at sizes at which code takes another path, in memory that lies unusually, and at values that are
rare. The shapes below have sizes of these kinds; the values are the regimes and the other sources that fit
most shapes. Every shape has a few cases in each dtype, the fewer the larger it is. The next case takes the
next of the values, and the next of that value's layouts. So a shape meets several values and layouts, and a
class of shapes, which `shape_class` names, meets all regimes and layouts. The first case of a stack has every
regime, and that of many rows has terms of one scale, so that a sum shows each wrong one. `thorough` gives
every shape every value.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from itertools import count, product
from typing import Final

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import SOURCES, Shape
from crosscheck.plans import shapes
from crosscheck.plans.shapes import shape_class
from reference.formats import FORMATS
from reference.layouts import LAYOUTS

# No axis before m, n and p, several of them, and matrices whose sizes are equal.
AXES: Final[tuple[Shape, ...]] = (
    (2, 3, 2),
    (7, 5, 3),
    (15, 4, 1),
    (31, 31, 31),
    (16, 16, 16),
    (5, 4, 4, 4),
    (3, 5, 2, 3, 2),
    (4, 16, 1, 3, 1),
    (2, 3, 4, 2, 3, 2),
    (2, 1, 3, 1, 2, 7, 3),
)
WIDE: Final[tuple[Shape, ...]] = (
    (3, 64, 1),
    (2, 2, 256, 2),
    (33, 257, 3),
    (3, 64, 64, 1),
    (2, 4097, 1),
    *shapes.WIDE,
)
OUTPUTS: Final[tuple[Shape, ...]] = (
    (3, 2, 64),
    (2, 2, 3, 257),
    (2, 3, 4097),
    (2, 3, 16385),
    *shapes.OUTPUTS,
)
ROWS: Final[tuple[Shape, ...]] = (
    (255, 3, 2),
    (513, 5, 3),
    (1025, 3, 2),
    (4097, 3, 2),
    (2, 8193, 2, 1),
    (16385, 3, 2),
    (32769, 3, 2),
    (65537, 3, 1),
    (131073, 3, 1),
)
STACKS: Final[tuple[Shape, ...]] = (
    (1025, 2, 3, 1),
    (4097, 1, 3, 2),
    (3, 1367, 1, 3, 1),
    (8193, 1, 3, 1),
    (16385, 1, 3, 1),
    (32769, 1, 3, 1),
    (65537, 1, 2, 1),
)
# Every length to 14, powers of two with their neighbours, and round numbers, for stack, m, n and p: several
# in one shape, since a length that is treated wrongly is so beside any others.
LENGTHS: Final[tuple[Shape, ...]] = (
    *((4, 5, 9, 6), (9, 6, 4, 5), (11, 9, 10, 7), (12, 10, 6, 9), (13, 11, 12, 10), (14, 12, 5, 11)),
    *((10, 13, 11, 12), (6, 14, 13, 13), (7, 4, 14, 14), (2, 12, 6, 15), (18, 2, 18, 17), (25, 1, 9, 4)),
    *((24, 12, 7), (48, 13, 9), (63, 65, 4), (65, 6, 1), (100, 127, 1), (127, 100, 1), (128, 24, 5)),
    *((129, 63, 2), (256, 12, 5), (257, 3, 1), (512, 3, 1), (1000, 2, 1), (1024, 3, 1), (2048, 3, 2)),
    *((4096, 3, 1), (8192, 3, 2), (16384, 3, 1)),
    *((24, 129, 2), (2, 128, 2), (2, 48, 9), (3, 512, 1), (2, 1024, 2), (1, 2048, 1)),
    *((2, 5, 24), (3, 4, 32), (2, 6, 33), (4, 2, 63), (5, 3, 65), (6, 2, 100), (2, 9, 127), (3, 10, 128)),
    *((2, 3, 129), (2, 2, 256), (1, 3, 512), (2, 2, 1024)),
    *((63, 1, 3, 1), (65, 1, 2, 3), (100, 2, 3, 1), (127, 1, 3, 1), (128, 1, 4, 2), (129, 1, 3, 1)),
    *((256, 1, 5, 1), (512, 1, 3, 2), (1000, 1, 2, 1), (1024, 1, 3, 1), (4096, 1, 3, 1), (16384, 1, 3, 1)),
)
SHAPES: Final = tuple(
    dict.fromkeys((*shapes.DOCUMENT, *shapes.TAILS, *AXES, *WIDE, *OUTPUTS, *ROWS, *STACKS, *LENGTHS))
)
# The source with every regime in one stack; shapes that can host it, up to so many numbers, begin with it.
MIXED: Final = "mixed"
MOST_MIXED: Final = 2**16
# The sources whose sums show each wrong term that they can show.
ONE_SCALE: Final = "one_scale_"
# The sources that need shapes of their own.
PARTICULAR: Final = ("special_values", "every", "crossed")
# The cases of a shape of at most so many numbers in a dtype; one more for the few shapes of columns, two at
# least for rows. Larger shapes, and those that are there for their lengths, have one in half of the dtypes.
REPEATED: Final = {2**15: 2, 2**17: 1}


def numbers(shape: Shape) -> int:
    """Return how many numbers X, y and W have."""
    *stack, m, n, p = shape
    return math.prod(stack) * (m * n + m * p + n * p)


def _repetitions(shape: Shape, place: int, dtype: str) -> int:
    """Return how many cases the shape at a place of the list gets in a dtype."""
    least = next((count for size, count in REPEATED.items() if numbers(shape) <= size), None)
    if least is None or shape in LENGTHS:
        return (place + tuple(FORMATS).index(dtype)) % 2
    if shape_class(shape) == "columns" and least > 1:
        return least + 1
    return max(least, 2) if shape_class(shape) == "rows" else least


def _choices(values: list[str], shape: Shape, number: int) -> list[str]:
    """Return the values from which case `number` of a shape takes one.

    A stack begins with every regime at once. Where an output sums thousands of terms, the first case has
    terms of one scale or a pattern, and the others have none.
    """
    if shape_class(shape) == "rows":
        scaled = [name for name in values if name.startswith((ONE_SCALE, "structured"))]
        return (scaled if number == 0 else [name for name in values if name not in scaled]) or values
    is_mixed = number == 0 and MIXED in values and numbers(shape) <= MOST_MIXED
    return [MIXED] if is_mixed else values


def _values(shape: Shape, dtype: str, regimes: Sequence[str]) -> list[str]:
    """Return the sources that the shape can host: the regimes, and if these are all, every other source."""
    others = [name for name in SOURCES if name not in REGIMES and name not in PARTICULAR]
    names = [*regimes, *others] if set(regimes) >= set(REGIMES) else regimes
    return [name for name in names if SOURCES[name].unsupported(shape, FORMATS[dtype]) is None]


def _layouts(value: str, shape: Shape) -> list[str]:
    """Return the layouts that a case of this source and shape can have."""
    shares = len(shape) > 3 and SOURCES[value].shares
    return [layout for layout in LAYOUTS if layout != "broadcast" or shares]


class _Turns:
    """Turns: choices of one key are taken one after another; each key begins with another of its choices."""

    def __init__(self) -> None:
        self._places: dict[Hashable, Iterator[int]] = {}

    def next(self, choices: Sequence[str], key: Hashable) -> str:
        """Return the next of the choices."""
        places = self._places.setdefault(key, count(5 * len(self._places)))
        return choices[next(places) % len(choices)]


def covering_cases(
    dtypes: Sequence[str],
    regimes: Sequence[str] = tuple(REGIMES),
    seed: int = 0,
    *,
    thorough: bool = False,
) -> tuple[Case, ...]:
    """Return the covering cases, small ones first.

    Args:
        dtypes: the dtypes of the cases; the cases of a dtype do not depend on the others.
        regimes: the regimes of the cases; the other sources are among their values only if these are all.
        seed: the seed of the first case.
        thorough: whether every shape, here and in `crosscheck.plans.shapes`, gets every value.
    """
    found = dict.fromkeys(case for case in _every(regimes, seed, thorough=thorough) if case.dtype in dtypes)
    return tuple(sorted(found, key=lambda case: (numbers(case.shape), dtypes.index(case.dtype))))


def _every(regimes: Sequence[str], seed: int, *, thorough: bool) -> Iterator[Case]:
    """Yield the cases in all dtypes."""
    if set(regimes) >= set(REGIMES):
        yield from (Case("special_values", 0, shapes.SPECIAL, dtype=dtype) for dtype in FORMATS)
    turns, numbered = _Turns(), count(seed)
    listed = dict.fromkeys(shape for each in shapes.CLASSES.values() for shape in each)
    taken = dict.fromkeys(SHAPES) | (listed if thorough else {})
    for (place, shape), dtype in product(enumerate(taken), FORMATS):
        values = _values(shape, dtype, regimes)
        wanted = len(values) if thorough else _repetitions(shape, place, dtype)
        for number in range(min(wanted, len(values))):
            among = values if thorough else _choices(values, shape, number)
            value = turns.next(among, (shape_class(shape), *among))
            layout = turns.next(_layouts(value, shape), value)
            yield Case(value, next(numbered), shape, layout, dtype)
