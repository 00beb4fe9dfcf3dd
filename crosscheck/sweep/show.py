"""The report of a sweep on the terminal: versions, verdict, table and faults."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator

from rich.console import Console

from crosscheck.comparison.table import sentence, tables
from crosscheck.console import draw, say
from crosscheck.escaping import escape_control_characters
from crosscheck.formatting import wrap_line
from crosscheck.ledger import Fault, Header, Ledger
from crosscheck.ledger.records import COMPLETE, NO_VERDICT
from crosscheck.sweep.record import SweepResults

# The number of faults that are shown; the ledger has the others too.
MOST_FAULTS = 20


def heading(header: Header) -> Iterator[str]:
    """Yield the lines that say what is swept, with the versions."""
    yield f"Gradient Crosscheck {header.suite}, Python {platform.python_version()}, seed {header.seed}"
    yield header.profile[:1].upper() + header.profile[1:]
    yield from (
        f"  {escape_control_characters(one.name)}: {escape_control_characters(one.about)}"
        for one in header.adapters
    )


def show(results: SweepResults, ledger: Ledger, console: Console, counted: str, *, details: bool) -> None:
    """Print the report: the verdict, the table, faults and figures.

    Args:
        results: the results of the sweep.
        ledger: the ledger of the same results.
        console: the console to print to.
        counted: a line with the number of problems and the time that they took.
        details: whether the table shows each output, with the extremes.
    """
    said = sentence(", ".join(one.name for one in results.header.adapters), results.reasons, results.rows)
    say(
        console, "", *wrap_line(escape_control_characters(f"{_extent(results, ledger)}{said}"), console.width)
    )
    draw(console, tables(results.rows, console.width, details=details))
    say(console, "", *_faults(results.faults))
    end = f"{'Not all within' if ledger.verdict else 'Within'} bounds: {counted}; results {ledger.results}"
    say(console, *wrap_line(end, console.width))


def _faults(faults: Iterable[Fault]) -> Iterator[str]:
    for title, is_late in (("Faults:", False), ("No verdict:", True)):
        found = sorted(
            (fault.who, fault.what) for fault in faults if fault.what.startswith(NO_VERDICT) == is_late
        )
        if found:
            yield title
            yield from (
                f"  {escape_control_characters(who)}: {escape_control_characters(what)}"
                for who, what in found[:MOST_FAULTS]
            )
            if len(found) > MOST_FAULTS:
                yield f"  and {len(found) - MOST_FAULTS:,} more, which a ledger has"
            yield ""


def _extent(results: SweepResults, ledger: Ledger) -> str:
    """Return a sentence with the number of shards if some are missing, otherwise an empty text."""
    sweep = results.header.sweep
    if ledger.ending == COMPLETE or sweep is None:
        return ""
    return f"Not complete: {len(results.done):,} of {sweep.of:,} shards, and this is of those. "
