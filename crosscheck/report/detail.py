"""The details of each cell, as plain data that the page's script shows when the cell is opened.

Many adapters have the same worst cases, and many cells the same labels, so these are stored once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from crosscheck.comparison.summarise import LEAST, MOST
from crosscheck.comparison.table import WITHIN_BOUNDS, Row, error_of, median, share_of
from crosscheck.explain.element import EQUATIONS
from crosscheck.explain.message import replay
from crosscheck.ledger import Ledger
from crosscheck.report.cells import Cells, Key
from crosscheck.report.exact import ElementTruth, Place, Truths, got, z_of
from crosscheck.summary import TEXTS, Histogram, Summary, Worst
from crosscheck.text import format_element, format_hex

ADMISSIBLE: Final = (
    "The admissible interval is that of an implementation which claims nothing beyond the reference's κ; "
    "an adapter that claims less may have a wider one."
)
NO_CASE: Final = "The exact value is not shown: the case cannot be made from this text, or is too large."
NOT_MADE: Final = "The exact value is not shown: this page has too many worst cases to make them all again."
ENDS: Final = {"zero": -math.inf, "inf": math.inf}
COUNTS: Final = {
    "not_judged": "not judged",
    "not_run": "not run after a failure",
    "wrong_problems": "problems with something wrong",
    "elements": "elements",
    "wrong_elements": "elements outside their set",
    "known_elements": "of them known differences",
    "overflow": "infinite, though the exact value is not",
    "lost_to_zero": "lost to zero",
    "undefined": "not a number, or no exact value",
    "unknown": "exact value not asked for",
    "well_conditioned": "well-conditioned, with an exact value",
}


def places_of(cells: Cells) -> Iterator[Place]:
    """Yield the elements whose exact values the page shows; those of cells not within bounds come first."""
    for key in sorted(cells, key=lambda key: cells[key].verdict == WITHIN_BOUNDS):
        summary = cells[key].summary
        yield from (Place.of(worst, key.output) for worst in (summary.error, summary.share) if worst)


def data_of(ledger: Ledger, cells: Cells, truths: Truths) -> dict[str, Any]:
    """Make the page's data: an entry for each cell in order, and the places and labels that it points to."""
    selectors = {adapter.name: adapter.selector for adapter in ledger.header.adapters}
    places: dict[Place, int] = {}
    labels: dict[str, int] = {}

    def number_of(label: str) -> int:
        return labels.setdefault(label, len(labels))

    def pairs(found: Iterator[tuple[str, str]]) -> list[Any]:
        return [part for label, text in found for part in (number_of(label), text)]

    def seen(key: Key, row: Row, worst: Worst | None) -> list[Any] | None:
        if worst is None:
            return None
        where = Place.of(worst, key.output)
        truth = truths.get(where)
        again = replay(worst.case, selectors.get(key.adapter, key.adapter)) if truth else ""
        number = places.setdefault(where, len(places))
        return [pairs(_measured(row, worst, truth)), number, again]

    found = [
        {
            "of": key,
            "verdict": row.verdict,
            "counts": pairs(_counts(row)),
            "median": median(_valid_bins(row.summary.errors)),
            "errors": _bins(_valid_bins(row.summary.errors)),
            "shares": _bins(_valid_bins(row.summary.shares)),
            "error": seen(key, row, row.summary.error),
            "share": seen(key, row, row.summary.share),
            "said": sorted(text for name in TEXTS for text in getattr(row.summary, name)),
        }
        for key, row in cells.items()
    ]
    described = [
        [where.case, pairs(_true(where, truths.get(where))), number_of(_note(where, truths))]
        for where in places
    ]
    return {"cells": found, "places": described, "labels": list(labels), "equations": EQUATIONS}


def _counts(row: Row) -> Iterator[tuple[str, str]]:
    s: Summary = row.summary
    yield "problems", f"{s.problems:,}"
    yield "judged", f"{row.judged:,}"
    for name, label in COUNTS.items():
        if count := getattr(s, name):
            yield label, f"{count:,}"
    if s.well_conditioned_error is not None:
        yield "their worst error", f"{error_of(s.well_conditioned_error)} ulp"
    if s.elements:
        yield "with the bits of the reference", f"{math.floor(1000 * s.equal / s.elements) / 10:g} %"
    for name, count in sorted(s.known.items()):
        yield "known, by regime", f"{name}: {count:,}"


def _valid_bins(histogram: Histogram) -> Histogram:
    """Select the bins with valid names; in a ledger from elsewhere a name may be any text."""
    exponents = set(map(str, range(LEAST, MOST + 1)))
    return {name: count for name, count in histogram.items() if name in ENDS or name in exponents}


def _bins(histogram: Histogram) -> list[Any]:
    """List ⌊log₂⌋ and count of each bin alternately, in order, from ``-inf`` for zero to ``inf``."""
    found = sorted((ENDS[name] if name in ENDS else int(name), count) for name, count in histogram.items())
    return [part for at, count in found for part in (at if math.isfinite(at) else f"{at:g}", count)]


def _measured(row: Row, worst: Worst, truth: ElementTruth | None) -> Iterator[tuple[str, str]]:
    """Yield the values of this cell alone: the error or the share, and the result if it can be inferred."""
    if worst is row.summary.share:
        yield "of the bound", share_of(worst)
        yield "hexadecimal", format_hex(worst.value)
        return
    yield "error", f"{worst.value!r} ulp"
    yield "hexadecimal", format_hex(worst.value)
    if truth and (returned := got(truth, worst.value, admissible=not row.summary.wrong_elements)):
        yield "got", returned


def _true(where: Place, truth: ElementTruth | None) -> Iterator[tuple[str, str]]:
    """Yield the facts about an element that are the same for every adapter."""
    if truth:
        yield "exact", truth.want
        yield "admissible", truth.admissible
        yield "z", z_of(truth)
    problem = ", ".join(map(str, where.numbers[:1]))
    yield "element", f"{format_element(where.output, where.numbers[1:])} of problem {problem}"


def _note(where: Place, truths: Truths) -> str:
    if truths.get(where):
        return ADMISSIBLE
    return NO_CASE if where in truths else NOT_MADE
