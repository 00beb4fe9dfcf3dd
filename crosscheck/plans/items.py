"""The plan of the matrix: which modes, and for each mode and dtype which cases.

The modes with names of their own get every class of shapes, every layout and all special values. Where each
shape needs another compiled program, a mode takes every k-th shape of a class, with another start for each
mode and dtype, so that together the modes take all of them. The other combinations of factors are those of
`crosscheck.plans.combinations`; each gets a few cases. `thorough` gives every mode with a name every shape.

Only float64 and float32 have large shapes: sums of thousands of 16-bit numbers are not judged if the
accumulator is narrow, and show nothing new if it is wide.

The quick part is for short runs, such as a user's first one, without the cases that compile for long. Core
adapters that compile nothing keep all their cases. Any other mode keeps, in every dtype, all special values
and the document's network, and in float64 and float32 a threshold of rows in every regime. torch compiles for
seconds, so a compiled mode of it keeps the special values but not the document's network; with torch.nn,
which is called for each network, it is the other way round. Of the other combinations, only those with the
known fault are kept: the losses of rows alone, with constants, in a compiled function of JAX in float64.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from adapters import CORE, NAMED
from adapters.modes import FORWARD_MODES, Mode, parse
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import Shape
from crosscheck.plans import shapes
from crosscheck.plans.combinations import all_combinations
from reference.formats import FORMATS
from reference.layouts import LAYOUTS

LARGE_DTYPES: Final = ("float64", "float32")
# Forward mode takes one direction for each weight, and seconds at a large shape with many weights.
MOST_DIRECTIONS: Final = 6
SLOW: Final = ("module", "jacfwd", "jvp")
SMALL: Final = (*shapes.TAILS, *shapes.WIDE, *shapes.OUTPUTS)
# The large shapes for outputs computed alone, with every set of constants; each case needs its own program.
ALONE: Final[dict[str, tuple[Shape, ...]]] = {
    "float64": ((2**14 + 1, 3, 2), (2**15 + 1, 3, 3), (1, 2**14 + 1, 3, 2)),
    "float32": ((2**15 + 1, 3, 2), (2**16 + 1, 3, 3)),
}
# The layouts that need a stack, or at thresholds find few axes of length 1.
ON_STACKS: Final = ("broadcast", "odd_strides")
# Where each layout costs much, the turns: orders in memory at thresholds of rows; what one row shows in the
# dtypes that have thresholds; and the others in the dtypes that have none.
ORDERS: Final = ("transposed", "transposed_X", "transposed_W", "table")
ANYWHERE: Final = (*ON_STACKS, "offset8", "offset32")
BETWEEN: Final = tuple(layout for layout in LAYOUTS[1:] if layout not in (*ORDERS, *ANYWHERE))
# For the quick part: shapes whose sums pass a threshold, and the dtype of the known fault.
THRESHOLDS: Final = (*shapes.ROWS, *shapes.EVEN)
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
    stack = shape[0] if len(shape) > 3 else 1
    if stack >= len(REGIMES) and layout != "broadcast":
        return Case("mixed", 0, shape, layout, dtype)
    regime = _regime(number)
    if REGIMES[regime].unsupported(shape, FORMATS[dtype]):
        regime = "ordinary"
    return Case(regime, 0, shape, layout, dtype)


def _some(shapes: Sequence[Shape], count: int, place: int) -> tuple[Shape, ...]:
    """Return `count` of the shapes, evenly spread, with another start for each place."""
    step = -(-len(shapes) // count)
    return tuple(shapes[place % step :: step])[:count]


def is_cheap(mode: Mode) -> bool:
    """Whether a new shape costs little: the mode compiles nothing, and has no call per weight or network."""
    return mode.framework != "jax" and not mode.compiles and mode["derivative"] not in SLOW


def cases_of_named(mode: Mode, dtype: str, index: int, *, thorough: bool = False) -> tuple[Case, ...]:
    """Return the cases of a mode with a name in one dtype; ``index`` is the mode's position in `NAMED`."""
    place = index + tuple(FORMATS).index(dtype)
    whole = thorough or is_cheap(mode)
    turn = _some(SMALL, 1, _turn(index, dtype)) if _has_its_turn(mode, dtype, place) else ()
    small = SMALL if whole else turn
    found = [
        case_of(shapes.DOCUMENT[0], dtype, place),
        Case("special_values", 0, shapes.SPECIAL, dtype=dtype),
        *(case_of(shape, dtype, place + i) for i, shape in enumerate(small)),
    ]
    laid_out = next(filter(_has_rows_and_columns, small), None)
    if laid_out is None:  # the cases at thresholds have layouts, too
        laid_out = shapes.DOCUMENT[0] if dtype in LARGE_DTYPES else shapes.MIXED
    for layout in LAYOUTS[1:] if whole else _layouts_in_turn(mode, dtype, place):
        shape = shapes.DOCUMENT[0] if layout == "odd_strides" else laid_out  # it has axes of length 1
        found.append(case_of(shape, dtype, place, layout))
    if whole:
        found += [Case(regime, 0, shapes.DOCUMENT[1], dtype=dtype) for regime in REGIMES]
    if dtype in LARGE_DTYPES and (thorough or not mode.is_hazard):
        found += _rows(mode, dtype, index, thorough=thorough)
        found += _stacks(mode, dtype, index, thorough=thorough)
    return tuple(dict.fromkeys(found))


