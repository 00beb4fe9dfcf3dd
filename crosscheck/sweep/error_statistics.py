"""Error statistics of millions of float32 numbers, measured from the float64 reference.

For X = 1, m = n = p = 1 and y = 0 the product is exact. The reference's own error is allowed for. With
ŷ = p, q = 1 − ŷ, u = 2^-53, and κ = 4 for the reference's logistic

    ŷ:  κu        L = ½p·p:  (2κ + 2)u        ∂L/∂W = p·p·q:  (3κ + 4)u

bound its relative error to first order; 2^-12 of room covers the rest. In ulp of float32, of which the exact
value has less than 2^24, the largest is 16·2^-53·2^24 = 2^-25.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from crosscheck.judging.judge import Judge
from crosscheck.results.measure import LEAST, MOST, described, equal_bits
from crosscheck.results.summary import CASES, Number, Summary, Worst, hash_of
from crosscheck.sweep.result_groups import digest_of
from reference.arithmetic import Arithmetic
from reference.formats import Format
from reference.types import Array, Bool, Float64, Problem
from reference.units import KAPPA_REFERENCE, ROOM, U_REFERENCE, Units

# The relative error of the reference, in units of u, for the output where it is largest.
ROUNDINGS: Final = 3 * KAPPA_REFERENCE + 4
EXPONENT, BIAS = 52, 1023  # of float64


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
    factor 1 + 2^-10 covers, and by the terms of underflow (φ and h of `reference.units`): φ for ŷ, 2φŷ + 12h
    for L, 4φŷ + 16h for ∂L/∂W, and 12h more in forward mode. Some elements at the limit are left out.
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


class Part(NamedTuple):
    """A part of a case's results for one output of one adapter.

    Attributes:
        judge: the judge of the part.
        claims: the claims of the adapter.
        output: the name of the output.
        case: the text of the whole case.
        start: the place of the part's first problem in the case.
        regime: the regime of the part.
    """

    judge: Judge
    claims: Arithmetic
    output: str
    case: str
    start: int
    regime: str

    def worst(self, value: float, at: int, got: Array, exact: Float64) -> Worst:
        """Describe the worst value, which is that of the problem number ``at`` of the part."""
        inner = (0,) * (got.ndim - 1)
        alone = Judge(Problem(*(array[at : at + 1] for array in self.judge.problem)))
        found = Worst(Number(value), self.case, (0, *inner), self.regime)
        values = got.flat[at], exact.flat[at], 0.0
        found = described(found, alone, self.claims, self.output, values)
        return replace(found, place=(self.start + at, *inner))


@dataclass
class ErrorStatistics:
    """Counts, errors and worst values of one cell.

    Attributes:
        counts: the counts, by name of a field of `Summary`.
        exponents: the number of errors with each biased exponent of float64.
        well_conditioned_exponents: the same for well-conditioned elements only.
        error, well_conditioned_error: the worst error of each kind.
    """

    counts: Counter[str] = field(default_factory=Counter)
    exponents: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2048, np.int64))
    well_conditioned_exponents: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2048, np.int64))
    error: Worst | None = None
    well_conditioned_error: Worst | None = None

    def add(self, got: Array, exact: ReferenceValues, part: Part, is_well_conditioned: Bool) -> None:
        """Add a block of results to the statistics.

        Args:
            got: the results, in the format.
            exact: the reference's values of the same elements.
            part: the block.
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
        text = f"{part.case} {part.start} {got.shape[0]}".encode()
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
        if _is_worse(worst, self.error):
            self.error = part.worst(worst, at, got, exact.value)
        if is_well_conditioned.any():
            narrow, at = self._add_well_conditioned(error, found, is_well_conditioned)
            if _is_worse(narrow, self.well_conditioned_error):
                self.well_conditioned_error = part.worst(narrow, at, got, exact.value)

    def _add_well_conditioned(
        self, error: Float64, found: NDArray[np.int64], is_well_conditioned: Bool
    ) -> tuple[float, int]:
        """Add the errors of the well-conditioned elements; return the worst of them and its place."""
        self.counts["well_conditioned"] += int(np.count_nonzero(is_well_conditioned))
        self.well_conditioned_exponents += (
            found if is_well_conditioned.all() else _exponents(error[is_well_conditioned])
        )
        some = np.where(is_well_conditioned & ~np.isnan(error), error, -1.0)
        at = int(np.argmax(some))
        return float(some.flat[at]), at

    def summary(self) -> Summary:
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
            error=self.error,
            well_conditioned_error=self.well_conditioned_error,
            errors=_histogram(self.exponents, counts["undefined"]),
            well_conditioned_errors=_histogram(self.well_conditioned_exponents, 0),
        )


def _exponents(error: Float64) -> NDArray[np.int64]:
    """Count the errors with each biased exponent, from 0 to 2047."""
    return np.bincount(error.view(np.int64).ravel() >> EXPONENT, minlength=2048)


def _is_worse(error: float, old: Worst | None) -> bool:
    """Whether an error is larger than the worst so far; a negative one stands for no error."""
    return error >= 0 and (old is None or error > old.value)


def _histogram(exponents: NDArray[np.int64], undefined: int) -> dict[str, int]:
    """Return the histogram in the form of `crosscheck.results.measure.histogram`."""
    found: Counter[str] = Counter()
    for place in np.flatnonzero(exponents[1:-1]).tolist():
        found[str(min(max(place + 1 - BIAS, LEAST), MOST))] += int(exponents[place + 1])
    found["zero"] = int(exponents[0])
    found["inf"] = int(exponents[-1]) - undefined
    return {name: count for name, count in found.items() if count}
