"""Random bits of a counter-based generator, and the floating-point numbers assembled from them.

Only integer operations are used, no distribution method and no libm, so that a case is the same with every
NumPy on every platform. A word is an int64 array holding the 64 raw bits; a number is its bit pattern in an
int64 array until `as_numbers` converts it to its dtype. The fields of a word that becomes a number:

    63 sign | 62..56 position in the range of exponents | 55..52 pattern | 51..0 significand

While numbers are made, the stack is one axis, the last, of length S. NumPy's inner loops are then long, and
several times faster than loops over three inputs.
"""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crosscheck.inputs.thresholds import half_digits
from reference.formats import Format
from reference.types import Array, Bool, Float64

Int64 = NDArray[np.int64]
Integers = Int64 | int


class ProblemShape(NamedTuple):
    """The sizes of a stack of problems: leading axes, samples, inputs, outputs."""

    stack: tuple[int, ...]
    m: int
    n: int
    p: int

    @classmethod
    def of(cls, sizes: tuple[int, ...]) -> ProblemShape:
        """Read ``(*stack, m, n, p)``."""
        *stack, m, n, p = sizes
        return cls(tuple(stack), m, n, p)


class RandomBits(NamedTuple):
    """The random bits of one case, as int64: 64 of them for each number, each row and each problem."""

    x: Int64  # [m, n, S]
    w: Int64  # [n, p, S]
    y: Int64  # [m, p, S]
    row: Int64  # [m, 1, S]
    problem: Int64  # [1, 1, S]


def draw_random_bits(identity: str, shape: ProblemShape, *, shared: bool = False) -> RandomBits:
    """Draw the random bits that ``identity`` names; if ``shared``, all have the first problem's weights."""
    stack, m, n, p = shape
    S = math.prod(stack)
    shapes = [(m, n, S), (n, p, S), (m, p, S), (m, 1, S), (1, 1, S)]
    ends = list(accumulate(map(math.prod, shapes)))
    key = int.from_bytes(blake2b(identity.encode(), digest_size=16).digest(), "little")
    raw = np.asarray(np.random.Philox(key=key).random_raw(ends[-1])).view(np.int64)
    parts = np.split(raw, ends[:-1])
    x, w, y, row, problem = (part.reshape(each) for part, each in zip(parts, shapes, strict=True))
    if shared:
        w, problem = (np.broadcast_to(word[..., :1], word.shape) for word in (w, problem))
    return RandomBits(x, w, y, row, problem)


def field(word: Int64, start: int, width: int) -> Int64:
    """Extract the ``width`` bits of a word from bit ``start`` on."""
    return (word >> start) & ((1 << width) - 1)


def below(word: Int64, start: int, count: int) -> Int64:
    """Make an integer in [0, count), count ≤ 2^16, from the 16 bits from ``start`` on."""
    return (field(word, start, 16) * count) >> 16


