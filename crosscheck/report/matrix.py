"""The matrix of the page, whose rows are adapters and dtypes and whose columns are outputs and regimes."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate, groupby
from typing import Any, Final, NamedTuple

from crosscheck.report.cells import Cells, Key, order
from crosscheck.results.ledger import Ledger
from crosscheck.results.rows import (
    FAILED,
    KNOWN,
    LATE,
    NOT_JUDGED,
    NOT_RUN,
    OUTSIDE,
    UNSUPPORTED,
    WITHIN_BOUNDS,
    Row,
)
from crosscheck.results.summary import Worst
from reference.formats import FORMATS

# The verdicts of `Row`, each with the mark that a cell has in addition to its colour.
MARKS: Final = {
    WITHIN_BOUNDS: "",  # these cells have the worst error of well-conditioned elements as their mark
    OUTSIDE: "✗",
    FAILED: "!",
    LATE: "⧖",
    KNOWN: "K",
    NOT_JUDGED: "?",
    UNSUPPORTED: "–",
    NOT_RUN: "…",
}
LOOK: Final = WITHIN_BOUNDS.replace(" ", "-")
# The limits between shades, as the part of a format's digits that an error destroys: log2(error)/precision.
SHADES: Final = (0.0, 0.25, 0.5, 1.0)
SHADE_WORDS: Final = ("up to 1 ulp", "a quarter of the digits lost", "half of them", "all of them", "beyond")


class Button(NamedTuple):
    """A cell of the table.

    Attributes:
        number: the index of its entry in the page's data.
        mark: the text in the cell.
        look: the CSS classes of its colour.
    """

    number: int
    mark: str
    look: str


def matrix_of(ledger: Ledger, cells: Cells) -> dict[str, Any]:
    """Make the template's data: columns, groups of rows, and the legend with its counts."""
    columns = sorted({(key.output, key.regime) for key in cells}, key=lambda c: order(Key("", "", *c))[2:])
    numbers = {key: number for number, key in enumerate(cells)}
    about = {adapter.name: adapter.about for adapter in ledger.header.adapters}
    outputs = [(name, [regime for _, regime in of]) for name, of in groupby(columns, key=lambda c: c[0])]
    groups = []
    for adapter, keys in groupby(cells, key=lambda key: key.adapter):
        dtypes = dict.fromkeys(key.dtype for key in keys)
        rows = [
            (dtype, [_button(Key(adapter, dtype, *c), cells, numbers) for c in columns]) for dtype in dtypes
        ]
        groups.append({"name": adapter, "about": about.get(adapter, ""), "rows": rows})
    words = Counter(row.verdict for row in cells.values())
    return {
        "outputs": outputs,
        "firsts": set(accumulate((len(regimes) for _, regimes in outputs), initial=0)),
        "groups": groups,
        "legend": [(word, mark, word.replace(" ", "-"), words[word]) for word, mark in MARKS.items()],
        "shades": [(f"{LOOK} s{number}", words) for number, words in enumerate(SHADE_WORDS)],
        "width": len(columns),
        "partial": sum(_is_partial(row) for row in cells.values()),
    }


def _button(key: Key, cells: Cells, numbers: dict[Key, int]) -> Button | None:
    row = cells.get(key)
    if row is None:
        return None
    word = row.verdict
    look = word.replace(" ", "-")
    if word == WITHIN_BOUNDS:
        look += f" s{shade(row)}" + " partial" * _is_partial(row)
    return Button(numbers[key], MARKS[word] or mark_of(row.summary.well_conditioned_error), look)


def mark_of(worst: Worst | None) -> str:
    """Write the worst error in at most four characters, beyond 999 ulp as a power of ten."""
    if worst is None:
        return "✓"
    value = worst.value
    if not math.isfinite(value):
        return "∞"
    if value >= 999.5:
        return f"e{math.floor(math.log10(value))}"
    digits = 1 if value < 9.95 else 0
    return "0" if value < 0.05 else f"{value:.{digits}f}".removeprefix("0")


def _is_partial(row: Row) -> bool:
    """Return whether a row is within bounds and has elements that were not judged."""
    return row.verdict == WITHIN_BOUNDS and row.summary.not_judged > 0


def shade(row: Row) -> int:
    """Return the shade, 0 to 4, of the worst error of well-conditioned elements."""
    error, format = row.summary.well_conditioned_error, FORMATS.get(row.dtype)
    if error is None or not error.value or format is None:
        return 0
    return sum(math.log2(error.value) > part * format.precision for part in SHADES)
