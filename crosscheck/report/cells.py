"""The cells of the page: for each adapter, dtype, output and regime all shapes and layouts together.

An exhaustive sweep has cells of intervals, hundreds of them: those of one regime are one cell of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from crosscheck.comparison.table import ORDER, Row
from crosscheck.regimes import REGIMES
from crosscheck.summary import Cell, Summary, merged
from reference.formats import FORMATS


class Key(NamedTuple):
    """What a cell of the page is about; the names are the ledger's own."""

    adapter: str
    dtype: str
    output: str
    regime: str

    def __str__(self) -> str:
        return " ".join(self)


Cells = Mapping[Key, Row]


def cells_of(summaries: Mapping[Cell, Summary]) -> dict[Key, Row]:
    """The cells in the order of the page."""
    groups: dict[Key, list[Summary]] = {}
    for cell, summary in summaries.items():
        regime, _, _ = cell.regime.partition(" ")  # before the ends of an interval, if it is one
        groups.setdefault(Key(cell.adapter, cell.dtype, cell.output, regime), []).append(summary)
    return {
        key: Row(key.adapter, key.dtype, key.output, merged(groups[key])) for key in sorted(groups, key=order)
    }


def order(key: Key) -> tuple[tuple[int, str], ...]:
    """Adapters by name; the others as the suite has them, what it does not know last."""
    return (
        (0, key.adapter),
        sort_key(key.dtype, tuple(FORMATS)),
        sort_key(key.output, tuple(ORDER)),
        sort_key(key.regime, tuple(REGIMES)),
    )


def sort_key(name: str, names: tuple[str, ...]) -> tuple[int, str]:
    """The key that sorts a name as ``names`` has it, and after all of these if it is none."""
    return (names.index(name) if name in names else len(names), name)
