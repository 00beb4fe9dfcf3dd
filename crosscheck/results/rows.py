"""The rows of a run: the summaries of an adapter, dtype and output merged, with their verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from crosscheck.judge import OUTPUTS, Verdict
from crosscheck.results.summary import EVERY, Cell, Summary, merged

ORDER: Final = {name: place for place, name in enumerate((*OUTPUTS, EVERY))}
WITHIN_BOUNDS, OUTSIDE, NOT_JUDGED = (
    v.value for v in (Verdict.WITHIN_BOUNDS, Verdict.OUTSIDE, Verdict.NOT_JUDGED)
)
KNOWN, FAILED, LATE, UNSUPPORTED, NOT_RUN = "known", "failed", "no verdict", "unsupported", "not run"


class Row(NamedTuple):
    """One row of the table.

    Attributes:
        adapter, dtype, output: the row's cell; output `EVERY` for all outputs, or if there are none.
        summary: the merged summary of all regimes, shapes and layouts.
    """

    adapter: str
    dtype: str
    output: str
    summary: Summary

    @property
    def verdict(self) -> str:
        """The gravest verdict of the row; *within bounds* only if at least one element was judged.

        *known* means that known differences cover all elements outside their sets, *no verdict* that the
        adapter gave no answer in time.
        """
        s = self.summary
        found = {
            OUTSIDE: s.wrong_elements > s.known_elements,
            FAILED: s.failures,
            LATE: s.no_verdict,
            KNOWN: s.wrong_elements,
            WITHIN_BOUNDS: self.judged,
            NOT_JUDGED: s.elements,
            UNSUPPORTED: s.unsupported,
        }
        return next((word for word, holds in found.items() if holds), NOT_RUN)

    @property
    def judged(self) -> int:
        """How many elements have a verdict."""
        return self.summary.elements - self.summary.not_judged

    @property
    def regime(self) -> str:
        """The regime of the worst element: by share of the bound if one is outside, else by error."""
        worst = self.summary.share if self.summary.wrong_elements else self.summary.error
        return "" if worst is None else worst.regime


def rows(summaries: Mapping[Cell, Summary], label: Callable[[str], str] = str) -> list[Row]:
    """Return the rows: adapters and dtypes in the order of their first cases, outputs as in `OUTPUTS`.

    Args:
        summaries: the summaries of a run.
        label: returns the label of an adapter; adapters with the same label share their rows.
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


def merge_outputs(lines: Sequence[Row]) -> list[Row]:
    """Merge the rows of each adapter and dtype into one row for all outputs."""
    return [
        Row(*key, EVERY, merged(row.summary for row in group))
        for key, group in groupby(lines, key=lambda row: (row.adapter, row.dtype))
    ]
