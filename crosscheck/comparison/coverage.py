"""The coverage as a table: rows for modes, dtypes and classes of shapes, and a reason for each gap."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from crosscheck.inputs.regimes import REGIMES
from crosscheck.matrix.coverage import Coverage, CoverageCounts, Group
from crosscheck.plans.plan import Gap, Plan

INTERRUPTED: Final = "the run was interrupted before"
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


@dataclass(frozen=True)
class CoverageRow:
    """A row of the coverage table.

    Attributes:
        group: the mode or the label that several modes share, the dtype and the class of shapes.
        counts: the counts of the group.
        reasons: by regime, for regimes in which nothing was judged, the reason; None if it is unknown.
    """

    group: Group
    counts: CoverageCounts
    reasons: Mapping[str, str | None]


def coverage_rows(
    coverage: Coverage, plan: Plan, names: Mapping[str, str], *, interrupted: bool = False
) -> list[CoverageRow]:
    """Return the rows: modes in the plan's order, then its dtypes, then the classes of shapes.

    Args:
        coverage: the coverage of the run.
        plan: the plan of the run.
        names: the adapter's name for the name of each spec.
        interrupted: whether the run ended early.
    """
    last = INTERRUPTED if interrupted else None
    found: dict[Group, CoverageRow] = {}
    together = coverage.labelled(plan.label)
    for name, adapter in names.items():
        for dtype, shapes in itertools.product(plan.dtypes, plan.classes):
            group = Group(plan.label(adapter), dtype, shapes)
            if group not in found:
                counts = together.groups.get(group, CoverageCounts())
                reasons = {
                    regime: plan.reason_not_planned(Gap(name, dtype, shapes, regime))
                    or counts.reason(regime)
                    or last
                    or plan.reason_not_hit(Gap(name, dtype, shapes, regime))
                    for regime in REGIMES
                    if not counts.judged[regime]
                }
                found[group] = CoverageRow(group, counts, reasons)
    return list(found.values())


def faults(rows: Sequence[CoverageRow]) -> list[str]:
    """Return the gaps without a reason: a mode in a dtype at a class of shapes, and the regimes."""
    found = ((row.group, [regime for regime, why in row.reasons.items() if why is None]) for row in rows)
    return [f"{' '.join(group)}: {', '.join(regimes)}" for group, regimes in found if regimes]


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
