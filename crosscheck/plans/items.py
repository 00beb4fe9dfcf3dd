"""The plan of the matrix: which modes, and for each mode and dtype which cases.

The modes with names of their own get every class of shapes, every layout and all special values. Where each
shape needs another compiled program, a mode takes every k-th shape of a class, with another start for each
mode and dtype, so that together the modes take all of them. `thorough` gives every mode with a name every
shape. The other combinations of factors are those of `crosscheck.plans.combinations`, and
`crosscheck.plans.combined` decides their cases.

In 16-bit dtypes a mode gets one large shape: sums of thousands of such numbers are not judged if the
accumulator is narrow, but ŷ is, and so is the loss of a row.

The quick part is for short runs, such as a user's first one, without the cases that compile for long. Core
adapters that compile nothing keep all their cases. Any other mode keeps, in every dtype, all special values
and the document's network, and in float64 and float32 a threshold of rows in every regime. torch compiles for
seconds, so a compiled mode of it keeps the special values but not the document's network; with torch.nn,
which is called for each network, it is the other way round. Of the other combinations, only the cases like
those of known faults are kept: losses computed alone, with constants, in a compiled function of JAX.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from adapters import CORE, NAMED
from adapters.effort import is_slow
from adapters.modes import FORWARD_MODES, Mode, parse
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import Shape
from crosscheck.plans import shapes
from crosscheck.plans.combinations import all_combinations
from crosscheck.plans.combined import cases_of_combination, faulty_cases
from crosscheck.plans.shapes import LARGE_DTYPES
from reference.formats import FORMATS
from reference.layouts import LAYOUTS

SMALL: Final = (*shapes.TAILS, *shapes.WIDE, *shapes.OUTPUTS, *shapes.AXES)
# Large shapes of 16-bit numbers, of which each mode takes one.
NARROW: Final[tuple[Shape, ...]] = (
    (2**15 + 1, 3, 2),
    (2**14 + 1, 3, 1),
    (2, 3, 2**12 + 1),
    (2**12 + 1, 1, 3, 1),
)
# The layouts that need a stack, or at thresholds find few axes of length 1.
ON_STACKS: Final = ("broadcast", "odd_strides")
# Where each layout costs much, the turns: orders in memory at thresholds of rows; what one row shows in the
# dtypes that have thresholds; and the others in the dtypes that have none.
ORDERS: Final = ("transposed", "transposed_X", "transposed_W", "table")
ANYWHERE: Final = (*ON_STACKS, "offset8", "offset32")
BETWEEN: Final = tuple(layout for layout in LAYOUTS[1:] if layout not in (*ORDERS, *ANYWHERE))
# For the quick part: shapes whose sums pass a threshold, and the dtype of the known fault.
THRESHOLDS: Final = (*shapes.ROWS, *shapes.REMAINDERS, *shapes.EVEN)
FAULTY: Final = "float64"


@dataclass(frozen=True)
class Item:
    """One mode in one dtype, with its cases.

    Attributes:
        mode: the name of the mode.
        dtype: the dtype of all the cases.
        cases: the cases in order, small ones first.
    """

    mode: str
    dtype: str
    cases: tuple[Case, ...]


def _regime(number: int) -> str:
    return tuple(REGIMES)[number % len(REGIMES)]


def case_of(shape: Shape, dtype: str, number: int, layout: str = "contiguous") -> Case:
    """Return a case of the shape: `mixed` if the stack is large enough, else of the regime `number`."""
    if math.prod(shape[:-3]) >= len(REGIMES) and layout != "broadcast":
        return Case("mixed", 0, shape, layout, dtype)
    regime = _regime(number)
    if REGIMES[regime].unsupported(shape, FORMATS[dtype]):
        regime = "ordinary"
    return Case(regime, 0, shape, layout, dtype)


def _some(shapes: Sequence[Shape], count: int, place: int) -> tuple[Shape, ...]:
    """Return `count` of the shapes, evenly spread, with another start for each place."""
    step = max(1, -(-len(shapes) // count))
    return tuple(shapes[place % step :: step])[:count]


def is_cheap(mode: Mode) -> bool:
    """Whether a new shape costs little: the mode compiles nothing, and has no call per weight or network."""
    return mode.framework != "jax" and not mode.compiles and not is_slow(mode)


def _compiles_for_seconds(mode: Mode) -> bool:
    return mode.framework == "torch" and mode.compiles


def cases_of_named(mode: Mode, dtype: str, index: int, *, thorough: bool = False) -> tuple[Case, ...]:
    """Return the cases of a mode with a name in one dtype; ``index`` is the mode's position in `NAMED`."""
    place = index + tuple(FORMATS).index(dtype)
    whole = thorough or is_cheap(mode)
    turn = _some(SMALL, 1, _turn(index, dtype)) if _has_its_turn(mode, dtype, place) else ()
    small = SMALL if whole else turn
    found = [
        case_of(shapes.DOCUMENT[0], dtype, place),
        Case("special_values", 0, shapes.SPECIAL, dtype=dtype),
        Case("structured", place * shapes.DOCUMENT[0][0], shapes.DOCUMENT[0], dtype=dtype),
        *(case_of(shape, dtype, place + i) for i, shape in enumerate(small)),
    ]
    laid_out = next(filter(_shows_layouts, small), None)
    if laid_out is None:  # the cases at thresholds have layouts, too
        laid_out = shapes.DOCUMENT[0] if dtype in LARGE_DTYPES else shapes.MIXED
    for layout in LAYOUTS[1:] if whole else _layouts_in_turn(mode, dtype, place):
        shape = shapes.DOCUMENT[0] if layout == "odd_strides" else laid_out  # it has axes of length 1
        found.append(case_of(shape, dtype, place, layout))
    if whole:
        found += [Case(regime, 0, shapes.DOCUMENT[1], dtype=dtype) for regime in REGIMES]
    if thorough or not mode.is_hazard:
        if dtype in LARGE_DTYPES:
            found += _rows(mode, dtype, index, thorough=thorough)
            found += _columns(mode, dtype, index, thorough=thorough)
            found += _stacks(mode, dtype, index, thorough=thorough)
        else:
            found += _narrow(mode, dtype, index, thorough=thorough)
    return tuple(dict.fromkeys(found))


