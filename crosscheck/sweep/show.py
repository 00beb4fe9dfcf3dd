"""What a sweep says on the terminal: versions, verdict, table and faults."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator

from rich.console import Console

from crosscheck.comparison.report import draw, say, sentence
from crosscheck.comparison.table import tables
from crosscheck.inert import inert
from crosscheck.ledger import Fault, Header, Ledger
from crosscheck.ledger.records import COMPLETE
from crosscheck.shown import folded
from crosscheck.sweep.record import Record

# Faults that are told; the ledger has all.
TOLD = 20


def heading(header: Header) -> Iterator[str]:
    """What is swept, with the versions."""
    yield f"Gradient Crosscheck {header.suite}, Python {platform.python_version()}, seed {header.seed}"
    yield header.profile[:1].upper() + header.profile[1:]
    yield from (f"  {inert(one.name)}: {inert(one.about)}" for one in header.adapters)


def show(record: Record, ledger: Ledger, console: Console, counted: str, *, details: bool) -> None:
    """Print the report: the verdict, the table, faults and figures.

    Args:
        record: of what was swept.
        ledger: the same.
        console: where to.
        counted: how many problems there were, in how long.
        details: whether the table shows each output, with the extremes.
    """
    said = sentence(", ".join(one.name for one in record.header.adapters), record.reasons, record.rows)
    say(console, "", *folded(inert(f"{_extent(record, ledger)}{said}"), console.width))
    draw(console, tables(record.rows, console.width, details=details))
    say(console, "", *_faults(record.faults))
    end = f"{'Not all within' if ledger.verdict else 'Within'} bounds: {counted}; results {ledger.results}"
    say(console, *folded(end, console.width))


def _faults(faults: Iterable[Fault]) -> Iterator[str]:
    told = sorted(faults, key=lambda fault: (fault.who, fault.what))
    if told:
        yield "Faults:"
        yield from (f"  {inert(fault.who)}: {inert(fault.what)}" for fault in told[:TOLD])
        if len(told) > TOLD:
            yield f"  and {len(told) - TOLD:,} more, which a ledger has"
        yield ""


def _extent(record: Record, ledger: Ledger) -> str:
    """How much of a sweep there is, where it is not all."""
    sweep = record.header.sweep
    if ledger.ending == COMPLETE or sweep is None:
        return ""
    return f"Not complete: {len(record.done):,} of {sweep.of:,} shards, and this is of those. "
