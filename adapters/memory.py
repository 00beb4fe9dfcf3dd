"""How an array lies in memory, and how to build one that lies the same way in another process."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from reference.layouts import ALIGNMENT
from reference.types import Array


class Memory(NamedTuple):
    """Where the elements of an array lie.

    Attributes:
        shape: the array's axes.
        strides: bytes from one element to the next, by axis; negative and zero ones too.
        phase: address of the first element modulo `ALIGNMENT`.
        writeable: whether the array may be written.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    phase: int
    writeable: bool


def memory_of(array: Array) -> Memory:
    """How the array lies in memory."""
    phase = array.__array_interface__["data"][0] % ALIGNMENT
    return Memory(array.shape, array.strides, phase, array.flags.writeable)


class BufferPool:
    """Buffers that are used again: new pages of memory at each call cost more than a small call."""

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}

    def get(self, name: str, size: int) -> Array:
        """Uninitialised flat bytes of that size; they stay valid until the next `get` of the same name."""
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, np.uint8)
        return buffer[:size]


def span(memory: Memory, itemsize: int) -> tuple[int, int]:
    """The bytes that the array takes before its first element, and those from there on."""
    if 0 in memory.shape:
        return 0, 0
    reach = [(length - 1) * stride for length, stride in zip(memory.shape, memory.strides, strict=True)]
    below = -sum(step for step in reach if step < 0)
    return below, sum(step for step in reach if step > 0) + itemsize


def placed(buffers: BufferPool, name: str, memory: Memory, dtype: np.dtype[Any]) -> Array:
    """An uninitialised array in the buffer of that name, which lies as `memory` says; it can be written."""
    below, above = span(memory, dtype.itemsize)
    buffer = buffers.get(name, below + above + ALIGNMENT)
    start = buffer.__array_interface__["data"][0] + below
    offset = below + (memory.phase - start) % ALIGNMENT
    return np.ndarray(memory.shape, dtype, buffer.data, offset, memory.strides)


def contiguous_bytes(array: Array) -> memoryview:
    """The elements in C order as flat bytes: the array's own memory where it is contiguous, else a copy."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
