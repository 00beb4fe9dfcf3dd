"""The source `structured`: arrays whose numbers follow a pattern, in all combinations for X, y and W.

Compilers replace a constant array by an expression if its numbers follow a pattern: equal numbers by one
number that is broadcast, 0, 1, 2 … by a counter. Random numbers never show whether they do so rightly.

`STRUCTURES` lists the patterns, each for the last two axes of an array, the array of one network. A
combination is a structure for each of X, y and W; all are numbered, W changing first, then X, then y. The
seed is a number of turns through all combinations, times their number, plus the number of a combination:

| turn | problem k of the flattened stack has |
|---|---|
| even | combination number + k, modulo their number: a stack of 4096 has all of them |
| odd | combination number, like all others: ones are then ones everywhere in the array |

Each seed has random bits of its own. Numbers are made by integer operations, as everywhere in
`crosscheck.inputs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

import numpy as np

from crosscheck.inputs import generators
from crosscheck.inputs.random_bits import (
    Int64,
    RandomBits,
    as_numbers,
    below,
    field,
    number_bits,
    own_sign,
    power_bits,
    rounded_bits,
    sign_bits,
    stacked,
)
from reference.formats import Format
from reference.types import Float64, Problem

Entries = TypeVar("Entries", Int64, Float64)
# Makes the bits of an array [rows, columns, S] from the bits of the numbers `plain`, and random bits.
MakeArray = Callable[[Int64, Int64, Format], Int64]


class Combination(NamedTuple):
    """The structures of the arrays of one problem, each a key of `STRUCTURES`."""

    X: str = "plain"
    y: str = "plain"
    W: str = "plain"


def exact_bits(values: Float64, format: Format) -> Int64:
    """Return the bits of values that the format has among its normal numbers, or that are 0."""
    return np.where(values == 0, 0, rounded_bits(values, format))


def _plain(plain: Int64, word: Int64, format: Format) -> Int64:
    del word, format
    return plain


def _equal(number: Callable[[Format], int]) -> MakeArray:
    """Make an array of equal numbers, given their bits in a format."""

    def make(plain: Int64, word: Int64, format: Format) -> Int64:
        del word
        return np.full_like(plain, number(format))

    return make


def _zero(format: Format) -> int:
    del format
    return 0


def _minus_zero(format: Format) -> int:
    return int(sign_bits(np.ones((), dtype=np.bool_), format))


def _one(format: Format) -> int:
    return power_bits(0, format)


def _half(format: Format) -> int:
    return power_bits(-1, format)


def _minus_one(format: Format) -> int:
    return _one(format) | _minus_zero(format)


def _third(format: Format) -> int:
    """Return the largest number up to ⅓: its significand is 1.0101… and so on."""
    return power_bits(-2, format) | (1 << (format.precision - 1)) // 3


def all_equal(plain: Entries) -> Entries:
    """Repeat the first number, ``[rows, columns, S]``."""
    return np.broadcast_to(plain[:1, :1], plain.shape)


def equal_rows(plain: Entries) -> Entries:
    """Repeat the first row, ``[rows, columns, S]``."""
    return np.broadcast_to(plain[:1], plain.shape)


def equal_columns(plain: Entries) -> Entries:
    """Repeat the first column, ``[rows, columns, S]``."""
    return np.broadcast_to(plain[:, :1], plain.shape)


def symmetric(plain: Entries) -> Entries:
    """Make a_ij = a_ji wherever the array, ``[rows, columns, S]``, has both."""
    side = min(plain.shape[:2])
    found = plain.copy()
    square = found[:side, :side]
    below_diagonal = np.tri(side, k=-1, dtype=np.bool_)[:, :, None]
    square[...] = np.where(below_diagonal, square.swapaxes(0, 1), square)
    return found


def _identity(plain: Int64, word: Int64, format: Format) -> Int64:
    del word
    diagonal = np.eye(*plain.shape[:2], dtype=np.int64)[:, :, None]
    return np.broadcast_to(diagonal * _one(format), plain.shape)


def _place(word: Int64, count: int) -> Int64:
    """Make an integer in [0, count), count ≤ 2^31, from the lowest 32 bits of a word."""
    return (field(word, 0, 32) * count) >> 32


def _one_hot(plain: Int64, word: Int64, format: Format) -> Int64:
    columns = plain.shape[1]
    at = np.arange(columns)[:, None] == _place(word[:, :1], columns)
    return np.where(at, _one(format), 0)


def _one_odd(plain: Int64, word: Int64, format: Format) -> Int64:
    rows, columns = plain.shape[:2]
    places = np.arange(rows * columns).reshape(rows, columns, 1)
    at = places == _place(word[:1, :1], rows * columns)
    return np.where(at, _third(format), _half(format))


def _powers(plain: Int64, word: Int64, format: Format) -> Int64:
    del plain
    known = np.array([power_bits(exponent, format) for exponent in range(-3, 3)], dtype=np.int64)
    return known[below(word, 0, len(known))] | own_sign(word, format)


def _integers(plain: Int64, word: Int64, format: Format) -> Int64:
    del plain
    return exact_bits((below(word, 0, 9) - 4).astype(np.float64), format)


def _counting(plain: Int64, word: Int64, format: Format) -> Int64:
    """Count up from 0 in equal steps below 8; where the format has too few numbers, some are repeated."""
    del word
    rows, columns = plain.shape[:2]
    digits = (rows * columns - 1).bit_length()
    kept = min(digits, format.precision)
    steps = np.arange(rows * columns).reshape(rows, columns, 1) >> (digits - kept)
    numbers = steps.astype(np.float64) / (1 << max(0, kept - 3))
    return np.broadcast_to(exact_bits(numbers, format), plain.shape)


def _repeat(repeat: Callable[[Int64], Int64]) -> MakeArray:
    """Make the plain numbers repeat each other in some way."""
    return lambda plain, word, format: repeat(plain)  # noqa: ARG005


class Structure(NamedTuple):
    """A pattern of the numbers of an array.

    Attributes:
        meaning: one line for readers.
        make: makes the bits of an array.
    """

    meaning: str
    make: MakeArray


STRUCTURES: Final = {
    "plain": Structure("numbers of moderate size", _plain),
    "zeros": Structure("all 0", _equal(_zero)),
    "minus_zeros": Structure("all −0", _equal(_minus_zero)),
    "ones": Structure("all 1", _equal(_one)),
    "halves": Structure("all ½", _equal(_half)),
    "minus_ones": Structure("all −1", _equal(_minus_one)),
    "thirds": Structure("all the largest number up to ⅓", _equal(_third)),
    "equal_rows": Structure("one row repeated", _repeat(equal_rows)),
    "equal_columns": Structure("one column repeated", _repeat(equal_columns)),
    "identity": Structure("1 on the diagonal, 0 elsewhere", _identity),
    "one_hot": Structure("a 1 at a random place of each row, 0 elsewhere", _one_hot),
    "powers": Structure("powers of two from ⅛ to 4, of both signs", _powers),
    "counting": Structure("0, 1, 2 …; from 9 numbers on divided by a power of two, below 8", _counting),
    "symmetric": Structure("a_ij = a_ji as far as the shape goes", _repeat(symmetric)),
    "one_odd": Structure("all ½ but one, which is ⅓", _one_odd),
    "integers": Structure("integers from −4 to 4", _integers),
}
NAMES: Final = tuple(STRUCTURES)
SIDES: Final = (len(NAMES),) * 3  # in the order y, X, W
COMBINATIONS: Final = len(NAMES) ** 3


def seed_of(
    X: str = "plain", y: str = "plain", W: str = "plain", *, alike: bool = True, turn: int = 0
) -> int:
    """Return the seed whose first problem has these structures.

    Args:
        X: the structure of X, a key of `STRUCTURES`.
        y: that of y.
        W: that of W.
        alike: whether all problems of the stack have them; if not, the combinations that follow come next.
        turn: 0, 1, 2 … for other random bits.
    """
    places = tuple(NAMES.index(name) for name in (y, X, W))
    return int(np.ravel_multi_index(places, SIDES)) + COMBINATIONS * (2 * turn + alike)


def combination_of(seed: int, k: int = 0) -> Combination:
    """Return the structures that problem k of the flattened stack has in cases with this seed."""
    turn, number = divmod(seed, COMBINATIONS)
    place = number if turn % 2 else (number + k) % COMBINATIONS
    y, X, W = (NAMES[int(each)] for each in np.unravel_index(place, SIDES))
    return Combination(X, y, W)


def describe(seed: int, problems: int) -> str:
    """Return a line on the structures of the problems of a stack with this seed."""
    arrays = combination_of(seed)._asdict().items()
    line = "structure: " + "; ".join(f"{name} {STRUCTURES[structure].meaning}" for name, structure in arrays)
    is_alike = problems == 1 or combination_of(seed, 1) == combination_of(seed)
    return line if is_alike else f"{line}; other combinations after problem 0"


def generate(bits: RandomBits, seed: int, shape: tuple[int, ...], format: Format, *, shared: bool) -> Problem:
    """Make the problems of a case.

    Args:
        bits: the random bits of the case.
        seed: names the combinations.
        shape: ``(*stack, m, n, p)``.
        format: the format of the numbers.
        shared: whether the whole stack has the weights of the first problem.
    """
    turn, number = divmod(seed, COMBINATIONS)
    step = 0 if turn % 2 else 1
    numbers = (number + step * np.arange(bits.problem.shape[-1])) % COMBINATIONS
    y_kinds, X_kinds, W_kinds = np.unravel_index(numbers, SIDES)
    if shared:
        W_kinds = np.broadcast_to(W_kinds[:1], W_kinds.shape)
    x, w = generators.ordinary(bits, format, reach=2)
    y = number_bits(bits.y, -4, 0, format)
    made = (
        _with_structures(*each, format)
        for each in ((x, bits.x, X_kinds), (y, bits.y, y_kinds), (w, bits.w, W_kinds))
    )
    return Problem(*(stacked(as_numbers(array, format), shape[:-3]) for array in made))


def _with_structures(plain: Int64, word: Int64, kinds: Int64, format: Format) -> Int64:
    """Give the array of each problem its structure, a position in `NAMES`."""
    made = np.empty_like(plain)
    for kind in np.unique(kinds):
        mine = kinds == kind
        made[..., mine] = STRUCTURES[NAMES[kind]].make(plain[..., mine], word[..., mine], format)
    return made