def _shows_layouts(shape: Shape) -> bool:
    """Whether every layout moves numbers: there is a stack, and at least two of m, n and p exceed 1."""
    return len(shape) > 3 and sum(size > 1 for size in shape[-3:]) > 1


def _has_its_turn(mode: Mode, dtype: str, place: int) -> bool:
    """Whether a mode that takes small shapes in turn takes one in this dtype; eager JAX: in float32 only."""
    return place % 2 == 0 if mode.compiles else dtype == "float32"


def _turn(index: int, dtype: str) -> int:
    """Return the number of a mode's turn in a dtype, such that the turns of the modes follow each other."""
    return 2 * index + tuple(FORMATS).index(dtype) // 2


def _rows(mode: Mode, dtype: str, index: int, *, thorough: bool) -> Iterator[Case]:
    """Yield the cases of a mode whose numbers of rows lie around the thresholds of parallel code.

    Every regime and every chosen shape has a case, and the first shape has one in each chosen layout: in
    half of those that need no stack, in turn, since every case of a mode has to be judged.
    """
    j = LARGE_DTYPES.index(dtype)
    fitting, turn = _fitting(mode, shapes.ROWS), 2 * index + j
    if mode.devices > 1:
        rows: Sequence[Shape] = shapes.EVEN
    elif thorough:
        rows = (*shapes.ROWS, *shapes.REMAINDERS)
    elif is_cheap(mode):
        rows = (*_some(fitting, 3, turn), *_some(shapes.REMAINDERS, 1, turn))
    else:
        rows = _some(fitting, 1, turn)
    for number in range(max(len(rows), len(REGIMES))):
        yield Case(_regime(number + index + j), 0, rows[number % len(rows)], dtype=dtype)
    yield Case("structured", turn * shapes.DOCUMENT[0][0], rows[0], dtype=dtype)
    layouts = [layout for layout in LAYOUTS[1:] if layout not in ON_STACKS]
    if not thorough:
        place = index + j
        layouts = _in_turn(ORDERS, 2, place) if _pays_for_layouts(mode) else _in_turn(layouts, 5, place)
    yield from (Case("ordinary", 0, rows[0], layout, dtype) for layout in layouts)


def _fitting(mode: Mode, among: Sequence[Shape]) -> list[Shape]:
    """Return the shapes with few enough weights for the derivative of the mode."""
    forward = mode["derivative"] in FORWARD_MODES
    return [shape for shape in among if not forward or shape[-2] * shape[-1] <= shapes.MOST_DIRECTIONS]


def _columns(mode: Mode, dtype: str, index: int, *, thorough: bool) -> Iterator[Case]:
    """Yield cases of a mode with thousands of outputs or inputs: each shape with three regimes by turns."""
    turn = 2 * index + LARGE_DTYPES.index(dtype)
    if mode["derivative"] in FORWARD_MODES or (_compiles_for_seconds(mode) and not thorough):
        return  # forward mode takes one direction for each weight
    groups = (shapes.OUTPUT_COLUMNS, shapes.INPUT_COLUMNS)
    taken = groups if thorough or is_cheap(mode) else groups[turn % 2 :][:1]
    chosen = [s for each in taken for s in (each if thorough else _some(each, 1 + is_cheap(mode), index))]
    for number in range(3 * len(chosen)):
        yield Case(_regime(turn + number), 0, chosen[number % len(chosen)], dtype=dtype)


