"""Sources: the first word of a case is its source, a regime or another way to make a stack.

| source | problem k of the flattened stack |
|---|---|
| a regime | made by `Regime.generate` from the case's random bits |
| mixed | the same by regime k mod N, of the N regimes that the shape can host |
| special_values | triple seed + k, modulo their number, of special values for X, W and y, y changing first |
| every | X = 1, W the format's number with bits seed + k, y = 0, ½ or 1 by the digits of seed above those |
| crossed | ordinary X, with y and W of other problems; 64 seeds combine one set of random bits in 64 ways |
| structured | numbers that follow a pattern in each array, by combination (`crosscheck.inputs.structured`) |
| one_scale_REGIME | in the regime, with terms of one size in every sum (`crosscheck.inputs.one_scale`) |

With a mixed stack one call, and so one compiled program, gets every regime. `special_values` with seed 0 and
a stack of 2197 has all triples of 13 values. `crossed` makes new problems at no cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from crosscheck.inputs import one_scale, structured
from crosscheck.inputs.random_bits import (
    Int64,
    ProblemShape,
    RandomBits,
    as_numbers,
    draw_random_bits,
    power_bits,
    sign_bits,
)
from crosscheck.inputs.regimes import REGIMES, Regime
from reference.formats import FORMATS, Format
from reference.layouts import contiguous
from reference.types import Problem

Shape = tuple[int, ...]

# CROSSINGS is the number of seeds that share one set of random bits. Problems of one set whose indices differ
# by a multiple of SCALE_PERIOD have one scale, so that their inputs and weights fit together.
CROSSINGS: Final = 64
SCALE_PERIOD: Final = 64
# The labels that each value of W is combined with.
LABELS: Final = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Draw:
    """A function that draws the random bits of a case from its seed; the other parts of the case are fixed.

    Attributes:
        source, shape, dtype: the source, shape and dtype of the case.
        shared: whether all problems have the weights of the first.
    """

    source: str
    shape: Shape
    dtype: str
    shared: bool = False

    def __call__(self, seed: int) -> RandomBits:
        """Draw the random bits of the case with this seed."""
        identity = f"{self.source}:{seed}:{'x'.join(map(str, self.shape))}:{self.dtype}"
        return draw_random_bits(identity, ProblemShape.of(self.shape), shared=self.shared)


@dataclass(frozen=True)
class Source:
    """A way to make the problems of a case.

    Attributes:
        name: the name in the text of a case.
        meaning: one line for reports.
        unsupported: returns why a shape ``(*stack, m, n, p)`` cannot host the source; None if it can.
        generate: makes the problems, from a `Draw`, the seed, the shape and the format.
        shares: whether the weights of one problem can serve the whole stack, as in the layout ``broadcast``.
    """

    name: str
    meaning: str
    unsupported: Callable[[Shape, Format], str | None]
    generate: Callable[[Draw, int, Shape, Format], Problem]
    shares: bool = False


def _of_regime(regime: Regime) -> Source:
    """Make a regime a source; the seed decides only the random bits."""

    def generate(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
        return regime.generate(draw(seed), shape, format)

    return Source(regime.name, regime.meaning, regime.unsupported, generate, shares=True)


def _of_one_scale(regime: str) -> Source:
    """Make a source of the problems of one scale in a regime."""

    def unsupported(shape: Shape, format: Format) -> str | None:
        return one_scale.unsupported(regime, shape, format)

    def generate(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
        return one_scale.generate(regime, draw(seed), shape, format)

    meaning = f"{regime}, and no term of a sum hides the others"
    return Source(f"one_scale_{regime}", meaning, unsupported, generate, shares=True)


# The regimes of `mixed`, whose cases never change: a newer regime is not among them.
MIXED_REGIMES: Final = (
    "ordinary",
    "non_finite",
    "overflow",
    "subnormal",
    "huge_label",
    "cancelling",
    "saturated_high",
    "saturated_low",
    "near_label",
    "zeros",
)


def supported_regimes(shape: Shape, format: Format) -> list[Regime]:
    """List the regimes of `MIXED_REGIMES` in which problems of a shape can lie, in order."""
    return [REGIMES[name] for name in MIXED_REGIMES if REGIMES[name].unsupported(shape, format) is None]


def _too_few(shape: Shape, format: Format) -> str | None:
    least, there = len(supported_regimes(shape, format)), math.prod(shape[:-3])
    return None if there >= least else f"it needs a stack of at least {least} problems, not {there}"


def _mixed(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
    """Make every N-th problem by the same regime, each from its own random bits."""
    bits = draw(seed)
    *stack, m, n, p = shape
    regimes, count = supported_regimes(shape, format), math.prod(stack)
    arrays = [np.empty((count, *sizes), format.dtype) for sizes in ((m, n), (m, p), (n, p))]
    for first, regime in enumerate(regimes):
        mine = slice(first, None, len(regimes))
        own = RandomBits(*(word[..., mine] for word in bits))
        made = regime.generate(own, (own.problem.shape[-1], m, n, p), format)
        for array, part in zip(arrays, made, strict=True):
            array[mine] = part
    return Problem(*(array.reshape(*stack, *array.shape[1:]) for array in arrays))


def special_numbers(format: Format) -> Int64:
    """Return the bits of ±0, ± the least subnormal, least normal and largest number, ±1, ±inf and NaN.

    They are in ascending order of size, and + comes before −.
    """
    infinity = power_bits(2 - format.e_min, format)
    sizes = np.array(
        [0, 1, power_bits(format.e_min, format), power_bits(0, format), infinity - 1, infinity],
        dtype=np.int64,
    )
    signs = sign_bits(np.array([False, True]), format)
    quiet_nan = infinity | (1 << (format.precision - 2))
    return np.append(sizes[:, None] | signs, quiet_nan)


def _not_single(shape: Shape, format: Format) -> str | None:
    del format  # `format` is unused: every format can have them
    return None if shape[-3:] == (1, 1, 1) else "it needs m = n = p = 1"


def _special_values(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
    """Make consecutive triples of special values, without random bits."""
    del draw
    values = special_numbers(format)
    sides = (len(values),) * 3
    total = math.prod(sides)
    number = (np.arange(math.prod(shape[:-3])) + seed % total) % total
    x, w, y = (as_numbers(values[place], format) for place in np.unravel_index(number, sides))
    return Problem(*(array.reshape(*shape[:-3], 1, 1) for array in (x, y, w)))


def _unlisted(shape: Shape, format: Format) -> str | None:
    if format.dtype.itemsize > 4:
        return "nobody comes to the end of its values"
    return _not_single(shape, format)


def _every(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
    """Make problems whose weights are consecutive bit patterns, from 0 to −NaN and then from 0 again."""
    del draw
    patterns = 1 << 8 * format.dtype.itemsize
    label, start = divmod(seed, patterns)
    stack = math.prod(shape[:-3])
    W = as_numbers((start + np.arange(stack)) % patterns, format)
    X, y = np.ones_like(W), np.full_like(W, LABELS[label % len(LABELS)])
    return Problem(*(array.reshape(*shape[:-3], 1, 1) for array in (X, y, W)))


def _uncrossable(shape: Shape, format: Format) -> str | None:
    del format
    count, unit = math.prod(shape[:-3]), SCALE_PERIOD * CROSSINGS
    return None if count % unit == 0 else f"it needs a stack of a multiple of {unit} problems, not {count}"


@lru_cache(maxsize=1)
def _to_cross(draw: Draw, seed: int) -> Problem:
    """Make the X, y and W that the crossed cases of one set of random bits combine.

    The y and W of the first problems are repeated at the end, since `_crossed` takes views that begin later.
    """
    bits = draw(seed)
    stack = bits.problem.shape[-1]
    periodic = bits._replace(problem=bits.problem[..., np.arange(stack) % SCALE_PERIOD])
    X, y, W = REGIMES["ordinary"].generate(periodic, (stack, *draw.shape[-3:]), FORMATS[draw.dtype])
    again = np.arange(stack + SCALE_PERIOD * (CROSSINGS - 1)) % stack
    return Problem(contiguous(X), contiguous(y[again]), contiguous(W[again]))


def clear_cache() -> None:
    """Drop the cached arrays of crossed cases, for use after an adapter has written to them."""
    _to_cross.cache_clear()


def _crossed(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
    """Combine X, y and W of different problems, which are made from one set of random bits.

    The seed is 64 times the number of the set, plus t. Problem k has its own X, W of problem k + 64t, and y
    of problem k + 64·(63 − t).

    The arrays of all t are views of the same memory. They are 64-byte aligned, since the size of SCALE_PERIOD
    numbers is a multiple of 64 bytes.
    """
    del format
    number, t = divmod(seed, CROSSINGS)
    X, y, W = _to_cross(draw, number)
    starts = (0, SCALE_PERIOD * (CROSSINGS - 1 - t), SCALE_PERIOD * t)
    made = (array[start : start + len(X)] for array, start in zip((X, y, W), starts, strict=True))
    return Problem(*(array.reshape(*shape[:-3], *array.shape[1:]) for array in made))


def _anywhere(shape: Shape, format: Format) -> str | None:
    del shape, format  # they are unused: every shape can have every structure
    return None


def _structured(draw: Draw, seed: int, shape: Shape, format: Format) -> Problem:
    return structured.generate(draw(seed), seed, shape, format, shared=draw.shared)


SOURCES: Final = {
    **{name: _of_regime(regime) for name, regime in REGIMES.items()},
    "mixed": Source("mixed", "every regime in turn", _too_few, _mixed),
    "special_values": Source("special_values", "all triples of special values", _not_single, _special_values),
    "every": Source("every", "all values of the format as the weight", _unlisted, _every),
    "crossed": Source("crossed", "ordinary inputs with the weights of others", _uncrossable, _crossed),
    "structured": Source(
        "structured", "arrays whose numbers follow a pattern", _anywhere, _structured, shares=True
    ),
    **{source.name: source for source in map(_of_one_scale, one_scale.ONE_SCALE)},
}
