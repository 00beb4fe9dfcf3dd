"""The table: one row for each adapter, dtype and output, a view of the summaries of a run."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, Literal, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from crosscheck.judge import OUTPUTS
from crosscheck.summary import EVERY, Cell, Histogram, Summary, Worst, merged

# From this many columns on, the adapter and the median have columns; below, the adapter has its own line.
WIDE: Final = 100
ORDER: Final = {name: place for place, name in enumerate((*OUTPUTS, EVERY))}
STYLES: Final = {
    "agrees": "green", "disagrees": "bold red", "failed": "bold red", "no verdict": "yellow",
    "known": "magenta",
}  # fmt: skip
Column = tuple[str, int, Literal["left", "right"]]
# Heading, width and alignment. The widths make one table of several, and fit into 80 columns together.
COLUMNS: Final[tuple[Column, ...]] = (
    ("dtype", 8, "left"),
    ("output", 8, "left"),
    ("worst\nulp", 7, "right"),
    ("of the\nbound", 8, "right"),
    ("regime", 14, "left"),
    ("problems", 9, "right"),
    ("not\njudged", 6, "right"),
    ("verdict", 11, "left"),
)
MEDIAN: Final[Column] = ("median\nulp", 7, "right")


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        adapter, dtype, output: what was on trial; output `EVERY` for a cell that gave no output.
        summary: of all regimes, shapes and layouts.
    """

    adapter: str
    dtype: str
    output: str
    summary: Summary

    @property
    def verdict(self) -> str:
        """In a word or two; *agrees* where something was judged and nothing disagrees.

        *known* where all that lies outside its set is a known difference.
        """
        s = self.summary
        if self.output == EVERY:
            said = {"failed": s.failures, "no verdict": s.no_verdict, "unsupported": s.unsupported}
            return next((word for word, texts in said.items() if texts), "not run")
        if s.wrong_elements:
            return "disagrees" if s.wrong_elements > s.known_elements else "known"
        return "agrees" if self.judged else "not judged"

    @property
    def judged(self) -> int:
        """How many problems a verdict was possible for."""
        return 0 if self.output == EVERY else self.summary.problems - self.summary.not_judged

    @property
    def missed(self) -> int:
        """How many problems there is no verdict for, though the adapter has the cell."""
        s = self.summary
        if self.output == EVERY:
            return s.not_run + (s.problems if s.failures or s.no_verdict else 0)
        return s.not_judged

    @property
    def regime(self) -> str:
        """Where the worst was seen: farthest outside the bound, or else farthest from the exact value."""
        worst = self.summary.share if self.summary.wrong_elements else self.summary.error
        return "" if worst is None else worst.regime


def rows(summaries: Mapping[Cell, Summary], label: Callable[[str], str] = str) -> list[Row]:
    """The rows: adapters and dtypes in the order in which they were first seen, outputs as in `OUTPUTS`.

    Args:
        summaries: of a run.
        label: what an adapter is called; those that are called alike share their rows.
    """
    groups: dict[tuple[str, str], dict[str, list[Summary]]] = {}
    for cell, summary in summaries.items():
        key = label(cell.adapter), cell.dtype
        groups.setdefault(key, {}).setdefault(cell.output, []).append(summary)
    adapters = list(dict.fromkeys(adapter for adapter, _ in groups))
    return [
        Row(adapter, dtype, output, merged(groups[adapter, dtype][output]))
        for adapter, dtype in sorted(groups, key=lambda key: adapters.index(key[0]))
        for output in sorted(groups[adapter, dtype], key=ORDER.__getitem__)
    ]


def median(errors: Histogram) -> str:
    """A power of two that half of the errors lie below; empty if there are none."""
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
    """2 to that power; inf where it is no float, which every float lies below all the same."""
    return 2.0**exponent if exponent < sys.float_info.max_exp else math.inf


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 or math.isinf(value) else f"{value:.1e}"


def _error(worst: Worst | None) -> str:
    return "-" if worst is None else _short(worst.value)


def share_of(worst: Worst | None) -> str:
    """The share of the bound in percent, cut off: 100 % is on it or beyond it; as a multiple from 10 on."""
    if worst is None:
        return "-"
    if worst.value < 10:
        return f"{math.floor(1000 * worst.value) / 10:g} %"
    return "outside" if math.isinf(worst.value) else f"{_short(worst.value)}×"


def _count(number: int, style: str = "") -> Text:
    return Text(f"{number:,}" if number else "", style)


def _verdict(row: Row) -> Text:
    partial = row.verdict == "agrees" and row.missed
    return Text(row.verdict, "yellow" if partial else STYLES.get(row.verdict, "yellow"))


def _cells(row: Row) -> list[str | Text]:
    worst = (_error(row.summary.error), share_of(row.summary.share), row.regime)
    return [row.dtype, row.output, *worst, _count(row.judged), _count(row.missed, "yellow"), _verdict(row)]


def _empty(columns: Sequence[Column], *, headed: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0, show_header=headed, header_style=""
    )
    for heading, width, justify in columns:
        table.add_column(heading, min_width=width, justify=justify, overflow="fold")
    return table


def tables(lines: Sequence[Row], width: int) -> Iterator[RenderableType]:
    """The rows for a reader with that many columns: one table, or one for each adapter below its name.

    Nothing where there are no rows, as after an early Ctrl-C.
    """
    if not lines:
        return
    if width < WIDE:
        yield _empty(COLUMNS, headed=True)
        for adapter, group in groupby(lines, key=lambda row: row.adapter):
            table = _empty(COLUMNS, headed=False)
            for row in group:
                table.add_row(*_cells(row))
            yield Text(adapter, "bold")
            yield table
        return
    longest = max((len(row.adapter) for row in lines), default=0)
    whole = _empty((("adapter", longest, "left"), *COLUMNS[:2], MEDIAN, *COLUMNS[2:]), headed=True)
    for row, following in zip(lines, [*lines[1:], None], strict=True):
        dtype, output, *others = _cells(row)
        ends = following is not None and following.adapter != row.adapter
        cells = (Text(row.adapter), dtype, output, median(row.summary.errors), *others)
        whole.add_row(*cells, end_section=ends)
    yield whole
