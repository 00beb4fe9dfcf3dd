"""`crosscheck merge` merges the parts of a sweep, each a ledger or a store, into one ledger."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from crosscheck.console import console_for, say
from crosscheck.ledger import Header, Ledger, LedgerError, read, write
from crosscheck.sweep.job import differences
from crosscheck.sweep.numbers import to_text
from crosscheck.sweep.record import SweepResults, shards_of
from crosscheck.sweep.show import heading, show
from crosscheck.sweep.store import plan_of, shard_in, stored


def merge_and_show(
    paths: Sequence[Path], ledger: Path, *, partial: bool = False, details: bool = False
) -> int:
    """Merge parts of a sweep, print the report, and return the exit code.

    Args:
        paths: the ledgers and stores.
        ledger: the file for the merged ledger.
        partial: whether shards may be missing; the ledger then says that it is not complete.
        details: whether the table shows each output, with the extremes.

    Raises:
        LedgerError: a part cannot be read, belongs to another sweep, or has a shard that another part also
            has; or shards are missing.
    """
    results, first = SweepResults(_header(paths[0])), paths[0]
    for path in paths:
        _check_same(first, results.header, path, _header(path))
        for file, part in _parts(path):
            try:
                results.add(part)
            except LedgerError as error:
                raise LedgerError(f"{file}: {error}") from None
    missing = _missing(results)
    if missing and not partial:
        raise LedgerError(f"shards that are missing: {missing}; --partial merges what is there")
    merged = results.ledger(complete=not missing)
    console = console_for(terminal=sys.stdout.isatty())
    say(console, *heading(results.header))
    counted = f"{len(results.done):,} shards of {len(paths):,} part{'s' * (len(paths) > 1)}"
    show(results, merged, console, counted, details=details)
    write(ledger, merged)
    say(console, f"Ledger: {ledger}")
    return merged.verdict


def _header(path: Path) -> Header:
    """Return the header of a part."""
    return plan_of(path) if path.is_dir() else read(path).header


def _check_same(first: Path, header: Header, path: Path, other: Header) -> None:
    try:
        shards_of(other)
    except LedgerError as error:
        raise LedgerError(f"{path}: {error}") from None
    if found := differences(header, other):
        raise LedgerError(f"{path}: is of another sweep than {first}: {'; '.join(found)}")


def _parts(path: Path) -> Iterator[tuple[Path, Ledger]]:
    """Yield the ledgers of a part; a damaged ledger in a store is reported and counts as missing."""
    if not path.is_dir():
        yield path, read(path)
        return
    header, console = plan_of(path), Console(stderr=True)
    for shard, file in stored(path):
        try:
            yield file, shard_in(file, shard, header)
        except LedgerError as error:
            say(console, f"{error}; it counts as missing")


def _missing(results: SweepResults) -> str:
    """Return the numbers of the shards without any result, as text."""
    assert results.header.sweep is not None  # noqa: S101, for mypy: `shards_of` has checked it
    return to_text(set(range(results.header.sweep.of)) - results.done - results.failed_shards)
