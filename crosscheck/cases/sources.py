"""Sources: what the first word of a case stands for, a regime or one of two stacks that no regime makes.

| source | problem k of the flattened stack |
|---|---|
| a regime | what `Regime.generate` makes of the case's words |
| mixed | the same by regime k mod N, of the N regimes that the shape can host |
| special_values | triple seed + k, modulo their number, of special values for X, W and y, y changing first |

In a mixed stack one call, and so one compiled program, meets every regime. `special_values` with seed 0 and a
stack of 2197 is the whole product of 13 values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from crosscheck.regimes import REGIMES, Regime
from crosscheck.regimes.words import Int64, Words, as_numbers, power_bits, sign_bits
from reference.formats import Format
from reference.types import Problem

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """How the problems of a case are made.

    Attributes:
        name: as in a case.
        meaning: one line for reports.
        unsupported: why a shape ``(*stack, m, n, p)`` cannot host it; None if it can.
        generate: from the case's words, seed, shape and format.
        shares: whether the weights of one problem can serve the whole stack, as ``broadcast`` has it.
    """

    name: str
    meaning: str
    unsupported: Callable[[Sizes, Format], str | None]
    generate: Callable[[Words, int, Sizes, Format], Problem]
    shares: bool = False


def _of_regime(regime: Regime) -> Source:
    """A regime as a source; its words hold all that the seed decides."""

    def generate(words: Words, seed: int, shape: Sizes, format: Format) -> Problem:
        del seed
        return regime.generate(words, shape, format)

    return Source(regime.name, regime.meaning, regime.unsupported, generate, shares=True)


def hosted(shape: Sizes, format: Format) -> list[Regime]:
    """The regimes that a shape ``(*stack, m, n, p)`` can host, in the order of `REGIMES`."""
    return [regime for regime in REGIMES.values() if regime.unsupported(shape, format) is None]


def _too_few(shape: Sizes, format: Format) -> str | None:
    least, there = len(hosted(shape, format)), math.prod(shape[:-3])
    return None if there >= least else f"it needs a stack of at least {least} problems, not {there}"


def _mixed(words: Words, seed: int, shape: Sizes, format: Format) -> Problem:
    """Every N-th problem by the same regime, which sees no other problem's words."""
    del seed
    *stack, m, n, p = shape
    regimes, count = hosted(shape, format), math.prod(stack)
    arrays = [np.empty((count, *sizes), format.dtype) for sizes in ((m, n), (m, p), (n, p))]
    for first, regime in enumerate(regimes):
        mine = slice(first, None, len(regimes))
        own = Words(*(word[..., mine] for word in words))
        made = regime.generate(own, (own.problem.shape[-1], m, n, p), format)
        for array, part in zip(arrays, made, strict=True):
            array[mine] = part
    return Problem(*(array.reshape(*stack, *array.shape[1:]) for array in arrays))


def special_numbers(format: Format) -> Int64:
    """The bits of ±0, ± least subnormal, ± least normal, ±1, ±Ω, ±inf and NaN, each + before −."""
    infinity = power_bits(2 - format.e_min, format)
    sizes = np.array(
        [0, 1, power_bits(format.e_min, format), power_bits(0, format), infinity - 1, infinity],
        dtype=np.int64,
    )
    signs = sign_bits(np.array([False, True]), format)
    quiet_nan = infinity | (1 << (format.precision - 2))
    return np.append(sizes[:, None] | signs, quiet_nan)


def _not_single(shape: Sizes, format: Format) -> str | None:
    del format  # every format has all of them
    return None if shape[-3:] == (1, 1, 1) else "it needs m = n = p = 1"


def _special_values(words: Words, seed: int, shape: Sizes, format: Format) -> Problem:
    """Consecutive triples, whatever the words are."""
    del words
    values = special_numbers(format)
    sides = (len(values),) * 3
    total = math.prod(sides)
    number = (np.arange(math.prod(shape[:-3])) + seed % total) % total
    x, w, y = (as_numbers(values[place], format) for place in np.unravel_index(number, sides))
    return Problem(*(array.reshape(*shape[:-3], 1, 1) for array in (x, y, w)))


SOURCES: Final = {
    **{name: _of_regime(regime) for name, regime in REGIMES.items()},
    "mixed": Source("mixed", "every regime in turn", _too_few, _mixed),
    "special_values": Source("special_values", "all triples of special values", _not_single, _special_values),
}