def _has_rows_and_columns(shape: Shape) -> bool:
    """Whether at least two of m, n and p exceed 1, so that another layout moves numbers of an array."""
    return sum(size > 1 for size in shape[-3:]) > 1


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
    fitting = [
        s for s in shapes.ROWS if mode["derivative"] not in FORWARD_MODES or s[1] * s[2] <= MOST_DIRECTIONS
    ]
    rows = shapes.EVEN if mode.devices > 1 else _some(fitting, 3 if is_cheap(mode) else 1, 2 * index + j)
    if thorough and mode.devices == 1:
        rows = shapes.ROWS
    for number in range(max(len(rows), len(REGIMES))):
        yield Case(_regime(number + index + j), 0, rows[number % len(rows)], dtype=dtype)
    layouts = [layout for layout in LAYOUTS[1:] if layout not in ON_STACKS]
    if not thorough:
        place = index + j
        layouts = _in_turn(ORDERS, 2, place) if _pays_for_layouts(mode) else _in_turn(layouts, 5, place)
    yield from (Case("ordinary", 0, rows[0], layout, dtype) for layout in layouts)


def _stacks(mode: Mode, dtype: str, index: int, *, thorough: bool) -> Iterator[Case]:
    """Yield the cases of a mode whose numbers of networks lie around the same thresholds."""
    if mode["derivative"] == "module":  # torch.nn.Linear has no stack axis
        return
    j = LARGE_DTYPES.index(dtype)
    if thorough or is_cheap(mode) or (mode.compiles and (index + j) % 2 == 0):
        there = shapes.STACKS if mode.devices == 1 else shapes.EVEN_STACKS
        taken = there if thorough else _some(there, 2, 2 * index + j)
        yield from (Case("mixed", 0, shape, dtype=dtype) for shape in taken)


def _layouts_in_turn(mode: Mode, dtype: str, place: int) -> list[str]:
    """Return half of the layouts, or two of a few if each needs another program or many calls."""
    if not _pays_for_layouts(mode):
        return _in_turn(LAYOUTS[1:], 6, place)
    return _in_turn(ANYWHERE if dtype in LARGE_DTYPES else BETWEEN, 2, place)


def _pays_for_layouts(mode: Mode) -> bool:
    """Whether another layout needs another program, or a call for each network or weight."""
    return mode["execution"] == "compile" or mode["derivative"] in SLOW


def _in_turn(layouts: Sequence[str], count: int, place: int) -> list[str]:
    """Return `count` of the layouts, so that two places that follow each other have others."""
    return [layouts[(count * place + i) % len(layouts)] for i in range(count)]


def cases_of_combination(mode: Mode, dtype: str, place: int, *, thorough: bool = False) -> tuple[Case, ...]:
    """Return the cases of a combination without a name; with constants, each case needs its own program."""
    mixed = Case("mixed", 0, shapes.MIXED, dtype=dtype)
    op_by_op = mode.framework == "jax" and not mode.compiles
    if dtype not in LARGE_DTYPES or (op_by_op and not thorough):
        return (mixed,)
    sizes = shapes.EVEN if mode.devices > 1 else ALONE[dtype]
    large = tuple(Case("ordinary", 0, shape, dtype=dtype) for shape in sizes)
    if thorough:
        return (mixed, *large)
    one = large[place % len(large) :][:1]
    if mode.alone is None:
        return (mixed, *one)
    # The losses of rows show faults that their sum hides; other outputs, and torch, get one large case.
    every = mode.alone == "row_loss" and mode.framework == "jax"
    return large if every else one


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
    """Yield the quick part of the combinations, each with all its cases."""
    for item in items:
        mode = parse(item.mode)
        compiled = mode.framework == "jax" and mode.compiles
        if compiled and mode.alone == "row_loss" and mode.closed and item.dtype == FAULTY:
            yield item


def _kept(item: Item, chosen: Container[Shape], layouts: Container[str]) -> Item:
    """Return the item with only its cases of these shapes and layouts."""
    return replace(item, cases=tuple(c for c in item.cases if c.shape in chosen and c.layout in layouts))
