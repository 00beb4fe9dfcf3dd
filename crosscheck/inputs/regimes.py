"""The definitions of the regimes, whose names say in reports on which kind of input a framework fails.

A definition is about one element ŷ_ik: its row X_i, its weights W_k and its label y_ik. With P and N
the sums of the positive and of the negative products of the row with the weights, T = P + N, z = P − N, and
h = ⌈precision/2⌉, half of the format's digits:

| regime | an element lies in it where |
|---|---|
| non_finite | one of X_i, W_k, y_ik is inf or NaN |
| overflow | all are finite, and P ≥ Ω or N ≥ Ω: some order of the sum passes the largest number |
| subnormal | one of X_i, W_k, y_ik is subnormal |
| huge_label | |y_ik| ≥ 2^min(precision, 1 − e_min/2), finite: ŷ vanishes in r = ŷ − y, or r² overflows |
| cancelling | P, N < ∞, T ≥ 1 and |z| ≤ 2^-h·T: half of the digits of a sum that matters cancel |
| saturated_high | z ≥ h·ln 2, so that 1 − ŷ < 2^-h: formed from a rounded ŷ it has lost half its digits |
| saturated_low | z ≤ −h·ln 2, so that ŷ < 2^-h; further down ŷ underflows |
| near_label | |ŷ − y| ≤ 2^-h·ŷ: half of the digits of r cancel |
| zeros | one of X_i, W_k is zero, of either sign |
| ordinary | none of these |

They overlap; `classify` takes the first in this order. P, N and z are evaluated in float64 in a fixed
order from the four basic operations, and so is ŷ (`crosscheck.inputs.sigma`): a border case may fall on
either side of a threshold, but on the same side everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crosscheck.inputs import generators, labels
from crosscheck.inputs.generators import MakeXW
from crosscheck.inputs.labels import MakeY
from crosscheck.inputs.random_bits import RandomBits, as_numbers, stacked
from crosscheck.inputs.sigma import sigma
from crosscheck.inputs.thresholds import half_digits, huge_exponent, saturation
from reference.formats import Format
from reference.types import Array, Bool, Float64, Problem


class ElementSums:
    """P, N, z and finiteness of every element of ŷ of a stack, each ``[*stack, m, p]``."""

    def __init__(self, X: Array, y: Array, W: Array, format: Format) -> None:
        self.format = format
        with np.errstate(invalid="ignore"):  # a signalling NaN warns
            self.X, self.y, self.W = (array.astype(np.float64) for array in (X, y, W))
        self.h = half_digits(format)

    @cached_property
    def sums(self) -> tuple[Float64, Float64]:
        """P and N, summed in the order of the index of the products."""
        positive = np.zeros((*self.X.shape[:-1], self.W.shape[-1]))
        negative, product, part = (np.zeros_like(positive) for _ in range(3))
        with np.errstate(all="ignore"):  # inf and NaN are valid results here
            if self.X.shape[-1] > positive.size:  # the same in one step, which few long sums need
                products = self.X[..., None] * self.W[..., None, :, :]
                total = np.add.accumulate([np.maximum(products, 0.0), -np.minimum(products, 0.0)], axis=-2)
                positive, negative = total[..., -1, :]
                return positive, negative
            for j in range(self.X.shape[-1]):
                np.multiply(self.X[..., j, None], self.W[..., j, None, :], out=product)
                positive += np.maximum(product, 0.0, out=part)
                negative -= np.minimum(product, 0.0, out=part)
        return positive, negative

    @cached_property
    def z(self) -> Float64:
        """P − N."""
        positive, negative = self.sums
        with np.errstate(invalid="ignore"):  # inf − inf is NaN; the regime overflow comes first
            return positive - negative

    @cached_property
    def finite(self) -> Bool:
        """A mask of the elements that depend on finite numbers only."""
        return ~self.any_operand(lambda array: ~np.isfinite(array)) & np.isfinite(self.y)

    def any_operand(self, holds: Callable[[Float64], Bool]) -> Bool:
        """Return the mask of the elements for which a condition holds for a number of X_i or W_k."""
        in_row = np.asarray(holds(self.X).any(axis=-1, keepdims=True))
        return np.asarray(in_row | holds(self.W).any(axis=-2, keepdims=True))


def _is_subnormal(array: Float64, format: Format) -> Bool:
    return np.asarray((array != 0) & (np.abs(array) < format.least_normal))


def _non_finite(elements: ElementSums) -> Bool:
    return ~elements.finite


def _overflow(elements: ElementSums) -> Bool:
    positive, negative = elements.sums
    return elements.finite & (np.maximum(positive, negative) >= elements.format.largest)


def _subnormal(elements: ElementSums) -> Bool:
    operand = elements.any_operand(lambda array: _is_subnormal(array, elements.format))
    return operand | _is_subnormal(elements.y, elements.format)


def _huge_label(elements: ElementSums) -> Bool:
    return np.isfinite(elements.y) & (np.abs(elements.y) >= math.ldexp(1.0, huge_exponent(elements.format)))


def _cancelling(elements: ElementSums) -> Bool:
    positive, negative = elements.sums
    half = positive / 2 + negative / 2  # of T, which may pass Ω where P and N do not
    weighty = elements.finite & (half >= 0.5) & np.isfinite(half)
    return weighty & (np.abs(elements.z) <= math.ldexp(2.0, -elements.h) * half)


def _saturated_high(elements: ElementSums) -> Bool:
    return elements.finite & (elements.z >= saturation(elements.format))


def _saturated_low(elements: ElementSums) -> Bool:
    return elements.finite & (elements.z <= -saturation(elements.format))


def _near_label(elements: ElementSums) -> Bool:
    y_hat = sigma(elements.z)
    return elements.finite & (np.abs(y_hat - elements.y) <= math.ldexp(1.0, -elements.h) * y_hat)


def _zeros(elements: ElementSums) -> Bool:
    return elements.any_operand(lambda array: array == 0)


def _ordinary(elements: ElementSums) -> Bool:
    others = [regime.holds(elements) for regime in REGIMES.values() if regime.name != "ordinary"]
    return ~np.logical_or.reduce(others)


@dataclass(frozen=True)
class Regime:
    """A regime: its definition, and the way to make problems of it.

    Attributes:
        name: the name in the text of a case.
        heading: the name in lines of at most eight characters, for narrow columns.
        meaning: one line for reports.
        holds: the definition, a function of `ElementSums`.
        make_XW: makes the bit patterns of X and W.
        make_y: makes the bit patterns of y.
        least_n: the least number of inputs n that the regime needs.
    """

    name: str
    heading: str
    meaning: str
    holds: Callable[[ElementSums], Bool]
    make_XW: MakeXW
    make_y: MakeY = labels.plain
    least_n: int = 1

    def contains(self, X: Array, y: Array, W: Array, format: Format) -> Bool:
        """Return the mask of the elements of ŷ that lie in the regime, ``[*stack, m, p]``."""
        return self.holds(ElementSums(X, y, W, format))

    def unsupported(self, shape: tuple[int, ...], format: Format) -> str | None:
        """Say why problems of this shape ``(*stack, m, n, p)`` cannot lie in the regime; None if they can."""
        del format  # every format has every regime
        n = shape[-2]
        return None if n >= self.least_n else f"it needs at least {self.least_n} inputs (n), not {n}"

    def generate(self, bits: RandomBits, shape: tuple[int, ...], format: Format) -> Problem:
        """Make a stack of problems from random bits; most elements of ŷ lie in the regime."""
        x, w = self.make_XW(bits, format)
        X, W = as_numbers(x, format), as_numbers(w, format)
        y = as_numbers(self.make_y(bits, X, W, format), format)
        return Problem(*(stacked(array, shape[:-3]) for array in (X, y, W)))


_ALL: Final = (
    Regime("ordinary", "ordi-\nnary", "none of the others", _ordinary, generators.ordinary),
    Regime(
        "non_finite",
        "non-\nfinite",
        "an input, weight or label is inf or NaN",
        _non_finite,
        generators.non_finite,
        labels.non_finite,
    ),
    Regime("overflow", "over-\nflow", "sums of X·W pass the largest number", _overflow, generators.overflow),
    Regime(
        "subnormal",
        "sub-\nnormal",
        "an input, weight or label is subnormal",
        _subnormal,
        generators.subnormal,
        labels.subnormal,
    ),
    Regime(
        "huge_label",
        "huge\nlabel",
        "ŷ vanishes in ŷ − y, or its square overflows",
        _huge_label,
        generators.ordinary,
        labels.huge,
    ),
    Regime(
        "cancelling",
        "can-\ncelling",
        "half of the digits of X·W cancel",
        _cancelling,
        generators.cancelling,
        least_n=2,
    ),
    Regime(
        "saturated_high",
        "satur.\nhigh",
        "1 − ŷ loses half of its digits",
        _saturated_high,
        generators.saturated_high,
    ),
    Regime(
        "saturated_low", "satur.\nlow", "ŷ is tiny or underflows", _saturated_low, generators.saturated_low
    ),
    Regime(
        "near_label",
        "near\nlabel",
        "half of the digits of ŷ − y cancel",
        _near_label,
        generators.ordinary,
        labels.near,
    ),
    Regime("zeros", "zeros", "an input or weight is zero", _zeros, generators.zeros, labels.zero),
)

# All regimes in order of priority, except that `ordinary`, which holds if no other does, comes first.
REGIMES: Final = {regime.name: regime for regime in _ALL}


def classify(X: Array, y: Array, W: Array, format: Format) -> NDArray[np.int8]:
    """Find the regime of each element of ŷ, ``[*stack, m, p]``, as its index in `REGIMES`.

    If several regimes hold, the first in the order of the table above counts.
    """
    elements = ElementSums(X, y, W, format)
    holds = [regime.holds(elements) for regime in _ALL[1:]]
    places = np.argmax([np.zeros_like(holds[0]), *holds], axis=0)
    return np.asarray(places, dtype=np.int8)


def regime_counts(problem: Problem, format: Format) -> dict[str, int]:
    """Count the elements of ŷ in each regime according to `classify`; regimes without elements have 0."""
    found = np.bincount(classify(*problem, format).ravel(), minlength=len(REGIMES))
    return dict(zip(REGIMES, found.tolist(), strict=True))
