"""Formulas that replace the numbers of large arrays, so that the script stays a few lines long."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from adapters.errors import AdapterCrashed
from crosscheck.explain.shrink import LISTED, Shrinker
from crosscheck.inputs import Literal
from crosscheck.judging.evaluation import CheckedAdapter
from reference.types import Array


class Filling(NamedTuple):
    """A formula for the numbers of an array, exact in every format.

    Attributes:
        text: the formula in Python, with ``{shape}`` and ``{size}``.
        of: the formula as a function of the indices 0, 1, … of the numbers.
    """

    text: str
    of: Callable[[Array], Array]

    def array(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
        """Make the array of a shape."""
        return self.of(np.arange(math.prod(shape)).reshape(shape)).astype(dtype)

    def source(self, shape: tuple[int, ...]) -> str:
        """Return the Python expression that makes the array of a shape."""
        return self.text.format(shape=shape, size=math.prod(shape))


_COUNTED = "np.arange({size}).reshape({shape})"
# The formulas, the simplest first. Their periods are odd, since hardware and libraries work in powers of two.
FILLINGS = (
    Filling("np.ones({shape})", np.ones_like),
    Filling("np.zeros({shape})", np.zeros_like),
    Filling(f"{_COUNTED} % 3", lambda i: i % 3),
    Filling(f"{_COUNTED} % 7 / 4", lambda i: i % 7 / 4),
    Filling(f"{_COUNTED} % 5 - 2", lambda i: i % 5 - 2),
    Filling(f"{_COUNTED} % 11 / 8 - 0.5", lambda i: i % 11 / 8 - 0.5),
    Filling(f"{_COUNTED} % 13 * 8 - 48", lambda i: i % 13 * 8 - 48),
)
MAX_EVALUATIONS = 80

Fillings = dict[str, Filling]


def fill(adapter: CheckedAdapter, start: Literal, output: str) -> tuple[Literal, Fillings]:
    """Replace large arrays of a case by formulas, as far as the output still disagrees.

    All arrays are first replaced together, since the sizes of their numbers may compensate each other; if
    that fails, one large array after the other is replaced.

    Args:
        adapter: the adapter that disagrees.
        start: a case on which it disagrees.
        output: the name of the output that disagrees.

    Returns:
        The case, and the formulas by name of the array; arrays without a formula keep their numbers.
    """
    large = [name for name in "XyW" if getattr(start, name).size > LISTED]
    shrinker, found = Shrinker(adapter, output, MAX_EVALUATIONS), Fillings()
    try:
        for choice in _together() if large else ():
            candidate = _filled(start, choice)
            if shrinker.fails(candidate):
                found = {name: choice[name] for name in large}
                return _fewest_rows(shrinker, candidate, found), found
        shrinker, best = Shrinker(adapter, output, MAX_EVALUATIONS), start
        for name, filling in itertools.product(large, FILLINGS):
            if name not in found and shrinker.fails(candidate := _filled(best, {name: filling})):
                best, found[name] = candidate, filling
    except AdapterCrashed:
        return start, Fillings()
    return best, found


def _fewest_rows(shrinker: Shrinker, case: Literal, found: Fillings) -> Literal:
    """Return the case with the fewest rows that still fail, by bisection; formulas fit any number of rows."""
    low, best = 0, case
    while (m := best.X.shape[-2]) - low > 1:
        middle = (low + m) // 2
        fewer = {name: getattr(best, name)[..., :middle, :] for name in "Xy"}
        fewer |= {name: found[name].array(a.shape, a.dtype) for name, a in fewer.items() if name in found}
        candidate = replace(best, **fewer)
        low, best = (low, candidate) if shrinker.fails(candidate) else (middle, best)
    return best


def _filled(case: Literal, choice: Fillings) -> Literal:
    """Replace some arrays of a case by formulas."""
    arrays = {name: getattr(case, name) for name in choice}
    changed: dict[str, Any] = {name: choice[name].array(a.shape, a.dtype) for name, a in arrays.items()}
    return replace(case, **changed)


def _together() -> Iterator[Fillings]:
    """Yield a formula for each array, simple combinations first, and all with y = 0 before the others."""
    places = range(len(FILLINGS))
    pairs = sorted(itertools.product(places, places), key=lambda pair: (sum(pair), pair))
    for y in FILLINGS[1:3]:
        yield from ({"X": FILLINGS[i], "y": y, "W": FILLINGS[k]} for i, k in pairs)
