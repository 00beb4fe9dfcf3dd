"""The coverage as a table: rows for modes, dtypes and classes of shapes, and a reason for each gap."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from crosscheck.inputs.regimes import REGIMES
from crosscheck.results.coverage import CoverageRow, faults
from crosscheck.terminal.table import Column, in_groups

FAULT: Final = "?"


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


def tables(rows: Sequence[CoverageRow], width: int) -> Iterator[RenderableType]:
    """Yield the rows, to fit `width` columns: as one table, or as one for each mode below its name."""
    notes = footnotes(rows)
    regimes = (
        Column[CoverageRow](
            REGIMES[regime].heading,
            max(map(len, REGIMES[regime].heading.split("\n"))),
            "right",
            partial(_cell, regime=regime, notes=notes),
        )
        for regime in REGIMES
    )
    columns = (
        Column[CoverageRow]("dtype", 8, "left", lambda row: row.group.dtype),
        Column[CoverageRow]("shapes", 8, "left", lambda row: row.group.shapes),
        *regimes,
        Column[CoverageRow](
            "not\njudged", 6, "right", lambda row: Text(short(row.counts.not_judged.total()), "yellow")
        ),
    )
    return in_groups(rows, lambda row: row.group.mode, columns, "mode", width)


def below(rows: Sequence[CoverageRow]) -> Iterator[str]:
    """Yield the lines below the table: the footnotes, and the gaps without a reason."""
    for why, letter in footnotes(rows).items():
        yield f"{letter:>2}  {why}"
    for fault in faults(rows):
        yield f" {FAULT}  nothing explains {fault}"
