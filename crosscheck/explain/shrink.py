"""Shrink a failing case: to one problem with few rows, outputs and inputs, and to simple numbers.

`shrink_shape` leaves the numbers as they are, and `shrink_values` leaves the shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from adapters.errors import AdapterCrashed
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import CheckedAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge, flat
from reference.types import Array

# How many evaluations shrinking the shape of one case may take: some seconds, even if each shape is compiled
# afresh. Shrinking its numbers compiles nothing.
SHAPE_EVALUATIONS = 40
VALUE_EVALUATIONS = 200
# The axes that can be cut, in this order, each as its position in X, y and W; None: the array lacks the axis.
STACK, ROWS, OUTPUTS, INPUTS = (0, 0, 0), (-2, -2, None), (None, -1, -1), (-1, None, -2)
# An array with more numbers is not changed, since nobody would read them one by one.
LISTED = 64
BITS = (1, 2, 3, 4, 6, 8, 12, 16, 24)  # significant bits to try, the fewest first

Axis = tuple[int | None, int | None, int | None]
CUT_AXES: Sequence[Axis] = (ROWS, OUTPUTS, INPUTS)


class Shrinker:
    """Decides whether a smaller candidate still fails, until a number of evaluations is used up.

    Args:
        adapter: the adapter that disagrees.
        output: a name of `Outputs`.
        max_evaluations: the number of evaluations, after which every candidate counts as not failing.
    """

    def __init__(self, adapter: CheckedAdapter, output: str, max_evaluations: int) -> None:
        self.adapter, self.output, self.evaluations_left = adapter, output, max_evaluations

    def fails(self, candidate: Literal) -> bool:
        """Whether the output is outside its set on the candidate; any other failure does not count."""
        if not self.evaluations_left:
            return False
        self.evaluations_left -= 1
        return self.output in evaluate_and_judge(self.adapter, Judge(candidate.problem())).disagreeing


def shrink_shape(  # noqa: PLR0913, each is a choice of its own
    adapter: CheckedAdapter,
    source: Case | Literal,
    output: str,
    problem: int = 0,
    max_evaluations: int = SHAPE_EVALUATIONS,
    *,
    axes: Sequence[Axis] = CUT_AXES,
) -> Case | Literal:
    """Find the smallest stack, rows, outputs, inputs and layout with which an output still disagrees.

    Args:
        adapter: the adapter that disagrees.
        source: a case with which it disagrees.
        output: a name of `Outputs`.
        problem: the index, in the flat stack, of a problem that fails; it is tried alone first.
        max_evaluations: the greatest number of evaluations.
        axes: the axes of a problem, in the order in which they are cut.

    Returns:
        A literal, without stack axes if one problem fails alone; the source itself, if nothing smaller fails.
    """
    shrinker = Shrinker(adapter, output, max_evaluations)
    try:
        return _shrunk_case(shrinker, source, problem, axes)
    except AdapterCrashed:
        return source


def _shrunk_case(
    shrinker: Shrinker, source: Case | Literal, problem: int, axes: Sequence[Axis]
) -> Case | Literal:
    X, y, W = source.problem()
    whole = Literal(X.dtype.name, flat(X, 2), flat(y, 2), flat(W, 2), source.layout)
    best = _without_stack(_keep(whole, STACK, [problem]))
    if not shrinker.fails(best):
        best = _shrunk_axis(shrinker, whole, STACK)
    for axis in axes:
        best = _shrunk_axis(shrinker, best, axis)
    plain = replace(best, layout="contiguous")
    if best.layout != "contiguous" and shrinker.fails(plain):
        best = plain
    return source if best is whole else best


def _shrunk_axis(shrinker: Shrinker, start: Literal, axis: Axis) -> Literal:
    """Remove parts of an axis without which the case still fails: halves first, then quarters, and so on."""
    best = start
    size = _length(best, axis) // 2
    while size and shrinker.evaluations_left:
        at = 0
        while shrinker.evaluations_left and at < (length := _length(best, axis)) and size < length:
            fewer = _keep(best, axis, [i for i in range(length) if not at <= i < at + size])
            if shrinker.fails(fewer):
                best = fewer
            else:
                at += size
        size //= 2
    return best


def _length(literal: Literal, axis: Axis) -> int:
    pairs = zip(_arrays(literal), axis, strict=True)
    return next(array.shape[place] for array, place in pairs if place is not None)


def _keep(literal: Literal, axis: Axis, indices: list[int]) -> Literal:
    """Return the literal with only these parts of an axis."""
    X, y, W = (
        array if place is None else np.take(array, indices, axis=place)
        for array, place in zip(_arrays(literal), axis, strict=True)
    )
    return replace(literal, X=X, y=y, W=W)


def _arrays(literal: Literal) -> tuple[Array, Array, Array]:
    return literal.X, literal.y, literal.W


def _without_stack(literal: Literal) -> Literal:
    """Return the only problem of a stack of one, in a layout that needs no stack."""
    layout = "contiguous" if literal.layout == "broadcast" else literal.layout
    return Literal(literal.dtype, literal.X[0], literal.y[0], literal.W[0], layout)


def shrink_values(
    adapter: CheckedAdapter, start: Literal, output: str, max_evaluations: int = VALUE_EVALUATIONS
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
