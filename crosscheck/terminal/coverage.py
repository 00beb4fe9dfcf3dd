"""The coverage as a table: rows for modes, dtypes and classes of shapes, and a reason for each gap."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from crosscheck.regimes import REGIMES
from crosscheck.results.coverage import CoverageRow, faults

FAULT: Final = "?"
# The headings of the regimes, short enough for rows of less than 100 columns.
HEADS: Final = {
    "ordinary": "ordi-\nnary",
    "non_finite": "non-\nfinite",
    "overflow": "over-\nflow",
    "subnormal": "sub-\nnormal",
    "huge_label": "huge\nlabel",
    "cancelling": "can-\ncelling",
    "saturated_high": "satur.\nhigh",
    "saturated_low": "satur.\nlow",
    "near_label": "near\nlabel",
    "zeros": "zeros",
}
FIXED_WIDTH: Final = 89  # width in columns of a row without the mode


def short(count: int) -> str:
    """Format a count in at most four characters: 999, 1.2k, 12k, 1.2M; empty for 0."""
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            tenths = 10 * count // unit
            return f"{tenths // 10}{letter}" if tenths >= 100 else f"{tenths / 10:.1f}{letter}"
    return str(count) if count else ""


def _letters() -> Iterator[str]:
    """Yield a, b, ..., z, aa, ab, ..."""
    for length in itertools.count(1):
        yield from map("".join, itertools.product(string.ascii_lowercase, repeat=length))


def footnotes(rows: Sequence[CoverageRow]) -> dict[str, str]:
    """Return a letter for each reason, in the order in which the reasons occur in the rows."""
    reasons = dict.fromkeys(why for row in rows for why in row.reasons.values() if why is not None)
    return dict(zip(reasons, _letters(), strict=False))


def _cell(row: CoverageRow, regime: str, notes: Mapping[str, str]) -> Text:
    if regime not in row.reasons:
        return Text(short(row.counts.judged[regime]))
    why = row.reasons[regime]
    return Text(FAULT, "bold red") if why is None else Text(notes[why], "dim")


def _cells(row: CoverageRow, notes: Mapping[str, str]) -> list[Text]:
    regimes = [_cell(row, regime, notes) for regime in REGIMES]
    lost = Text(short(row.counts.not_judged.total()), "yellow")
    return [Text(row.group.dtype), Text(row.group.shapes), *regimes, lost]


def _empty(longest: int, *, headed: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0, show_header=headed, header_style=""
    )
    if longest:
        table.add_column("mode", min_width=longest, overflow="fold")
    table.add_column("dtype", min_width=8)
    table.add_column("shapes", min_width=8)
    for regime in REGIMES:
        head = HEADS[regime]
        table.add_column(head, min_width=max(map(len, head.split("\n"))), justify="right")
    table.add_column("not\njudged", min_width=6, justify="right")
    return table


def tables(rows: Sequence[CoverageRow], width: int) -> Iterator[RenderableType]:
    """Yield the rows, to fit `width` columns: as one table, or as one for each mode below its name."""
    notes = footnotes(rows)
    longest = max((len(row.group.mode) for row in rows), default=0)
    if FIXED_WIDTH + longest < width:
        whole = _empty(longest, headed=True)
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            ends = following is not None and following.group.mode != row.group.mode
            whole.add_row(Text(row.group.mode), *_cells(row, notes), end_section=ends)
        yield whole
        return
    yield _empty(0, headed=True)
    for mode, group in itertools.groupby(rows, key=lambda row: row.group.mode):
        table = _empty(0, headed=False)
        for row in group:
            table.add_row(*_cells(row, notes))
        yield Text(mode, "bold")
        yield table


def below(rows: Sequence[CoverageRow]) -> Iterator[str]:
    """Yield the lines below the table: the footnotes, and the gaps without a reason."""
    for why, letter in footnotes(rows).items():
        yield f"{letter:>2}  {why}"
    for fault in faults(rows):
        yield f" {FAULT}  nothing explains {fault}"