def _narrow(mode: Mode, dtype: str, index: int, *, thorough: bool) -> Iterator[Case]:
    """Yield the large cases of a mode in a 16-bit dtype, in which ŷ is judged and most sums are not."""
    there = NARROW if mode.devices == 1 else shapes.EVEN[:1]
    if mode.by_network:  # thousands of calls
        there = tuple(shape for shape in there if len(shape) == 3)
    fitting = [] if _compiles_for_seconds(mode) and not thorough else _fitting(mode, there)
    for shape in fitting if thorough else _some(fitting, 1, _turn(index, dtype)):
        yield from (Case(regime, 0, shape, dtype=dtype) for regime in ("ordinary", "near_label"))


def _stacks(mode: Mode, dtype: str, index: int, *, thorough: bool) -> Iterator[Case]:
    """Yield the cases of a mode whose numbers of networks lie around the same thresholds."""
    if mode.by_network:  # thousands of calls
        return
    j = LARGE_DTYPES.index(dtype)
    if thorough or is_cheap(mode) or (mode.compiles and (index + j) % 2 == 0):
        there = shapes.STACKS if mode.devices == 1 else shapes.EVEN_STACKS
        taken = there if thorough else _some(there, 2, 2 * index + j)
        if thorough or is_cheap(mode):
            taken += (shapes.STACK_OF_AXES,)
        yield from (Case("mixed", 0, shape, dtype=dtype) for shape in taken)


def _layouts_in_turn(mode: Mode, dtype: str, place: int) -> list[str]:
    """Return half of the layouts, or two of a few if each needs another program or many calls."""
    if not _pays_for_layouts(mode):
        return _in_turn(LAYOUTS[1:], 6, place)
    return _in_turn(ANYWHERE if dtype in LARGE_DTYPES else BETWEEN, 2, place)


def _pays_for_layouts(mode: Mode) -> bool:
    """Whether another layout needs another program, or a call for each network or weight."""
    return mode["execution"] == "compile" or is_slow(mode)


def _in_turn(layouts: Sequence[str], count: int, place: int) -> list[str]:
    """Return `count` of the layouts, so that two places that follow each other have others."""
    return [layouts[(count * place + i) % len(layouts)] for i in range(count)]


def named_items(names: Sequence[str], *, thorough: bool = False) -> Iterator[Item]:
    """Yield the named modes in every dtype."""
    for name, dtype in product(names, FORMATS):
        yield Item(name, dtype, cases_of_named(parse(name), dtype, NAMED.index(name), thorough=thorough))


def combined_items(names: Container[str] | None = None, *, thorough: bool = False) -> Iterator[Item]:
    """Yield an item for each combination of `all_combinations`.

    Args:
        names: the modes to which the combinations are limited; None for no limit.
        thorough: whether a combination gets all shapes instead of a few in turn.
    """
    for place, (name, dtype) in enumerate(all_combinations()):
        if names is None or name in names:
            yield Item(name, dtype, cases_of_combination(parse(name), dtype, place, thorough=thorough))


def quick(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the quick part: the same items in the same order, each with at least one of its cases."""
    for item in items:
        mode = parse(item.mode)
        if item.mode in CORE and is_cheap(mode):
            yield item
        elif mode.framework == "torch" and mode.compiles:
            small = shapes.DOCUMENT[0] if mode["derivative"] == "module" else shapes.SPECIAL
            yield _kept(item, (small, *THRESHOLDS), LAYOUTS[:1])
        else:
            yield _kept(item, (shapes.DOCUMENT[0], shapes.SPECIAL, *THRESHOLDS), LAYOUTS)


def quick_combinations(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the quick part of the combinations: the cases like those of the known faults, in one dtype."""
    for item in items:
        mode = parse(item.mode)
        if item.dtype == FAULTY and (cases := faulty_cases(mode, item.dtype)):
            yield replace(item, cases=cases)
        elif item.dtype == FAULTY and mode["product"] == "addmm" and mode["derivative"] in ("func", "jacfwd"):
            yield item


def _kept(item: Item, chosen: Container[Shape], layouts: Container[str]) -> Item:
    """Return the item with only its cases of these shapes and layouts."""
    return replace(item, cases=tuple(c for c in item.cases if c.shape in chosen and c.layout in layouts))
