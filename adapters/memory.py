"""Layouts of arrays: their memory layout, to be rebuilt in another process; samples as rows or as columns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from reference.layouts import ALIGNMENT, contiguous
from reference.types import Array, Outputs, Problem

ALL_BITS = 0xFF  # of every byte: NaN in every dtype


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


def memories_of(problem: Problem) -> dict[str, Memory]:
    """Return the memory layouts of X, y and W, by name."""
    return {name: memory_of(array) for name, array in problem._asdict().items()}


def distances(problem: Problem) -> dict[str, int]:
    """Return how many bytes after X each array begins; only X's own 0 if they do not lie in one block.

    They lie in one block if they are views of one array with hardly more than their elements.
    """
    owners = [array if array.base is None else array.base for array in problem]
    if not all(owner is owners[0] for owner in owners) or not isinstance(owners[0], np.ndarray):
        return {"X": 0}
    if owners[0].nbytes > sum(array.nbytes for array in problem) + 2 * ALIGNMENT:
        return {"X": 0}
    starts = {name: array.__array_interface__["data"][0] for name, array in problem._asdict().items()}
    return {name: start - starts["X"] for name, start in starts.items()}


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


def placed(
    buffers: BufferPool, memories: Mapping[str, Memory], together: Mapping[str, int], dtype: np.dtype[Any]
) -> dict[str, Array]:
    """Return uninitialised, writeable arrays with these layouts; gaps between their elements hold NaN.

    Args:
        buffers: the buffers that the arrays lie in.
        memories: the layout of each array, by its name.
        together: as `distances` returns them: the arrays named there share the buffer of X.
        dtype: the dtype of all arrays.
    """
    found: dict[str, Array] = {}
    for first in memories:
        if first in found:
            continue
        block = together if first in together else {first: 0}
        spans = [(at, *span(memories[name], dtype.itemsize)) for name, at in block.items()]
        below, above = max(b - at for at, b, _ in spans), max(at + a for at, _, a in spans)
        buffer = buffers.get(first, below + above + ALIGNMENT)
        if below + above > sum(prod(memories[name].shape) for name in block) * dtype.itemsize:
            buffer[...] = ALL_BITS
        start = buffer.__array_interface__["data"][0] + below
        offset = below + (memories[first].phase - start) % ALIGNMENT
        for name, at in block.items():
            shape, strides, *_ = memories[name]
            found[name] = np.ndarray(shape, dtype, buffer.data, offset + at, strides)
    return found


def contiguous_bytes(array: Array) -> memoryview:
    """Return the elements in C order as bytes: the array's own memory where it is contiguous, else a copy."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def swapped(array: Array) -> Array:
    """Exchange the last two axes, without a copy if the array has other strides or is read-only.

    Otherwise the result is a C-contiguous copy, whose address modulo `ALIGNMENT` bytes is that of the array.
    """
    view = array.swapaxes(-1, -2)
    if array.strides != _c_strides(array) or not array.flags.writeable:
        return view
    return contiguous(view, array.__array_interface__["data"][0] % ALIGNMENT)


def _c_strides(array: Array) -> tuple[int, ...]:
    """Return the strides of an array of that shape in C order, axes of length 1 included."""
    return tuple(accumulate(array.shape[:0:-1], mul, initial=array.itemsize))[::-1]


def to_columns(problem: Problem) -> Problem:
    """Return the problem with samples as columns: X ``[*stack, n, m]``, y ``[*stack, p, m]``, W unchanged."""
    return Problem(swapped(problem.X), swapped(problem.y), problem.W)


def from_columns(outputs: Outputs) -> Outputs:
    """Return the outputs with samples as rows again: ŷ ``[*stack, m, p]``; the others stay the same."""
    return outputs if outputs.y_hat is None else outputs._replace(y_hat=outputs.y_hat.swapaxes(-1, -2))
