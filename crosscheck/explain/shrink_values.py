"""Shrink the numbers of a failing case: to 0, 1, powers of two, and few significant bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from adapters.errors import AdapterCrashed
from crosscheck.explain.shrink_shape import Shrinker
from crosscheck.inputs import Literal
from crosscheck.judging.evaluation import CheckedAdapter
from reference.types import Array

MAX_EVALUATIONS = 200
# An array with more numbers is not changed, since nobody would read them one by one.
LISTED = 64
BITS = (1, 2, 3, 4, 6, 8, 12, 16, 24)  # significant bits to try, the fewest first


def shrink_values(
    adapter: CheckedAdapter, start: Literal, output: str, max_evaluations: int = MAX_EVALUATIONS
) -> Literal:
    """Find the simplest numbers, in the same shape, with which an adapter's output still disagrees.

    Each array is tried as a whole first, then one number after another.

    Args:
        adapter: the adapter that disagrees.
        start: a case with which it disagrees.
        output: a name of `Outputs`.
        max_evaluations: the greatest number of evaluations.
    """
    shrinker = Shrinker(adapter, output, max_evaluations)
    best = start
    try:
        for name in "XyW":
            best = _array_shrunk(shrinker, best, name)
        for name in "XyW":
            best = _numbers_shrunk(shrinker, best, name)
    except AdapterCrashed:
        return best
    return best


def _array_shrunk(shrinker: Shrinker, best: Literal, name: str) -> Literal:
    """Simplify all numbers of an array at once."""
    array: Array = getattr(best, name)
    if array.size > LISTED:
        return best
    return _first_failing(shrinker, best, name, _simpler(array))


def _numbers_shrunk(shrinker: Shrinker, best: Literal, name: str) -> Literal:
    """Simplify the numbers of an array one after another."""
    array: Array = getattr(best, name)
    if array.size > LISTED:
        return best
    for index in np.ndindex(array.shape):
        number = getattr(best, name)[index]
        candidates = (_with(getattr(best, name), index, one) for one in _simpler(np.asarray(number)))
        best = _first_failing(shrinker, best, name, candidates)
    return best


def _first_failing(shrinker: Shrinker, best: Literal, name: str, candidates: Iterator[Array]) -> Literal:
    for candidate in candidates:
        changed: dict[str, Any] = {name: candidate}
        simpler = replace(best, **changed)
        if shrinker.fails(simpler):
            return simpler
    return best


def _with(array: Array, index: tuple[int, ...], number: Array) -> Array:
    changed = array.copy()
    changed[index] = number
    return changed


def _simpler(array: Array) -> Iterator[Array]:
    """Yield simpler finite arrays of the same shape, the simplest first."""
    constants = (np.full(array.shape, value, array.dtype) for value in (0, 1))
    for candidate in (*constants, *(rounded(array, bits) for bits in BITS)):
        if (candidate == array).all():
            return
        if np.isfinite(candidate.astype(np.float64)).all():
            yield candidate


def rounded(array: Array, bits: int) -> Array:
    """Round every number to this many significant bits."""
    significand, exponent = np.frexp(array.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite result is no candidate
        wide = np.ldexp(np.round(np.ldexp(significand, bits)), exponent - bits)
        return wide.astype(array.dtype)
