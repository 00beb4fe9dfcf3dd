"""The table of summaries: one row for each adapter and dtype, or with details for each output."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Generic, Literal, TypeVar

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from crosscheck.results.rows import FAILED, KNOWN, LATE, OUTSIDE, WITHIN_BOUNDS, Row, merge_outputs
from crosscheck.results.summary import Histogram, Worst

STYLES: Final = {
    WITHIN_BOUNDS: "green",
    OUTSIDE: "bold red",
    FAILED: "bold red",
    LATE: "yellow",
    KNOWN: "magenta",
}


def sentence(who: str, reasons: Sequence[str], lines: Sequence[Row], *, known: bool = False) -> str:
    """Return the verdict on a run as a sentence, with the numbers judged and not judged.

    Args:
        who: the names of the adapters.
        reasons: the reasons why not all is within bounds.
        lines: the rows of the run.
        known: whether known differences were found.
    """
    judged, left = sum(row.judged for row in lines), sum(row.summary.not_judged for row in lines)
    counts = f"{judged:,} numbers judged, {left:,} not judged"
    if reasons:
        return f"Not all within bounds ({'; '.join(reasons)}): {counts}."
    if not judged:
        return f"Not judged: {who}: {counts}."
    return f"Within bounds: {who}{', known differences aside' if known else ''}: {counts}."


def median(errors: Histogram) -> str:
    """Return the least power of two below which at least half of the errors lie; empty without errors."""
    exponents = {"zero": -math.inf, "inf": math.inf}
    counts = sorted((exponents.get(name) or float(name), count) for name, count in errors.items())
    seen, half = 0, sum(errors.values()) / 2
    for exponent, count in counts:
        seen += count
        if seen >= half:
            below = "" if math.isinf(exponent) else "<"
            return f"{below}{_short(_power(exponent + 1))}"
    return ""


def _power(exponent: float) -> float:
    """Return 2 to this power; inf if it is too large for a float, which is still above every float."""
    return 2.0**exponent if exponent < sys.float_info.max_exp else math.inf


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 or math.isinf(value) else f"{value:.1e}"


def error_of(worst: Worst | None) -> str:
    """Format an error in ulp; ``-`` if there is none."""
    return "-" if worst is None else _short(worst.value)


def share_of(worst: Worst | None) -> str:
    """Format a share in percent, rounded down so that 100 % is at the bound or beyond; or as a multiple."""
    if worst is None:
        return "-"
    if worst.value < 10:
        return f"{math.floor(1000 * worst.value) / 10:g} %"
    return "outside" if math.isinf(worst.value) else f"{_short(worst.value)}×"


def _count(number: int, style: str = "") -> Text:
    """Format a count in at most nine characters."""
    return Text(f"{number:,}" if 0 < number < 10**7 else f"{number:.3e}" if number else "", style)


T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column of a table.

    Attributes:
        heading, width, justify: arguments for rich; a fixed width aligns tables printed below each other.
        cell: a function that returns the content of the column for a row.
    """

    heading: str
    width: int
    justify: Literal["left", "right"]
    cell: Callable[[T], str | Text]


DTYPE: Final[Column[Row]] = Column("dtype", 8, "left", lambda row: row.dtype)
OUTPUT: Final[Column[Row]] = Column("output", 8, "left", lambda row: row.output)
ULP: Final[Column[Row]] = Column(
    "ulp,\nwell-cond.", 10, "right", lambda row: error_of(row.summary.well_conditioned_error)
)
MEDIAN: Final[Column[Row]] = Column("median\nulp", 7, "right", lambda row: median(row.summary.errors))
WORST: Final[Column[Row]] = Column("worst\nulp", 7, "right", lambda row: error_of(row.summary.error))
SHARE: Final[Column[Row]] = Column("of the\nbound", 8, "right", lambda row: share_of(row.summary.share))
REGIME: Final[Column[Row]] = Column("regime", 14, "left", lambda row: row.regime)
JUDGED: Final[Column[Row]] = Column("judged", 9, "right", lambda row: _count(row.judged))
UNJUDGED: Final[Column[Row]] = Column(
    "not\njudged", 7, "right", lambda row: _count(row.summary.not_judged, "yellow")
)
VERDICT: Final[Column[Row]] = Column(
    "verdict", 13, "left", lambda row: Text(row.verdict, STYLES.get(row.verdict, "yellow"))
)
SHORT: Final = (DTYPE, ULP, SHARE, JUDGED, UNJUDGED, VERDICT)
# The columns with details, by the least width of the terminal.
DETAILS: Final = {
    0: (OUTPUT, WORST, SHARE, JUDGED, UNJUDGED, VERDICT),
    80: (OUTPUT, WORST, SHARE, REGIME, JUDGED, UNJUDGED, VERDICT),
    100: (OUTPUT, ULP, MEDIAN, WORST, SHARE, REGIME, JUDGED, UNJUDGED, VERDICT),
}


def tables(lines: Sequence[Row], width: int, *, details: bool = False) -> Iterator[RenderableType]:
    """Yield the rows, to fit `width` columns, as `in_groups` does.

    Args:
        lines: a row for each adapter, dtype and output.
        width: the columns of the terminal, at least 60.
        details: whether each output has a row, with the worst values over all elements.
    """
    if details:
        columns = DETAILS[max(least for least in DETAILS if least <= width)]
        yield from in_groups(lines, lambda row: f"{row.adapter} {row.dtype}", columns)
    else:
        yield from in_groups(merge_outputs(lines), lambda row: row.adapter, SHORT, "adapter", width)


def in_groups(
    lines: Sequence[T],
    name: Callable[[T], str],
    columns: Sequence[Column[T]],
    heading: str = "",
    width: int = 0,
) -> Iterator[RenderableType]:
    """Yield rows as one table, or if that is too wide as one for each name, below the name.

    Without rows, as after an early Ctrl-C, nothing is yielded.

    Args:
        lines: the rows; those with the same name follow each other.
        name: returns the name of a row.
        columns: the columns other than the name.
        heading: the heading of the names in one table.
        width: the columns of the terminal; 0 for a table for each name.
    """
    if not lines:
        return
    names = Column[T](heading, max(len(name(row)) for row in lines), "left", lambda row: Text(name(row)))
    if sum(column.width + 1 for column in (names, *columns)) <= width:
        yield _filled((names, *columns), lines, name, headed=True)
        return
    yield _empty(columns, headed=True)
    for each, group in groupby(lines, key=name):
        yield Text(each, "bold")
        yield _filled(columns, list(group), name, headed=False)


def _empty(columns: Sequence[Column[T]], *, headed: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0, show_header=headed, header_style=""
    )
    for column in columns:
        table.add_column(column.heading, min_width=column.width, justify=column.justify, overflow="fold")
    return table


def _filled(
    columns: Sequence[Column[T]], lines: Sequence[T], name: Callable[[T], str], *, headed: bool
) -> Table:
    table = _empty(columns, headed=headed)
    apart = len(set(map(name, lines))) < len(lines)
    for row, following in zip(lines, [*lines[1:], None], strict=True):
        ends = apart and following is not None and name(following) != name(row)
        table.add_row(*(column.cell(row) for column in columns), end_section=ends)
    return table
