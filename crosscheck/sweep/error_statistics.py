"""Error statistics of millions of float32 numbers, measured from the float64 reference.

For X = n = m = p = 1 and y = 0 the product is exact. The reference's own error is allowed for. With
u = 2^-53 and κ = 4 for the reference's logistic

    ŷ = p:  κu        L = ½p·p:  (2κ + 2)u        ∂L/∂W = p·p·q:  (3κ + 4)u

bound its relative error to first order; 2^-12 of room covers the rest. In ulp of float32, of which the exact
value has less than 2^24, the largest is 16·2^-53·2^24 = 2^-25.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crosscheck.comparison.summarise import LEAST, MOST, equal_bits
from crosscheck.judging.judge import Judge
from crosscheck.summary import CASES, Summary, Worst, hash_of
from crosscheck.sweep.result_groups import digest_of
from reference.arithmetic import Arithmetic
from reference.formats import Format
from reference.types import Array, Bool, Float64
from reference.units import KAPPA_REFERENCE, ROOM, U_REFERENCE, Units

# The relative error of the reference, in units of u, for the output where it is largest.
ROUNDINGS: Final = 3 * KAPPA_REFERENCE + 4
EXPONENT, BIAS = 52, 1023  # of float64
LocatedError = tuple[float, str, tuple[int, ...]]  # an error, its case and its place


class ReferenceValues:
    """The reference's values of one output, which stand for the exact ones.

    Attributes:
        value: the reference's values, float64.
        inverse: 1 / the ulp of each value in the format, a power of two.
        nearest: the values rounded to the format.
        bound: a bound of the reference's own error, in ulp.
    """

    def __init__(self, value: Float64, format: Format) -> None:
        self.value = value
        binade = (value.view(np.int64) & (2047 << EXPONENT)).view(np.float64)
        with np.errstate(all="ignore"):
            self.inverse = 1 / np.maximum(binade * 2.0 ** (1 - format.precision), format.least_subnormal)
            self.nearest = value.astype(format.dtype)
        self.bound = ROUNDINGS * U_REFERENCE * ROOM * 2.0**format.precision


def well_conditioned(
    judge: Judge, claims: Arithmetic, exact: Mapping[str, ReferenceValues]
) -> dict[str, Bool]:
    """Find the well-conditioned elements (`reference.admissible`) from the filter's radius.

    For m = n = p = 1, X = 1 and y = 0 the full radius exceeds the filter's by second-order terms, which a
    factor 1 + 2^-10 covers, and by the terms of underflow: φ for ŷ, 2φŷ + 12h for L, 4φŷ + 16h for ∂L/∂W, and
    12h more in forward mode. Some elements at the limit are left out.
    """
    units = Units.of(judge.format, claims)
    radii, _ = judge.radii(units)
    roundings, found = units.roundings((1, 1, 1)), dict[str, Bool]()
    with np.errstate(all="ignore"):
        loss = np.asarray(2 * units.phi * judge.reference.p[:, 0, 0] + 12 * units.h)
        underflow = {
            "y_hat": units.phi,
            "loss": loss,
            "row_loss": loss[:, None],
            "grad": 4 * units.phi * judge.reference.p + (28 if claims.forward else 16) * units.h,
        }
        for name, one in exact.items():
            radius = getattr(radii, name) * (1 + 2.0**-10) + underflow[name]
            found[name] = radius * one.inverse <= roundings[name]
    return found


@dataclass
class ErrorStatistics:
    """Counts, errors and worst values of one cell.

    Attributes:
        counts: the counts, by name of a field of `Summary`.
        exponents: the number of errors with each biased exponent of float64.
        well_conditioned_exponents: the same for well-conditioned elements only.
        error, well_conditioned_error: the worst error of each kind, as value, case and place, without regime.
    """

    counts: Counter[str] = field(default_factory=Counter)
    exponents: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2048, np.int64))
    well_conditioned_exponents: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2048, np.int64))
    error: LocatedError | None = None
    well_conditioned_error: LocatedError | None = None

    def add(
        self, got: Array, exact: ReferenceValues, case: str, start: int, is_well_conditioned: Bool
    ) -> None:
        """Add a block of results to the statistics.

        Args:
            got: the results, in the format.
            exact: the reference's values of the same elements.
            case: the text of the case.
            start: the place of the block's first problem in the case.
            is_well_conditioned: a mask of the well-conditioned elements.
        """
        with np.errstate(all="ignore"):
            error = np.subtract(got, exact.value)
            np.abs(error, out=error)
            error *= exact.inverse
        found = _exponents(error)
        self.exponents += found
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
        counts["ties"] += int(np.count_nonzero(error >= 0.5 - exact.bound))
        counts["ties"] -= int(np.count_nonzero(error > 0.5 + exact.bound))
        counts["cases"] += hash_of(text)
        counts["bits"] += hash_of(text, digest)
        if some_nan:
            counts["undefined"] += int(np.count_nonzero(np.isnan(error)))
            worst = float(np.nanmax(error, initial=-1.0))
            at = int(np.argmax(error == worst))
        self.error = _worse(self.error, (worst, case, (start + at, *(0,) * (got.ndim - 1))))
        if is_well_conditioned.any():
            self._add_well_conditioned(error, found, case, start, is_well_conditioned)

    def _add_well_conditioned(
        self, error: Float64, found: NDArray[np.int64], case: str, start: int, is_well_conditioned: Bool
    ) -> None:
        """Add the errors of well-conditioned elements; in most blocks these are all elements or none."""
        self.counts["well_conditioned"] += int(np.count_nonzero(is_well_conditioned))
        self.well_conditioned_exponents += (
            found if is_well_conditioned.all() else _exponents(error[is_well_conditioned])
        )
        some = np.where(is_well_conditioned & ~np.isnan(error), error, -1.0)
        at = int(np.argmax(some))
        seen = float(some.flat[at]), case, (start + at, *(0,) * (error.ndim - 1))
        self.well_conditioned_error = _worse(self.well_conditioned_error, seen)

    def summary(self, regime: str) -> Summary:
        """Return the summary of the cell, in which every number counts as one with a known exact value."""
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
            well_conditioned=counts["well_conditioned"],
            error=None if self.error is None else Worst(*self.error, regime),
            well_conditioned_error=None
            if self.well_conditioned_error is None
            else Worst(*self.well_conditioned_error, regime),
            errors=_histogram(self.exponents, counts["undefined"]),
            well_conditioned_errors=_histogram(self.well_conditioned_exponents, 0),
        )


def _exponents(error: Float64) -> NDArray[np.int64]:
    """Count the errors with each biased exponent, from 0 to 2047."""
    return np.bincount(error.view(np.int64).ravel() >> EXPONENT, minlength=2048)


def _worse(old: LocatedError | None, new: LocatedError) -> LocatedError | None:
    """Return the larger error, or the old one if both are equal; a negative new error stands for no error."""
    return new if new[0] >= 0 and (old is None or new[0] > old[0]) else old


def _histogram(exponents: NDArray[np.int64], undefined: int) -> dict[str, int]:
    """Return the histogram in the form of `crosscheck.comparison.summarise.histogram`."""
    found: Counter[str] = Counter()
    for place in np.flatnonzero(exponents[1:-1]).tolist():
        found[str(min(max(place + 1 - BIAS, LEAST), MOST))] += int(exponents[place + 1])
    found["zero"] = int(exponents[0])
    found["inf"] = int(exponents[-1]) - undefined
    return {name: count for name, count in found.items() if count}
