"""After an overflow that may cancel, ŷ is near 0, ½ or 1; other outputs have the gaps of the nine pairs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import TypeVar

import numpy as np
import pytest
from admissible_sets import CLAIMS, arithmetic
from documented_radii import OF_FLOAT64, WIDER, Constants, Radii

from reference import bounds
from reference.formats import FORMATS, Format
from reference.types import Float64, Problem

DTYPES = {"float64": 512, "float32": 64, "bfloat16": 64}  # half of the exponent that overflows
LABEL = 0.375
NAMES = ("y_hat", "dL_dyhat", "dyhat_dz", "delta", "loss", "row_loss", "grad")
Ends = list[tuple[Fraction, Fraction]]
T = TypeVar("T")
RELATIVE = 44 * OF_FLOAT64  # (k + 40)·2^-53 for sums of k = 4 terms


def cancelling(format: Format) -> Problem:
    """Four products of the size 2^1024 or 2^128, two of each sign."""
    size = 2.0 ** DTYPES[format.name]
    X = np.array([[size, size, -size, -size]], format.dtype)
    return Problem(X, np.full((1, 1), LABEL, format.dtype), np.full((4, 1), size, format.dtype))


def centers(of_r: float, of_slope: float) -> tuple[Float64, Float64, Float64, Float64, Float64]:
    """z, ŷ, 1 − ŷ, r and Δ, where r is that of one ŷ, and ŷ·(1 − ŷ) that of another."""
    r = of_r - LABEL
    numbers = (0.0, of_slope, 1 - of_slope, r, r * of_slope * (1 - of_slope))
    z, p, q, r_, delta = (np.full((1, 1), number) for number in numbers)
    return z, p, q, r_, delta


def middle(name: str, of_r: float, of_slope: float, x: float) -> Fraction:
    """The center of an output; all these products are exact."""
    r, slope = of_r - LABEL, of_slope * (1 - of_slope)
    known = {"y_hat": of_slope, "dL_dyhat": r, "dyhat_dz": slope, "delta": r * slope, "grad": x * r * slope}
    return Fraction(known.get(name, 0.5 * r * r))


def nine(given: Problem, constants: Constants) -> dict[str, Ends]:
    """The intervals of each output, united."""
    s = WIDER * Fraction(constants.format.u)
    moved = [[s]], [[s + constants.kappa_u + constants.phi]]
    wide = Problem(*(a.astype(np.float64) for a in given))
    ends: dict[str, Ends] = {name: [] for name in NAMES}
    for of_r, of_slope in itertools.product((0.0, 0.5, 1.0), repeat=2):
        found = Radii(wide, centers(of_r, of_slope), constants).found(moved)
        for name in NAMES:
            center, radius = middle(name, of_r, of_slope, float(wide.X[0, 0])), found[name][0][0]
            ends[name].append((center - radius, center + radius))
    return {name: united(each) for name, each in ends.items()}


def united(ends: Ends) -> Ends:
    """The same set in disjoint intervals, ascending."""
    found: Ends = []
    for low, high in sorted(ends):
        if found and low <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return found


def gaps(ends: Iterable[tuple[T, T]]) -> list[tuple[T, T]]:
    """What lies between intervals that follow each other."""
    return [(before[1], after[0]) for before, after in itertools.pairwise(ends)]


@pytest.mark.parametrize("claim", [name for name, claims in CLAIMS.items() if "u_in" not in claims])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gaps_of_the_sets_are_those_between_the_nine_pairs_of_values(dtype: str, claim: str) -> None:
    format, claims = FORMATS[dtype], arithmetic(dtype, **CLAIMS[claim])
    given = cancelling(format)
    found = bounds.admissible(given, format, claims)
    for name, intervals in nine(given, Constants(format, claims)).items():
        assert found[name].judged.all(), name
        got = gaps(found[name].mapped(lambda a: a.ravel()[0]).intervals())
        wanted = gaps(intervals)
        assert len(got) == len(wanted) > 0, name
        # a gap's end is a center and a radius, each with a few roundings, and their sum
        size = max(abs(end) for pair in intervals for end in pair)
        for end, want in zip(itertools.chain(*got), itertools.chain(*wanted), strict=True):
            assert abs(Fraction(end) - want) <= RELATIVE * size, (name, end, float(want))
