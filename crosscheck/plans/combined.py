"""The cases of a combination without a name (`crosscheck.plans.combinations`).

Arrays that a function closes over are constants of its program, so that each case needs another program, and
compilers may compute with them. What such programs do wrong depends on the values of the constants, on the
sizes, and on the output, if it is the only one: it can then be fused with the product X·W. A combination
with one output therefore gets every regime once at some threshold of m, p, n or the stack, by turns; and one
with constants gets them with a structure (`crosscheck.inputs.structured`). The losses of rows and their sum
also get what has been wrong before: constants of equal numbers, and many rows or columns of one scale, since
a label of 10^15 hides all other terms of a sum.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

from adapters.modes import CLOSED, CONVENTIONS, FORWARD_MODES, Mode
from crosscheck.inputs import SOURCES, Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import Shape
from crosscheck.inputs.structured import NAMES, seed_of
from crosscheck.plans import shapes
from crosscheck.plans.combinations import Combination, all_combinations
from crosscheck.plans.shapes import LARGE_DTYPES, MOST_DIRECTIONS
from reference.formats import FORMATS

# Shapes for outputs computed alone, where faults have been found.
ALONE: Final[dict[str, tuple[Shape, ...]]] = {
    "float64": ((2**14 + 1, 3, 2), (2**15 + 1, 3, 3), (1, 2**14 + 1, 3, 2)),
    "float32": ((2**15 + 1, 3, 2), (2**16 + 1, 3, 3)),
}
MANY_COLUMNS: Final[dict[str, Shape]] = {"float64": (2, 3, 2**14 + 1), "float32": (2, 3, 2**15 + 1)}
# Each size by turns as the number of rows, of columns and of networks; three as that of inputs.
AT_THRESHOLDS: Final[tuple[Shape, ...]] = (
    *(shape for size in shapes.THRESHOLDS[:4] for shape in ((size, 3, 2), (2, 3, size), (size, 1, 3, 1))),
    *shapes.INPUT_COLUMNS[:3],
    (2**15 + 1, 3, 2),
)
# One shape of each class for constants with a structure; turns pair these 8 with all 15 structures.
STRUCTURED: Final[tuple[Shape, ...]] = (
    shapes.DOCUMENT[0],
    (33, 3, 7, 2),
    (2, 256, 3),
    (64, 2, 64),
    (3, 5, 2, 3, 2),
    (2**12 + 1, 3, 2),
    (2, 3, 2**12 + 1),
    (2**12 + 1, 1, 3, 2),
)
CONSTANTS: Final = NAMES[1:]
KINDS: Final = (*REGIMES, "structured")
EQUAL: Final = ("halves", "ones", "thirds", "minus_ones")
# 16-bit numbers at a threshold: ŷ and the losses of rows are judged there.
NARROW: Final[Shape] = (2**15 + 1, 3, 2)


def cases_of_combination(mode: Mode, dtype: str, place: int, *, thorough: bool = False) -> tuple[Case, ...]:
    """Return the cases of a combination without a name.

    Args:
        mode: the mode.
        dtype: the dtype of the cases.
        place: the position of the combination among all, which decides its turns.
        thorough: whether it gets all of its large shapes and structures.
    """
    small = Case("mixed", 0, shapes.MIXED, dtype=dtype)
    op_by_op = mode.framework == "jax" and not mode.compiles
    if dtype not in LARGE_DTYPES:
        return (small, *_narrow(mode, dtype))
    if mode.alone is None:
        large = () if op_by_op and not thorough else _large(mode, dtype, place, thorough=thorough)
        return (small, *large, *_structured(mode, dtype, place, 1, thorough=thorough))
    found = (
        *faulty_cases(mode, dtype),
        *_alone(mode, dtype, place),
        *_structured(mode, dtype, place, 2, thorough=thorough),
        *((small, *_large(mode, dtype, place, thorough=True)) if thorough else ()),
    )
    return tuple(dict.fromkeys(found))


@cache
def _combinations() -> frozenset[Combination]:
    return frozenset(all_combinations())


def _large(mode: Mode, dtype: str, place: int, *, thorough: bool) -> tuple[Case, ...]:
    """Return ordinary cases at shapes where faults have been found: one of them, or all."""
    sizes = shapes.EVEN if mode.devices > 1 else ALONE[dtype]
    chosen = sizes if thorough else sizes[place % len(sizes) :][:1]
    return tuple(Case("ordinary", 0, shape, dtype=dtype) for shape in chosen)


def _equal(mode: Mode) -> int:
    """Return the seed for which all constants are one number, by turns; ½ for W alone and samples as rows."""
    turn = 1 + CLOSED.index(mode["closed"]) + CONVENTIONS.index(mode["convention"])
    return _constants(mode, EQUAL[turn % len(EQUAL)])


def _constants(mode: Mode, structure: str) -> int:
    """Return the seed for which all constants of the mode have the structure, and its arguments none."""
    X, y, W = (structure if name in mode.closed else "plain" for name in "XyW")
    return seed_of(X, y, W)


def faulty_cases(mode: Mode, dtype: str) -> tuple[Case, ...]:
    """Return the cases like those on which a loss computed alone, with constants, has been wrong in JAX."""
    if not (mode.framework == "jax" and mode.compiles_values and mode.alone in ("loss", "row_loss")):
        return ()
    sizes = shapes.EVEN if mode.devices > 1 else ALONE[dtype]
    stack = (1,) if mode.devices == 1 and "X" in mode.closed else ()  # where a constant X has been wrong
    return (
        *(Case("ordinary", 0, shape, dtype=dtype) for shape in sizes if mode.alone == "row_loss"),
        Case("near_label", 0, (*stack, *sizes[0]), dtype=dtype),
        Case("near_label", 0, MANY_COLUMNS[dtype], dtype=dtype),
        *(Case("structured", _equal(mode), shape, dtype=dtype) for shape in shapes.EQUAL_CONSTANTS),
    )


def _alone(mode: Mode, dtype: str, place: int) -> tuple[Case, ...]:
    """Return cases of every regime at thresholds, for a mode that computes one output.

    Where values are compiled each case needs a program, and shapes come by turns; otherwise all have one.
    Rows hide nothing from each other as the terms of a sum do, so for ŷ and the losses of rows one stack has
    all regimes, and one regime has another shape by turns.
    """
    sizes = shapes.EVEN if mode.devices > 1 else ALONE[dtype]
    here = sizes[place % len(sizes)]
    if mode.framework == "torch" and mode.compiles_values:  # seconds for each case
        source = KINDS[place % len(KINDS)]
        return (Case(source, _seed(mode, source, place), here, dtype=dtype),)
    if mode.alone != "loss":
        stack = shapes.EVEN_STACKS[0] if mode.devices > 1 else (2**14 + 1, 1, 3, 1)
        turn = (_by_turns(mode, dtype, place, place),) if mode.compiles_values else ()
        return (Case("mixed", 0, stack, dtype=dtype), *turn)
    if mode.compiles_values:  # half of the regimes in each dtype that the mode has
        both = all((mode.name, each) in _combinations() for each in LARGE_DTYPES)
        first, step = (LARGE_DTYPES.index(dtype), 2) if both else (0, 1)
        return tuple(_by_turns(mode, dtype, place, number) for number in range(first, len(REGIMES), step))
    return tuple(Case(source, _seed(mode, source, place), here, dtype=dtype) for source in KINDS)


def _seed(mode: Mode, source: str, place: int) -> int:
    """Return the seed of a case: of the structures by turns, but of equal constants if there are any."""
    return 0 if source in REGIMES else _equal(mode) if mode.closed else place


def _by_turns(mode: Mode, dtype: str, place: int, number: int) -> Case:
    """Return a case of the regime with this number at a threshold, another for each regime and place.

    For a loss alone it is of one scale, where the regime has such cases.
    """
    fitting = _fitting(mode, AT_THRESHOLDS)
    regime = tuple(REGIMES)[number % len(REGIMES)]
    shape = fitting[(place + 7 * number) % len(fitting)]
    one_scale = SOURCES.get(f"one_scale_{regime}")
    if mode.alone == "loss" and one_scale and one_scale.unsupported(shape, FORMATS[dtype]) is None:
        regime = one_scale.name
    return Case(regime, 0, shape, dtype=dtype)


def _structured(mode: Mode, dtype: str, place: int, count: int, *, thorough: bool) -> tuple[Case, ...]:
    """Return cases whose constants all have one structure, by turns at another class of shapes each."""
    if not mode.closed or (mode.framework == "torch" and mode.compiles):
        return ()
    fitting = _fitting(mode, STRUCTURED)
    turns = range(len(CONSTANTS)) if thorough else range(count * place, count * (place + 1))
    return tuple(
        Case(
            "structured",
            _constants(mode, CONSTANTS[turn % len(CONSTANTS)]),
            fitting[turn % len(fitting)],
            dtype=dtype,
        )
        for turn in turns
    )


def _fitting(mode: Mode, among: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return the shapes that the mode takes, and for which it needs few directions."""
    return tuple(
        shape
        for shape in among
        if (mode.devices == 1 or math.prod(shape[:-2]) % mode.devices == 0)
        and (mode["derivative"] not in FORWARD_MODES or shape[-2] * shape[-1] <= MOST_DIRECTIONS)
    )


def _narrow(mode: Mode, dtype: str) -> tuple[Case, ...]:
    """Return cases of many rows, and of equal constants, for an output that 16-bit numbers allow to judge."""
    if mode.framework != "jax" or not mode.compiles or mode.alone not in ("y_hat", "row_loss"):
        return ()
    rows = shapes.EVEN[0] if mode.devices > 1 else NARROW
    return (
        Case("structured", seed_of(), rows, dtype=dtype),
        *(
            Case("structured", _equal(mode), shape, dtype=dtype)
            for shape in shapes.EQUAL_CONSTANTS[:1]
            if mode.closed
        ),
    )
