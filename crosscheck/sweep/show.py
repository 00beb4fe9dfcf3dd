"""What a sweep says on the terminal: versions, table, faults, and one line at the end."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator

from rich.console import Console

from crosscheck.comparison.report import draw, say
from crosscheck.comparison.table import tables
from crosscheck.inert import inert
from crosscheck.ledger import Fault, Header, Ledger
from crosscheck.ledger.records import COMPLETE, NO_VERDICT
from crosscheck.sweep.record import Record

# Faults that are told; the ledger has all.
TOLD = 20


def heading(header: Header) -> Iterator[str]:
    """What is swept, with the versions."""
    yield f"Gradient Crosscheck {header.suite}, Python {platform.python_version()}, seed {header.seed}"
    yield header.profile[:1].upper() + header.profile[1:]
    yield from (f"  {inert(one.name)}: {inert(one.about)}" for one in header.adapters)


def show(record: Record, ledger: Ledger, console: Console, counted: str) -> None:
    """Print the report, from the table on.

    Args:
        record: of what was swept.
        ledger: the same.
        console: where to.
        counted: how many problems there were, in how long.
    """
    draw(console, tables(record.rows, console.width))
    say(
        console, "", *_faults(record.faults), _verdict(record, ledger), f"{counted}; results {ledger.results}"
    )


def _faults(faults: Iterable[Fault]) -> Iterator[str]:
    for title, is_late in (("Faults:", False), ("No verdict:", True)):
        told = sorted(
            (fault.who, fault.what) for fault in faults if fault.what.startswith(NO_VERDICT) == is_late
        )
        if told:
            yield title
            yield from (f"  {inert(who)}: {inert(what)}" for who, what in told[:TOLD])
            if len(told) > TOLD:
                yield f"  and {len(told) - TOLD:,} more, which a ledger has"
            yield ""


def _verdict(record: Record, ledger: Ledger) -> str:
    """In a line."""
    sweep = record.header.sweep
    if ledger.ending != COMPLETE and sweep is not None:
        against = f" ({'; '.join(record.reasons)})" if ledger.verdict else ""
        return f"Not complete: {len(record.done):,} of {sweep.of:,} shards{against}; the table is of those."
    if ledger.verdict:
        return f"No agreement ({'; '.join(record.reasons)})."
    return f"Agreement of {', '.join(one.name for one in record.header.adapters)}."
