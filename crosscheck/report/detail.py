"""The details of each cell, as plain data that the page's script shows when the cell is opened.

Many adapters have the same worst cases, and many cells the same labels, so these are stored once.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator
from typing import Any, Final

from crosscheck.explain.element import EQUATIONS
from crosscheck.explain.message import replay
from crosscheck.inputs import CaseError, parse
from crosscheck.judging.accuracy import RESOLUTION
from crosscheck.report.cells import Cells, Key
from crosscheck.results.ledger import Ledger
from crosscheck.results.measure import LEAST, MOST
from crosscheck.results.rows import Row
from crosscheck.results.summary import TEXTS, Histogram, Summary, Worst
from crosscheck.terminal.table import error_of, median, share_of
from crosscheck.text import format_element, format_hex, format_number
from reference.formats import FORMATS
from reference.ulp import nearest

CERTAIN: Final = (
    f"The exact value is known to within 2^{math.log2(RESOLUTION):g} ulp. "
    "The admissible interval is that of the adapter's own claims."
)
UNKNOWN: Final = "No exact value is known: an input is not finite, or the case has too many products."
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


def data_of(ledger: Ledger, cells: Cells) -> dict[str, Any]:
    """Make the page's data: an entry for each cell in order, and the places and labels that it points to."""
    selectors = {adapter.name: adapter.selector for adapter in ledger.header.adapters}
    places: dict[tuple[str, tuple[tuple[str, str], ...], str], int] = {}
    labels: dict[str, int] = {}

    def number_of(label: str) -> int:
        return labels.setdefault(label, len(labels))

    def pairs(found: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[Any]:
        return [part for label, text in found for part in (number_of(label), text)]

    def seen(key: Key, row: Row, worst: Worst | None) -> list[Any] | None:
        if worst is None:
            return None
        where = worst.case, tuple(_element(key, worst)), UNKNOWN if worst.exact is None else CERTAIN
        again = replay(worst.case, selectors.get(key.adapter, key.adapter)) if _is_case(worst.case) else ""
        return [pairs(_measured(key, row, worst)), places.setdefault(where, len(places)), again]

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
    described = [[case, pairs(facts), number_of(note)] for case, facts, note in places]
    return {"cells": found, "places": described, "labels": list(labels), "equations": EQUATIONS}


def _is_case(text: str) -> bool:
    """Return whether a text of a ledger is that of a case, which can be replayed."""
    try:
        parse(text)
    except (CaseError, RecursionError):
        return False
    return True


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


def _measured(key: Key, row: Row, worst: Worst) -> Iterator[tuple[str, str]]:
    """Yield the values of this cell alone: the error or the share, and what was returned."""
    if worst is row.summary.share:
        yield "of the bound", share_of(worst)
    else:
        yield "error", f"{float(worst.value)!r} ulp"
    yield "hexadecimal", format_hex(worst.value)
    if worst.got is not None and key.dtype in FORMATS:
        yield "got", format_number(worst.got, FORMATS[key.dtype])
        yield "admissible", worst.admissible


def _element(key: Key, worst: Worst) -> Iterator[tuple[str, str]]:
    """Yield the facts about an element that are the same for every adapter."""
    if worst.exact is not None and key.dtype in FORMATS and all(map(math.isfinite, worst.exact)):
        yield "exact", exact_text(*worst.exact, key.dtype)
    if worst.z is not None:
        least, most = worst.z
        yield "z", f"{least:.6g}" if least == most else f"from {least:.6g} to {most:.6g}"
    problem = ", ".join(map(str, worst.place[:1]))
    yield "element", f"{format_element(key.output, worst.place[1:])} of problem {problem}"


def exact_text(hi: float, lo: float, dtype: str) -> str:
    """Write the exact value hi + lo with the digits that are certain, and the number nearest to it."""
    format = FORMATS[dtype]
    digits = math.ceil((format.precision - math.log2(RESOLUTION)) * math.log10(2))
    written = decimal.Context(prec=digits).add(decimal.Decimal(hi), decimal.Decimal(lo))
    return f"{written:g}; the nearest {format.name} is {format_hex(float(nearest(hi, lo, format)))}"
