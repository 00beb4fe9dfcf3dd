"""What a cell says when it is opened, as plain data that the page's script puts into words and pictures.

Adapters share their worst cases, and cells their labels: what is said often stands in the data once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from crosscheck.blame.element import EQUATIONS
from crosscheck.comparison.summarise import LEAST, MOST
from crosscheck.comparison.table import WITHIN_BOUNDS, Row, error_of, median, share_of
from crosscheck.ledger import Ledger
from crosscheck.message import replay
from crosscheck.report.cells import Cells, Key
from crosscheck.report.exact import Fact, Facts, Place, got, z_of
from crosscheck.shown import hexadecimal, place
from crosscheck.summary import TEXTS, Histogram, Summary, Worst

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
    """The elements that the page tells the exact values of, those of cells that are not green first."""
    for key in sorted(cells, key=lambda key: cells[key].verdict == WITHIN_BOUNDS):
        summary = cells[key].summary
        yield from (Place.of(worst, key.output) for worst in (summary.error, summary.share) if worst)


def data_of(ledger: Ledger, cells: Cells, facts: Facts) -> dict[str, Any]:
    """The page's data: an entry for each cell in order, and the places and labels that these point to."""
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
        fact = facts.get(where)
        again = replay(worst.case, selectors.get(key.adapter, key.adapter)) if fact else ""
        number = places.setdefault(where, len(places))
        return [pairs(_measured(row, worst, fact)), number, again]

    found = [
        {
            "of": key,
            "verdict": row.verdict,
            "counts": pairs(_counts(row)),
            "median": median(_sound(row.summary.errors)),
            "errors": _bins(_sound(row.summary.errors)),
            "shares": _bins(_sound(row.summary.shares)),
            "error": seen(key, row, row.summary.error),
            "share": seen(key, row, row.summary.share),
            "said": sorted(text for name in TEXTS for text in getattr(row.summary, name)),
        }
        for key, row in cells.items()
    ]
    told = [
        [where.case, pairs(_true(where, facts.get(where))), number_of(_note(where, facts))]
        for where in places
    ]
    return {"cells": found, "places": told, "labels": list(labels), "equations": EQUATIONS}


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


def _sound(histogram: Histogram) -> Histogram:
    """The bins that this suite makes; a ledger's names of them are any texts."""
    exponents = set(map(str, range(LEAST, MOST + 1)))
    return {name: count for name, count in histogram.items() if name in ENDS or name in exponents}


def _bins(histogram: Histogram) -> list[Any]:
    """⌊log₂⌋ and count by turns, in order; ``-inf`` for zero and ``inf`` at their ends."""
    found = sorted((ENDS[name] if name in ENDS else int(name), count) for name, count in histogram.items())
    return [part for at, count in found for part in (at if math.isfinite(at) else f"{at:g}", count)]


def _measured(row: Row, worst: Worst, fact: Fact | None) -> Iterator[tuple[str, str]]:
    """What is this cell's own: the error or the share, and what was returned, as far as that tells."""
    if worst is row.summary.share:
        yield "of the bound", share_of(worst)
        yield "hexadecimal", hexadecimal(worst.value)
        return
    yield "error", f"{worst.value!r} ulp"
    yield "hexadecimal", hexadecimal(worst.value)
    if fact and (returned := got(fact, worst.value, admissible=not row.summary.wrong_elements)):
        yield "got", returned


def _true(where: Place, fact: Fact | None) -> Iterator[tuple[str, str]]:
    """What is true of the element, whoever returned what."""
    if fact:
        yield "exact", fact.want
        yield "admissible", fact.admissible
        yield "z", z_of(fact)
    yield (
        "element",
        f"{place(where.output, where.numbers[1:])} of problem {', '.join(map(str, where.numbers[:1]))}",
    )


def _note(where: Place, facts: Facts) -> str:
    if facts.get(where):
        return ADMISSIBLE
    return NO_CASE if where in facts else NOT_MADE
