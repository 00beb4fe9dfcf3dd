"""The fingerprint of the generated cases: `python -m tools.case_digests`, under any interpreter.

One line for each source and dtype: its name and the blake2b of the bytes of X, y and W of a fixed list of
cases. `tests/data/case_digests.txt` holds the lines that every NumPy, platform and hash seed must print:

    python -m tools.case_digests > tests/data/case_digests.txt
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import numpy as np

from crosscheck.inputs.case import LARGEST_SEED, SHAPES_STACKED, Case
from crosscheck.inputs.sources import SOURCES
from reference.formats import FORMATS
from reference.types import Array

# The cases of every regime: every stacked shape with its seed, and the layout that changes values.
PINNED: Final = (
    *(
        (shape, seed, "contiguous")
        for shape, seed in zip(SHAPES_STACKED, (0, 1, 7, LARGEST_SEED), strict=True)
    ),
    ((5, 1, 3, 1), 2, "broadcast"),
)
# The cases of the other sources, which need large stacks or certain sizes; they include the extreme seeds.
PINNED_OTHERS: Final = {
    "mixed": (
        *PINNED[:3],
        ((4, 3, 64, 8, 3), LARGEST_SEED, "contiguous"),
        ((29, 1, 1, 1), 2, "contiguous"),
    ),
    "every": (
        ((65536, 1, 1, 1), 0, "contiguous"),
        ((3, 5, 1, 1, 1), LARGEST_SEED, "contiguous"),
    ),
    "crossed": (
        ((4096, 1, 3, 1), 0, "contiguous"),
        ((2, 2048, 2, 1, 3), 129, "contiguous"),
        ((8192, 1, 64, 1), LARGEST_SEED, "contiguous"),
    ),
    "structured": (
        ((4096, 2, 3, 2), 0, "contiguous"),
        ((5, 16, 1, 1, 1), LARGEST_SEED, "contiguous"),
        ((64, 2, 64), 4096 + 4, "contiguous"),
        ((16, 2, 3, 3), 12, "broadcast"),
    ),
    "special_values": (
        ((2197, 1, 1, 1), 0, "contiguous"),
        ((3, 5, 1, 1, 1), LARGEST_SEED, "contiguous"),
    ),
}


def _little_endian(array: Array) -> bytes:
    """Return the bytes of the numbers in little-endian order, the same on every platform."""
    size = array.dtype.itemsize
    return np.ascontiguousarray(array).view(f"u{size}").astype(f"<u{size}").tobytes()


def digest(source: str, dtype: str) -> str:
    """Return the blake2b (128 bits, hexadecimal) of the pinned cases of a source and dtype."""
    total = blake2b(digest_size=16)
    for shape, seed, layout in PINNED_OTHERS.get(source, PINNED):
        for array in Case(source, seed, shape, layout, dtype).problem():
            total.update(_little_endian(array))
    return total.hexdigest()


def lines() -> Iterator[str]:
    """Yield one line for each source and each dtype that has it."""
    for dtype in FORMATS:
        for source in SOURCES:
            shape, *_ = PINNED_OTHERS.get(source, PINNED)[0]
            if SOURCES[source].unsupported(shape, FORMATS[dtype]) is None:
                yield f"{source} {dtype} {digest(source, dtype)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
