"""Memory layouts: the same values in the same shape, with other strides, another alignment, shared memory.

| layout | how X, y and W lie in memory |
|---|---|
| contiguous | each C-contiguous, 64-byte aligned, in memory of its own |
| transposed | the last two axes of each in the opposite order |
| strided | every second number of each row; NaN lies between |
| reversed | negative strides along every axis |
| readonly | contiguous, not writeable |
| broadcast | stride 0 along the first stack axis, where its slices are equal |
| offset8, offset32 | contiguous, 8 or 32 bytes after a multiple of 64 |
| transposed_X, transposed_W | X alone or W alone has its last two axes in the opposite order |
| padded | the columns from the second on of a wider table, whose rows have an odd length; NaN lies around |
| table | X and y are columns of one table, as people keep data, and W follows it in the same memory |
| odd_strides | stride 0 along axes of equal slices; on axes of length 1 a huge one, in y a negative one |

With X alone and W alone transposed, a product X·W meets all four pairs of orders of its factors, and y is in
another order than X or W. No element uses the stride of an axis of length 1, so any stride is valid there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from reference.types import Array, Problem

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register of today's CPUs
HUGE = 2**33  # elements: more than 32 bits count


def _empty(shape: tuple[int, ...], dtype: np.dtype[np.generic], offset: int = 0) -> Array:
    """An uninitialised C-contiguous array that begins ``offset`` bytes after a multiple of 64 bytes."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT + offset, dtype=np.uint8)
    start = -memory.ctypes.data % ALIGNMENT + offset
    return memory[start : start + size].view(dtype).reshape(shape)


def contiguous(array: Array, offset: int = 0) -> Array:
    """A C-contiguous copy, 64-byte aligned (or ``offset`` bytes beyond)."""
    copy = _empty(array.shape, array.dtype, offset)
    copy[...] = array
    return copy


def aligned(array: Array) -> Array:
    """The array itself where it is as `contiguous` has it, and such a copy where it is not."""
    there = array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0
    return array if there else contiguous(array)


def _transposed(array: Array) -> Array:
    """An array whose last two axes have the opposite order in memory."""
    return contiguous(array.swapaxes(-1, -2)).swapaxes(-1, -2)


def _strided(array: Array) -> Array:
    """A view of every second number along the last axis; NaN lies between, so that wrong strides show."""
    memory = _empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    memory[...] = np.nan
    view = memory[..., ::2]
    view[...] = array
    return view


def _reversed(array: Array) -> Array:
    """A copy with negative strides along every axis."""
    backwards = (slice(None, None, -1),) * array.ndim
    return contiguous(array[backwards])[backwards]


def _readonly(array: Array) -> Array:
    """A contiguous copy that is not writeable."""
    copy = contiguous(array)
    copy.flags.writeable = False
    return copy


def _broadcast(array: Array) -> Array:
    """A view with stride 0 along the first axis if all its slices are equal, else a contiguous copy."""
    if array.ndim < 3 or not _repeats(array, 0):
        return contiguous(array)
    return np.broadcast_to(contiguous(array[:1]), array.shape)


def _repeats(array: Array, axis: int) -> bool:
    """Whether all slices along the axis are the same bytes, NaN and the sign of zero included."""
    bits = np.moveaxis(np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}"), axis, 0)
    return bool((bits == bits[:1]).all())


def _padded(array: Array) -> Array:
    """The columns from the second on of a table, in which all else is NaN and rows have an odd length."""
    columns = array.shape[-1]
    memory = _empty((*array.shape[:-1], columns + 1 + columns % 2), array.dtype)
    memory[...] = np.nan
    view = memory[..., 1 : columns + 1]
    view[...] = array
    return view


def _odd_strides(array: Array, unused: int) -> Array:
    """A view with stride 0 where slices repeat, and a stride of `unused` elements on axes of length 1."""
    repeated = [axis for axis, length in enumerate(array.shape) if length > 1 and _repeats(array, axis)]
    kept = contiguous(array[tuple(slice(1 if axis in repeated else None) for axis in range(array.ndim))])
    strides = [
        unused * array.itemsize if length == 1 else 0 if axis in repeated else stride
        for axis, (length, stride) in enumerate(zip(array.shape, kept.strides, strict=True))
    ]
    view = np.ndarray(array.shape, array.dtype, kept.reshape(-1).view(np.uint8), 0, strides)
    view.flags.writeable = not repeated
    return view


def _stack_transposed(array: Array) -> Array:
    """A copy whose first two stack axes have the opposite order in memory, if there are two."""
    if array.ndim < 4:
        return contiguous(array)
    return contiguous(array.swapaxes(0, 1)).swapaxes(0, 1)


def _table(problem: Problem) -> Problem:
    """X and y as columns of one table, and W behind it in the same memory."""
    X, y, W = problem
    shape = (*X.shape[:-1], X.shape[-1] + y.shape[-1])
    memory = _empty((math.prod(shape) + W.size,), X.dtype)
    table, weights = memory[: math.prod(shape)].reshape(shape), memory[math.prod(shape) :].reshape(W.shape)
    views = Problem(table[..., : X.shape[-1]], table[..., X.shape[-1] :], weights)
    for view, array in zip(views, problem, strict=True):
        view[...] = array
    return views


def _each(place: Callable[[Array], Array]) -> Callable[[Problem], Problem]:
    """Return the layout that places each array alone."""
    return lambda problem: Problem(*map(place, problem))


_ARRANGE: dict[str, Callable[[Problem], Problem]] = {
    "contiguous": _each(contiguous),
    "transposed": _each(_transposed),
    "strided": _each(_strided),
    "reversed": _each(_reversed),
    "readonly": _each(_readonly),
    "broadcast": _each(_broadcast),
    "offset8": _each(partial(contiguous, offset=8)),
    "offset32": _each(partial(contiguous, offset=32)),
    "transposed_X": lambda p: Problem(_transposed(p.X), contiguous(p.y), contiguous(p.W)),
    "transposed_W": lambda p: Problem(contiguous(p.X), contiguous(p.y), _transposed(p.W)),
    "padded": _each(_padded),
    "table": _table,
    "odd_strides": lambda p: Problem(*map(_odd_strides, p, (HUGE, -HUGE, HUGE))),
}

LAYOUTS = tuple(_ARRANGE)
# Layouts that no case has, for checks of the contract: the stack axes of each array in the opposite order,
# and numbers at odd addresses.
_FURTHER: dict[str, Callable[[Problem], Problem]] = {
    "stack_transposed": _each(_stack_transposed),
    "unaligned": _each(partial(contiguous, offset=1)),
}
FURTHER = tuple(_FURTHER)

# Layouts whose strides depend on which slices are equal, and so on the values.
STRIDED_BY_VALUES = ("broadcast", "odd_strides")


def arrange(problem: Problem, layout: str) -> Problem:
    """A copy of X, y and W, ``[*stack, rows, columns]``, in a layout; every number keeps its bits.

    ``broadcast`` needs slices that repeat: an array whose first axis does not repeat, or that has no stack
    axis, comes back contiguous. Its memory is read-only, as NumPy's broadcast arrays are. So is that of
    ``odd_strides`` where slices repeat; without such slices and axes of length 1 it comes back contiguous.

    Raises:
        ValueError: the layout is not one of `LAYOUTS` and `FURTHER`.
    """
    known = _ARRANGE | _FURTHER
    if layout not in known:
        raise ValueError(f"layout {layout!r} is unknown; use one of {', '.join(LAYOUTS)}")
    return known[layout](problem)
