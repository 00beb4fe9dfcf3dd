"""The sections of a comparison's report about known differences: what they cover, and which are outdated."""

from __future__ import annotations

from collections.abc import Iterator

from crosscheck.comparison.result import Comparison
from crosscheck.known import Difference


def sections(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Yield titles and lines for the report."""
    entries = [entry for entry in comparison.results.known.entries if entry.name in comparison.known]
    bugs, hazards = ([e for e in entries if e.kind == kind] for kind in ("bug", "hazard"))
    yield "Known differences:", [_one_line(comparison, entry) for entry in bugs]
    yield "Hazards, as expected:", [_one_line(comparison, entry) for entry in hazards]
    yield "Known differences that matched nothing:", [entry.name for entry in comparison.unmatched]
    yield (
        "Known differences that have expired, and cover nothing any more:",
        [f"{entry.name}: on {entry.expires}" for entry in comparison.expired],
    )


def _one_line(comparison: Comparison, entry: Difference) -> str:
    """Return one entry with its number of covered elements: a hazard's by regime, a bug's with its link."""
    counts = comparison.known[entry.name]
    total = f"{entry.name}: {counts.total():,} element{'s' * (counts.total() != 1)}"
    if entry.kind == "bug":
        return f"{total}; {entry.upstream or entry.reason}"
    return f"{total}: {', '.join(f'{regime} {count:,}' for regime, count in counts.most_common())}"
