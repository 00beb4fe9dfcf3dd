"""The fingerprint of the generated cases: `python -m crosscheck.cases.digest`, under any interpreter.

One line for each regime and dtype: its name and the blake2b of the bytes of X, y and W of a fixed list of
cases. `tests/data/case_digests.txt` holds the lines that every NumPy, platform and hash seed must print:

    python -m crosscheck.cases.digest > tests/data/case_digests.txt
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import numpy as np

from crosscheck.cases.case import LARGEST_SEED, SHAPES_STACKED, Case
from crosscheck.regimes import REGIMES
from reference.formats import FORMATS
from reference.types import Array

# Every stacked shape with its seed, and the layout that changes values.
PINNED: Final = (
    *(
        (shape, seed, "contiguous")
        for shape, seed in zip(SHAPES_STACKED, (0, 1, 7, LARGEST_SEED), strict=True)
    ),
    ((5, 1, 3, 1), 2, "broadcast"),
)


def _little_endian(array: Array) -> bytes:
    """The numbers' bits, the same on every platform."""
    size = array.dtype.itemsize
    return np.ascontiguousarray(array).view(f"u{size}").astype(f"<u{size}").tobytes()


def digest(regime: str, dtype: str) -> str:
    """The blake2b (128 bits, hexadecimal) of the pinned cases of a regime and dtype."""
    total = blake2b(digest_size=16)
    for shape, seed, layout in PINNED:
        for array in Case(regime, seed, shape, layout, dtype).problem():
            total.update(_little_endian(array))
    return total.hexdigest()


def lines() -> Iterator[str]:
    """One line for each regime and dtype."""
    for dtype in FORMATS:
        for regime in REGIMES:
            yield f"{regime} {dtype} {digest(regime, dtype)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
