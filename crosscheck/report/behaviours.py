"""Behaviours in which adapters differ: probes by adapters, those that answer alike in one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crosscheck.behaviours.probe import Observation
from crosscheck.behaviours.probes import PROBES
from crosscheck.behaviours.report import ProbeRow, differs, rows
from crosscheck.ledger import Behaviour
from crosscheck.report.cells import sort_key
from reference.formats import FORMATS

# Columns that stand beside each other on a wide screen; more of them stand below each other.
MOST_COLUMNS = 6


def tables_of(behaviours: Sequence[Behaviour]) -> list[dict[str, Any]]:
    """A table for each dtype in which adapters differ."""
    seen = [Observation(b.probe, b.adapter, b.dtype, b.value, b.input, b.seen) for b in behaviours]
    different = [row for row in rows(seen) if differs(row)]
    dtypes = sorted({row[0].dtype for row in different}, key=lambda name: sort_key(name, tuple(FORMATS)))
    return [_table(dtype, [row for row in different if row[0].dtype == dtype]) for dtype in dtypes]


def _table(dtype: str, different: Sequence[ProbeRow]) -> dict[str, Any]:
    different = sorted(different, key=lambda row: sort_key(row[0].probe, tuple(PROBES)))
    answers = [{one.adapter: one.value for one in row} for row in different]
    columns: dict[tuple[str | None, ...], list[str]] = {}
    for adapter in dict.fromkeys(one.adapter for row in different for one in row):
        columns.setdefault(tuple(answer.get(adapter) for answer in answers), []).append(adapter)
    names = [", ".join(alike) for alike in columns.values()]
    return {
        "dtype": dtype,
        "names": names,
        "is_wide": len(names) <= MOST_COLUMNS,
        "rows": [
            {
                "probe": row[0].probe,
                "question": PROBES[row[0].probe].question if row[0].probe in PROBES else "",
                "input": row[0].input,
                "values": list(zip(names, values, strict=True)),
            }
            for row, values in zip(different, zip(*columns, strict=True), strict=True)
        ],
    }