@lru_cache
def _patterns(digits: int) -> tuple[Int64, Int64]:
    """Return the bits to keep and the bits to set in a fraction of ``digits`` bits, for each of 16 patterns.

    Half of the patterns keep the full significand. The others keep one or three leading bits, make powers of
    two or their neighbours above and below, set trailing ones, or keep half of the digits (so that products
    are exact or ties).
    """
    full = (1 << digits) - 1
    leading = [full ^ (full >> kept) for kept in (1, 3, (digits + 1) // 2)]
    rows = [(full, 0)] * 8 + [(leading[0], 0), (leading[1], 0), (0, 0), (0, 0)]
    rows += [(0, 1), (0, full), (full, full >> ((digits + 1) // 2)), (leading[2], 0)]
    keep, fill = np.array(rows, dtype=np.int64).T
    return keep.copy(), fill.copy()


def fraction_bits(word: Int64, format: Format) -> Int64:
    """Make the fraction of a significand: full, sparse or next to a power of two, by the word's pattern."""
    digits = format.precision - 1
    keep, fill = _patterns(digits)
    pattern = field(word, 52, 4)
    bits: Int64 = (field(word, 52 - digits, digits) & keep[pattern]) | fill[pattern]
    return bits


def sign_bits(negative: Bool, format: Format) -> Int64:
    """Return the sign bit of each number in its place."""
    return negative.astype(np.int64) << (8 * format.dtype.itemsize - 1)


def own_sign(word: Int64, format: Format) -> Int64:
    """Return the sign bit of the word in the place that it has in the format."""
    place = 8 * format.dtype.itemsize - 1
    sign: Int64 = (word >> (63 - place)) & (-1 << place)
    return sign


def number_bits(
    word: Int64, low: Integers, high: Integers, format: Format, negative: Bool | None = None
) -> Int64:
    """Make normal numbers with an exponent in [low, high], cut to the range of the format.

    The sign is the word's own unless ``negative`` gives it.
    """
    e_min, e_max = format.e_min, 1 - format.e_min
    low, high = (np.minimum(np.maximum(end, e_min), e_max) for end in (low, high))
    biased = ((field(word, 56, 7) * (high - low + 1)) >> 7) + (low + e_max)
    sign = own_sign(word, format) if negative is None else sign_bits(negative, format)
    bits: Int64 = (biased << (format.precision - 1)) | fraction_bits(word, format) | sign
    return bits


def subnormal_bits(word: Int64, format: Format) -> Int64:
    """Make subnormal numbers, never zero, with leading bits at every place."""
    digits = format.precision - 1
    fraction = fraction_bits(word, format) | (1 << (digits - 1))
    bits: Int64 = own_sign(word, format) | (fraction >> ((field(word, 56, 7) * digits) >> 7))
    return bits


def power_bits(exponent: int, format: Format) -> int:
    """Return the bits of a power of two, or of inf for exponents from 2 − e_min on."""
    return (exponent + 1 - format.e_min) << (format.precision - 1)


def special_bits(word: Int64, format: Format) -> Int64:
    """Make inf, −inf or NaN."""
    infinity = power_bits(2 - format.e_min, format)
    quiet_nan = infinity | (1 << (format.precision - 2))
    bits = np.where(field(word, 0, 2) == 2, quiet_nan, infinity)
    return np.where(field(word, 0, 2) == 1, bits | sign_bits(bits > 0, format), bits)


def nudge_bits(word: Int64, format: Format) -> Int64:
    """Make 0, ±1, ±2, ±4, … units in the last place, up to 2^(t−h−2); t is the precision, h half of it."""
    steps = format.precision - half_digits(format)
    size = (np.ones_like(word) << below(word, 16, steps)) >> 1
    return np.where(field(word, 32, 1) == 1, -size, size)


def rounded_bits(value: Float64, format: Format) -> Int64:
    """Round float64 values to the nearest number of the format, ties to even, within its normal range."""
    shift = 53 - format.precision
    bits = value.view(np.int64)
    if shift:
        bits = bits + ((1 << (shift - 1)) - 1) + ((bits >> shift) & 1)
    exponent = field(bits, 52, 11) - 1023
    biased = (exponent + (1 - format.e_min)) << (format.precision - 1)
    rounded: Int64 = own_sign(bits, format) | biased | (field(bits, 0, 52) >> shift)
    return rounded


def as_numbers(bits: Int64, format: Format) -> Array:
    """Convert bit patterns to numbers of the format."""
    unsigned = np.dtype(f"u{format.dtype.itemsize}")
    numbers: Array = np.ascontiguousarray(bits).astype(unsigned).view(format.dtype)
    return numbers


def stacked(array: Array, stack: tuple[int, ...]) -> Array:
    """Move the stack's axes back to the front: ``[rows, columns, S]`` becomes ``[*stack, rows, columns]``."""
    return np.moveaxis(array, -1, 0).reshape(*stack, *array.shape[:2])
