"""Errors of millions of float32 numbers from the float64 reference, with its own error accounted for.

For X = n = m = p = 1 and y = 0 the product is exact. With u = 2^-53 and κ = 4 for the reference's logistic

    ŷ = p:  κu        L = ½p·p:  (2κ + 2)u        ∂L/∂W = p·p·q:  (3κ + 4)u

bound its relative error to first order; 2^-12 of room covers the rest. In ulp of float32, of which the exact
value has less than 2^24, the largest is 16·2^-53·2^24 = 2^-25.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crosscheck.comparison.summarise import LEAST, MOST, equal_bits
from crosscheck.summary import CASES, Summary, Worst, mark_of
from crosscheck.sweep.alike import digest_of
from reference.formats import Format
from reference.types import Array, Float64
from reference.units import KAPPA_REFERENCE, ROOM, U_REFERENCE

# The reference's error in u, of the output that has most of it.
ROUNDINGS: Final = 3 * KAPPA_REFERENCE + 4
EXPONENT, BIAS = 52, 1023  # of float64


class Exact:
    """The reference's value of one output, as the exact one.

    Attributes:
        value: float64.
        inverse: 1 / the value's ulp in the format, a power of two.
        nearest: in the format.
        own: how far the reference may be off, in ulp.
    """

    def __init__(self, value: Float64, format: Format) -> None:
        self.value = value
        binade = (value.view(np.int64) & (2047 << EXPONENT)).view(np.float64)
        with np.errstate(all="ignore"):
            self.inverse = 1 / np.maximum(binade * 2.0 ** (1 - format.precision), format.least_subnormal)
            self.nearest = value.astype(format.dtype)
        self.own = ROUNDINGS * U_REFERENCE * ROOM * 2.0**format.precision


@dataclass
class Tally:
    """What is counted of one cell.

    Attributes:
        counts: by field of a summary.
        exponents: how many errors have which biased exponent, as float64 has it.
        error: the worst, without its regime: value, case and place.
    """

    counts: Counter[str] = field(default_factory=Counter)
    exponents: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2048, np.int64))
    error: tuple[float, str, tuple[int, ...]] | None = None

    def hear(self, got: Array, exact: Exact, case: str, start: int) -> None:
        """Count a block of results.

        Args:
            got: in the format.
            exact: beside them.
            case: that they are of.
            start: their first problem's place in it.
        """
        with np.errstate(all="ignore"):
            error = np.subtract(got, exact.value)
            np.abs(error, out=error)
            error *= exact.inverse
        self.exponents += np.bincount(error.view(np.int64).ravel() >> EXPONENT, minlength=2048)
        at = int(np.argmax(error))
        worst = float(error.flat[at])
        some_nan = bool(np.isnan(worst))
        counts, digest = self.counts, digest_of(got, some_nan=some_nan)
        text = f"{case} {start} {got.shape[0]}".encode()
        counts["problems"] += len(got)
        counts["equal"] += equal_bits(got, exact.nearest, some_nan=some_nan)
        lost = got == 0
        if lost.any():
            counts["lost_to_zero"] += int(np.count_nonzero(lost & (exact.nearest != 0)))
        counts["ties"] += int(np.count_nonzero(error >= 0.5 - exact.own))
        counts["ties"] -= int(np.count_nonzero(error > 0.5 + exact.own))
        counts["cases"] += mark_of(text)
        counts["bits"] += mark_of(text, digest)
        if some_nan:
            counts["undefined"] += int(np.count_nonzero(np.isnan(error)))
            worst = float(np.nanmax(error, initial=-1.0))
            at = int(np.argmax(error == worst))
        if worst >= 0 and (self.error is None or worst > self.error[0]):
            self.error = worst, case, (start + at, *(0,) * (got.ndim - 1))

    def summary(self, regime: str) -> Summary:
        """All of it; the exact value of every number is taken for known."""
        counts = self.counts
        return Summary(
            problems=counts["problems"],
            elements=counts["problems"],
            not_judged=counts["not_judged"],
            lost_to_zero=counts["lost_to_zero"],
            undefined=counts["undefined"],
            equal=counts["equal"],
            ties=counts["ties"],
            cases=counts["cases"] % CASES,
            bits=counts["bits"] % CASES,
            error=None if self.error is None else Worst(*self.error, regime),
            errors=self._histogram(),
        )

    def _histogram(self) -> dict[str, int]:
        """As `crosscheck.comparison.summarise.histogram` has it."""
        found: Counter[str] = Counter()
        for place in np.flatnonzero(self.exponents[1:-1]).tolist():
            found[str(min(max(place + 1 - BIAS, LEAST), MOST))] += int(self.exponents[place + 1])
        found["zero"] = int(self.exponents[0])
        found["inf"] = int(self.exponents[-1]) - self.counts["undefined"]
        return {name: count for name, count in found.items() if count}
