"""The cases that adapters from outside get besides: small sizes, products with many terms, and patterns.

The suite's own modes meet such cases in the matrix, where each release of a framework is tried. An adapter
from outside meets the default plan alone, so it gets there what costs NumPy little, and a compiler a program
for each shape: every m, n and p up to six, and every length up to 130; small and large m, n and p together;
numbers of rows and networks between those of `crosscheck.plans.covering`; and every pattern of
`crosscheck.inputs.structured` in X, y or W, in two of them, and in all, where m = n = p.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import SOURCES, Shape
from crosscheck.inputs.structured import NAMES, seed_of
from crosscheck.plans.covering import ROWS, numbers
from crosscheck.plans.shapes import LARGE_DTYPES
from reference.formats import FORMATS

LONGEST: Final = 6
# The seeds begin where those of the covering cases have ended.
APART: Final = 1000
# Each length up to here is that of m, n, p and the stack in turn, so that every remainder of a block comes.
LENGTHS: Final = range(3, 131)
# All combinations as m, n and p, up to so many products: one, two, and a few more than a block.
EXTREMES: Final = (1, 2, 33, 130, 513)
MOST: Final = 2**17
# Each in both of the wide dtypes, once with terms of one scale, so that a sum shows each wrong one.
SIZES: Final[tuple[Shape, ...]] = (
    *((257, 2, 3, 2), (300, 1, 4, 1), (511, 2, 2, 1), (1023, 1, 5, 1), (2000, 1, 3, 2), (6, 43, 2, 5, 3)),
    *((1, 1, 3, 3, 2), (3, 3, 2, 2), (5, 5, 3, 1), (7, 7, 2, 3)),
    *((2, 3, 2, 2, 2, 3, 2), (2, 2, 2, 2, 3, 2, 2), (2, 2, 2, 2, 2, 3, 3, 2)),
    *((1500, 5, 2), (2053, 7, 3), (3001, 4, 1), (4099, 9, 5), (10007, 6, 2), (20001, 5, 3)),
    *((3, 260, 9), (4, 2, 300, 17), (33, 1000, 8), (64, 64, 64), (128, 128, 128), (129, 257, 65)),
    *((2, 3000, 2), (3, 5, 3000), (2, 50, 40, 60)),
    *ROWS[-4:],
)
# Above 2^20 products.
PRODUCTS: Final[Shape] = (2**17 + 3, 5, 2)
# The patterns are at this shape, which has every long enough axis: 256 numbers count beyond a byte.
PATTERNED: Final[Shape] = (16, 16, 16)
# With so many inputs, sums of small integers do not fit into a byte.
INTEGERS: Final[Shape] = (8, 600, 8)
WHERE: Final = ("X", "y", "W", "XW", "Xy", "yW", "XyW")


def _small(dtype: str, seed: int) -> Iterator[Case]:
    """Yield a case of every small m, n and p, by turns with a stack and without, and in two of the dtypes."""
    dtypes = tuple(FORMATS)
    for place, shape in enumerate(product(range(1, LONGEST + 1), repeat=3)):
        if (place + dtypes.index(dtype)) % 2:
            continue
        regime = tuple(REGIMES)[place // 4 % len(REGIMES)] if place % 4 > 1 else "ordinary"
        stacked = (2, *shape) if place % 3 else shape
        if REGIMES[regime].unsupported(stacked, FORMATS[dtype]):
            regime = "ordinary"
        yield Case(regime, seed + place, stacked, dtype=dtype)


def _patterned(dtype: str) -> Iterator[Case]:
    """Yield a case of every pattern in some of X, y and W; every second one has strides of 0 where it can."""
    for place, (pattern, where) in enumerate(product(NAMES[1:], WHERE)):
        seed = seed_of(*(pattern if symbol in where else "plain" for symbol in "XyW"))
        strides = (place + tuple(FORMATS).index(dtype)) % 2
        yield Case("structured", seed, PATTERNED, "odd_strides" if strides else "contiguous", dtype)
    yield Case("structured", seed_of("integers", "plain", "integers"), INTEGERS, dtype=dtype)


def _sized(dtype: str, seed: int) -> Iterator[Case]:
    """Yield the other sizes in float64 and float32: lengths and extremes once, larger ones twice."""
    if dtype not in LARGE_DTYPES:
        return
    lengths = (((k, 3, 2), (2, k, 2), (2, 3, k), (k, 1, 3, 2)) for k in LENGTHS)
    extremes = (shape for shape in product(EXTREMES, repeat=3) if math.prod(shape) <= MOST)
    for place, shape in enumerate((*itertools.chain(*lengths), *extremes)):
        yield Case("ordinary", seed + place, shape, dtype=dtype)
    for place, shape in enumerate(SIZES):
        for name in ("one_scale_ordinary", "ordinary"):
            if SOURCES[name].unsupported(shape, FORMATS[dtype]) is None:
                yield Case(name, seed + place, shape, dtype=dtype)
    yield Case("one_scale_ordinary", seed, PRODUCTS, dtype=dtype)


def outside_cases(
    dtypes: Sequence[str], regimes: Sequence[str] = tuple(REGIMES), seed: int = 0
) -> tuple[Case, ...]:
    """Return the cases, small ones first; sizes begin with one dtype or another.

    Args:
        dtypes: the dtypes of the cases; the cases of a dtype do not depend on the others.
        regimes: the regimes of the cases; the other sources are among them only if these are all.
        seed: the seed of the first case.
    """
    every = (
        case
        for dtype in dtypes
        for case in (*_small(dtype, seed + APART), *_patterned(dtype), *_sized(dtype, seed + APART))
    )
    found = (case for case in dict.fromkeys(every) if case.regime in regimes or set(regimes) >= set(REGIMES))

    def order(case: Case) -> tuple[int, int]:
        size = numbers(case.shape)
        return size, (dtypes.index(case.dtype) + size) % len(dtypes)

    return tuple(sorted(found, key=order))
