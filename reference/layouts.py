"""Memory layouts: the same values in the same shape, with other strides or another alignment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.types import Array

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register of today's CPUs


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
    if array.ndim < 3 or not _repeats(array):
        return contiguous(array)
    return np.broadcast_to(contiguous(array[:1]), array.shape)


def _repeats(array: Array) -> bool:
    """Whether all slices along the first axis are the same bytes, NaN and the sign of zero included."""
    bits = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")
    return bool((bits == bits[:1]).all())


def _offset8(array: Array) -> Array:
    """A contiguous copy that begins 8 bytes after a multiple of 64 bytes."""
    return contiguous(array, offset=8)


_ARRANGE: dict[str, Callable[[Array], Array]] = {
    "contiguous": contiguous,
    "transposed": _transposed,
    "strided": _strided,
    "reversed": _reversed,
    "readonly": _readonly,
    "broadcast": _broadcast,
    "offset8": _offset8,
}

LAYOUTS = tuple(_ARRANGE)


def arrange(array: Array, layout: str) -> Array:
    """A copy of the array, ``[*stack, rows, columns]`` in a layout; every number keeps its bits.

    ``broadcast`` needs slices that repeat: an array whose first axis does not repeat, or that has no stack
    axis, comes back contiguous. Its memory is read-only, as NumPy's broadcast arrays are.

    Raises:
        ValueError: the layout is not one of `LAYOUTS`.
    """
    if layout not in _ARRANGE:
        raise ValueError(f"layout {layout!r} is unknown; use one of {', '.join(LAYOUTS)}")
    return _ARRANGE[layout](array)
