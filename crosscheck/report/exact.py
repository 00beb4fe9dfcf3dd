"""What a worst case is about: made again from its text, one problem of it, without any framework.

A ledger may come from anywhere, and its texts may be anything: what cannot be made again stays a text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from crosscheck.accuracy import RESOLUTION
from crosscheck.cases import parse, take
from crosscheck.explain.element import Element
from crosscheck.formatting import format_hex, format_number, format_set
from crosscheck.judge import OUTPUTS, Judge
from crosscheck.summary import Worst
from reference import oracle
from reference.arithmetic import default_arithmetic
from reference.formats import Format
from reference.network import matmul
from reference.types import Float64, Problem
from reference.ulp import error_in_ulp, nearest, ulp

# A page shows what a reader waits for: so many elements take some ten seconds; a comparison has 700 or fewer.
MOST_ELEMENTS: Final = 2000
# The products of the largest case that is made again, and of the largest problem of it.
MOST_PRODUCTS, MOST_OF_ONE = 2**22, 2**16
# How exactly a figure in ulp is computed, relatively (`reference.ulp.error_in_ulp`), there and here.
FIGURE: Final = 2.0**-49


class Place(NamedTuple):
    """One element of one output of a case.

    Attributes:
        case: its text.
        output: its name.
        numbers: the problem's in the flat stack, then the element's own indices in the output.
    """

    case: str
    output: str
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, worst: Worst, output: str) -> Place:
        """Where a worst value was seen."""
        return cls(worst.case, output, worst.place)


@dataclass(frozen=True)
class ElementTruth:
    """What is true of an element.

    Attributes:
        format: of the case.
        exact: the exact value as hi + lo, NaN where there is none.
        want: the exact value for a reader.
        admissible: the set of an implementation that claims nothing beyond the reference's κ.
        ends: what the mathematics allows: the least and the largest value.
        z: of the ŷ that the element depends on, in float64.
    """

    format: Format
    exact: tuple[float, float]
    want: str
    admissible: str
    ends: tuple[float, float]
    z: tuple[float, ...]


def truths_of(places: Iterable[Place]) -> dict[Place, ElementTruth | None]:
    """What is true at the first `MOST_ELEMENTS` places, case by case; None where the case cannot be made."""
    chosen = list(dict.fromkeys(places))[:MOST_ELEMENTS]
    return {place: _truth(place) for place in sorted(chosen)}


def _truth(place: Place) -> ElementTruth | None:
    """What is true of one element; None if its case cannot be made or has no such element."""
    try:
        case = parse(place.case)
        if math.prod(case.shape) > MOST_PRODUCTS or math.prod(case.shape[-3:]) > MOST_OF_ONE:
            return None
        if place.output not in OUTPUTS:
            return None
        one = take(_problem(place.case), place.numbers[0]).problem()
        return _of_element(Element(Judge(one), place.output, place.numbers[1:]), one)
    except (ValueError, IndexError, ArithmeticError):  # no case, or no such element
        return None


@lru_cache(maxsize=1)
def _problem(case: str) -> Problem:
    return parse(case).problem()


def _of_element(element: Element, one: Problem) -> ElementTruth:
    one_set = element.set_of(default_arithmetic(element.format))
    return ElementTruth(
        element.format,
        element.exact,
        _want(element),
        format_set(one_set, element.format),
        (one_set.low, one_set.high),
        tuple(float(z) for z in np.ravel(_z(one)[element.sources])),
    )


def _want(element: Element) -> str:
    if math.isnan(element.exact[0]):
        return "none: the input is not finite"
    rounded = format_hex(float.fromhex(oracle.hexadecimal(element.ball, element.format)))
    return f"{oracle.decimal(element.ball)}; the nearest {element.format.name} is {rounded}"


def _z(one: Problem) -> Float64:
    """z = X·W in float64."""
    with np.errstate(all="ignore"):
        return matmul(one.X.astype(np.float64), one.W.astype(np.float64))


def got(truth: ElementTruth, error: float, *, admissible: bool) -> str:
    """What was returned there, as far as its error tells: the numbers of the format that are so far off.

    Args:
        truth: of the element.
        error: in ulp of the exact value.
        admissible: whether what was returned is known to lie in its set.
    """
    hi, lo = truth.exact
    if not math.isfinite(hi) or not math.isfinite(error):
        return ""
    unit = float(ulp(hi, truth.format, lo))
    with np.errstate(all="ignore"):
        near = [nearest(hi + lo + side * error * unit, 0.0, truth.format) for side in (-1, 1)]
        tried = [value + step * ulp(value, truth.format) for value in near for step in (0, -1, 1)]
        candidates = sorted({float(value) for value in tried if np.isfinite(value)})
    low, high = truth.ends if admissible else (-math.inf, math.inf)
    candidates = [value for value in candidates if low <= value <= high]
    off = [abs(float(error_in_ulp(np.array(value), hi, lo, truth.format)) - error) for value in candidates]
    for slack in (0.0, RESOLUTION + error * FIGURE):  # as of the oracle, or of a cheaper precision
        fits = [value for value, distance in zip(candidates, off, strict=True) if distance <= slack]
        if fits:
            break
    return " or ".join(format_number(value, truth.format) for value in fits) if len(fits) <= len(near) else ""


def z_of(truth: ElementTruth) -> str:
    """The z of an element for a reader."""
    least, most = min(truth.z), max(truth.z)
    return f"{least:.6g}" if least == most or len(truth.z) == 1 else f"from {least:.6g} to {most:.6g}"


Truths = Mapping[Place, ElementTruth | None]
