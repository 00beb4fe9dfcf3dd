"""The exact values of worst cases: one problem of a case is made again from its text, without any framework.

A ledger may come from anywhere, and its texts may be anything; a case that cannot be made stays a text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from crosscheck.explain.element import Element
from crosscheck.inputs import parse, take
from crosscheck.judging.accuracy import RESOLUTION
from crosscheck.judging.judge import OUTPUTS, Judge
from crosscheck.summary import Worst
from crosscheck.text import format_hex, format_number, format_set
from reference import oracle
from reference.arithmetic import default_arithmetic
from reference.formats import Format
from reference.network import matmul
from reference.types import Float64, Problem
from reference.ulp import error_in_ulp, nearest, ulp

# The most elements whose exact values a page has: they take some ten seconds. A comparison has 700 or fewer.
MOST_ELEMENTS: Final = 2000
# The most products m·n·p that a case may have to be made again, in the whole stack and in one problem.
MOST_PRODUCTS, MOST_OF_ONE = 2**22, 2**16
# The relative accuracy of an error in ulp (`reference.ulp.error_in_ulp`), as recorded and as computed here.
FIGURE: Final = 2.0**-49


class Place(NamedTuple):
    """One element of one output of a case.

    Attributes:
        case: the text of the case.
        output: the name of the output.
        numbers: the index of the problem in the flat stack, then the indices of the element in the output.
    """

    case: str
    output: str
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, worst: Worst, output: str) -> Place:
        """Return the place of a worst value."""
        return cls(worst.case, output, worst.place)


@dataclass(frozen=True)
class ElementTruth:
    """The facts about an element that do not depend on any adapter.

    Attributes:
        format: the format of the case.
        exact: the exact value as hi + lo; NaN where there is none.
        want: the exact value as text.
        admissible: the admissible set, as text, for an implementation that claims only the reference's κ.
        ends: the least and the largest value that the mathematics allows.
        z: the z of each ŷ that the element depends on, in float64.
    """

    format: Format
    exact: tuple[float, float]
    want: str
    admissible: str
    ends: tuple[float, float]
    z: tuple[float, ...]


def truths_of(places: Iterable[Place]) -> dict[Place, ElementTruth | None]:
    """Compute the facts about the first `MOST_ELEMENTS` places; None where the case cannot be made."""
    chosen = list(dict.fromkeys(places))[:MOST_ELEMENTS]
    return {place: _truth(place) for place in sorted(chosen)}


def _truth(place: Place) -> ElementTruth | None:
    """Compute the facts about one element; None if its case cannot be made or has no such element."""
    try:
        case = parse(place.case)
        if math.prod(case.shape) > MOST_PRODUCTS or math.prod(case.shape[-3:]) > MOST_OF_ONE:
            return None
        if place.output not in OUTPUTS:
            return None
        one = take(_problem(place.case), place.numbers[0]).problem()
        return _of_element(Element(Judge(one), place.output, place.numbers[1:]), one)
    except (ValueError, IndexError, ArithmeticError):  # an invalid case, or no such element
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
    """Compute z = X·W in float64."""
    with np.errstate(all="ignore"):
        return matmul(one.X.astype(np.float64), one.W.astype(np.float64))


def got(truth: ElementTruth, error: float, *, admissible: bool) -> str:
    """Infer the result that an adapter returned: the numbers of the format that have this error, as text.

    Args:
        truth: the facts about the element.
        error: the error, in ulp of the exact value.
        admissible: whether the result is known to lie in its admissible set.

    Returns:
        The numbers, joined by "or"; an empty text if there are none or too many.
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
    for slack in (0.0, RESOLUTION + error * FIGURE):  # of the oracle, then of cheaper precisions
        fits = [value for value, distance in zip(candidates, off, strict=True) if distance <= slack]
        if fits:
            break
    return " or ".join(format_number(value, truth.format) for value in fits) if len(fits) <= len(near) else ""


def z_of(truth: ElementTruth) -> str:
    """Return the z of an element, or their range if it depends on several, as text."""
    least, most = min(truth.z), max(truth.z)
    return f"{least:.6g}" if least == most or len(truth.z) == 1 else f"from {least:.6g} to {most:.6g}"


Truths = Mapping[Place, ElementTruth | None]
