"""The cells of the page: one for each adapter, dtype, output and regime, with all shapes and layouts.

The ledger of an exhaustive sweep has hundreds of cells, one for each interval; the page merges those of a
regime.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from crosscheck.regimes import REGIMES
from crosscheck.results.rows import ORDER, Row
from crosscheck.results.summary import Cell, Summary, merged
from reference.formats import FORMATS


class Key(NamedTuple):
    """The adapter, dtype, output and regime of a cell of the page, with the names that the ledger uses."""

    adapter: str
    dtype: str
    output: str
    regime: str

    def __str__(self) -> str:
        return " ".join(self)


Cells = Mapping[Key, Row]


def cells_of(summaries: Mapping[Cell, Summary]) -> dict[Key, Row]:
    """Merge the cells of a ledger into those of the page, in the order of the page."""
    groups: dict[Key, list[Summary]] = {}
    for cell, summary in summaries.items():
        regime, _, _ = cell.regime.partition(" ")  # without the ends of an interval
        groups.setdefault(Key(cell.adapter, cell.dtype, cell.output, regime), []).append(summary)
    return {
        key: Row(key.adapter, key.dtype, key.output, merged(groups[key])) for key in sorted(groups, key=order)
    }


def order(key: Key) -> tuple[tuple[int, str], ...]:
    """Return the sort key of a cell: adapters by name, the rest in the suite's order, unknown names last."""
    return (
        (0, key.adapter),
        sort_key(key.dtype, tuple(FORMATS)),
        sort_key(key.output, tuple(ORDER)),
        sort_key(key.regime, tuple(REGIMES)),
    )


def sort_key(name: str, names: tuple[str, ...]) -> tuple[int, str]:
    """Return the key that sorts a name by its place in ``names``, or last if it is not there."""
    return (names.index(name) if name in names else len(names), name)
