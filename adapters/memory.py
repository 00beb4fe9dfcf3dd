"""Layouts of arrays: their memory layout, to be rebuilt in another process; samples as rows or as columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from reference.layouts import ALIGNMENT, contiguous
from reference.types import Array, Outputs, Problem


class Memory(NamedTuple):
    """The memory layout of an array.

    Attributes:
        shape: the length of each axis.
        strides: bytes from one element to the next along each axis; may be negative or zero.
        phase: the address of the first element modulo `ALIGNMENT`.
        writeable: whether the array may be written.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    phase: int
    writeable: bool


def memory_of(array: Array) -> Memory:
    """Return the memory layout of the array."""
    phase = array.__array_interface__["data"][0] % ALIGNMENT
    return Memory(array.shape, array.strides, phase, array.flags.writeable)


class BufferPool:
    """Buffers that calls reuse, since allocating new pages for each call costs more than a small call."""

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}

    def get(self, name: str, size: int) -> Array:
        """Return `size` uninitialised bytes; they stay valid until the next `get` with the same name."""
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, np.uint8)
        return buffer[:size]


def span(memory: Memory, itemsize: int) -> tuple[int, int]:
    """Return how many bytes the array spans before its first element, and from its first element on."""
    if 0 in memory.shape:
        return 0, 0
    reach = [(length - 1) * stride for length, stride in zip(memory.shape, memory.strides, strict=True)]
    below = -sum(step for step in reach if step < 0)
    return below, sum(step for step in reach if step > 0) + itemsize


def placed(buffers: BufferPool, name: str, memory: Memory, dtype: np.dtype[Any]) -> Array:
    """Return an uninitialised, writeable array with the layout `memory`, in the buffer of that name."""
    below, above = span(memory, dtype.itemsize)
    buffer = buffers.get(name, below + above + ALIGNMENT)
    start = buffer.__array_interface__["data"][0] + below
    offset = below + (memory.phase - start) % ALIGNMENT
    return np.ndarray(memory.shape, dtype, buffer.data, offset, memory.strides)


def contiguous_bytes(array: Array) -> memoryview:
    """Return the elements in C order as bytes: the array's own memory where it is contiguous, else a copy."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def swapped(array: Array) -> Array:
    """Exchange the last two axes, without a copy if the array is not C-contiguous or is read-only.

    Otherwise the result is a C-contiguous copy, whose address modulo `ALIGNMENT` bytes is that of the array.
    """
    view = array.swapaxes(-1, -2)
    if not (array.flags.c_contiguous and array.flags.writeable):
        return view
    return contiguous(view, array.__array_interface__["data"][0] % ALIGNMENT)


def to_columns(problem: Problem) -> Problem:
    """Return the problem with samples as columns: X ``[*stack, n, m]``, y ``[*stack, p, m]``, W unchanged."""
    return Problem(swapped(problem.X), swapped(problem.y), problem.W)


def from_columns(outputs: Outputs) -> Outputs:
    """Return the outputs with samples as rows again: ŷ ``[*stack, m, p]``; the others stay the same."""
    return outputs if outputs.y_hat is None else outputs._replace(y_hat=outputs.y_hat.swapaxes(-1, -2))
