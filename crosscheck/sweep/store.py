"""The store of a sweep: a directory with a ledger for each shard that is finished, and a plan; and merging.

The file of a shard is complete or does not exist. The plan is the header that the ledgers of all shards must
have. The process that writes to the store holds a lock, which is released when the process ends.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import filelock
import msgspec
from rich.console import Console

from crosscheck.console import console_for, say
from crosscheck.results.ledger import Ledger, LedgerError, begin, read, version_of, write
from crosscheck.results.lines import VERSION, Header
from crosscheck.sweep.display import heading, show
from crosscheck.sweep.job import differences
from crosscheck.sweep.record import MOST_SHARDS, SweepResults, shards_of, to_text

PLAN: Final = "plan.json"
LOCK: Final = "lock"
NAME: Final = re.compile(r"shard-([0-9]{7})\.jsonl")


class Store:
    """A store that this process has locked, so that it alone writes to it.

    Attributes:
        path: the directory.
        header: the header of every ledger in the store, except for the numbers of shards.
    """

    def __init__(self, path: Path, header: Header, lock: filelock.BaseFileLock) -> None:
        self.path, self.header, self._lock = path, header, lock

    @classmethod
    def opened(cls, path: Path, header: Header, *, resume: bool) -> Self:
        """Open a store, and make it if there is none.

        Args:
            path: the directory.
            header: the header of this sweep.
            resume: whether the store may exist already.

        Raises:
            LedgerError: the store exists and ``resume`` is False; it belongs to another sweep or other
                versions; another process has locked it; or it cannot be made.
        """
        lock = _locked(path)
        plan = path / PLAN
        try:
            if plan.exists():
                _check_same(path, header, resume=resume)
            else:
                begin(plan, header)
        except BaseException:
            lock.release()
            raise
        return cls(path, header, lock)

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()

    def keep(self, ledger: Ledger, shard: int) -> None:
        """Write the ledger of a shard; when this returns, the file is on disk.

        Raises:
            LedgerError: the ledger cannot be written.
        """
        write(self.path / f"shard-{shard:07}.jsonl", ledger)


def stored(
    path: Path, header: Header, consequence: str, shards: Container[int] = range(MOST_SHARDS)
) -> Iterator[tuple[Path, Ledger]]:
    """Yield the files and ledgers of shards in a store, in order of the numbers.

    Args:
        path: the directory.
        header: the header that every ledger must have, except for the numbers of shards.
        consequence: what a message says after the error of a ledger that is damaged or of another sweep.
        shards: the numbers of the shards to read.
    """
    for file in sorted(path.iterdir()):
        found = NAME.fullmatch(file.name)
        if found and int(found[1]) in shards:
            try:
                yield file, _shard_in(file, int(found[1]), header)
            except LedgerError as error:
                say(Console(stderr=True), f"{error}; {consequence}")


def _shard_in(file: Path, shard: int, header: Header) -> Ledger:
    """Read the ledger of a shard; raise LedgerError if it is damaged, or of another sweep or shard."""
    ledger = read(file)
    found = differences(header, ledger.header)
    if found or shards_of(ledger.header).both != {shard}:
        raise LedgerError(f"{file}: is of another sweep or shard{''.join(f'; {each}' for each in found)}")
    return ledger


def plan_of(path: Path) -> Header:
    """Read the plan of a store.

    Raises:
        LedgerError: there is none, or it is damaged.
    """
    try:
        data = (path / PLAN).read_bytes()
    except OSError as error:
        raise LedgerError(f"{path}: is no store of a sweep: {PLAN}: {error.strerror}") from None
    if version_of(data) not in (VERSION, None):
        raise LedgerError(f"{path}: was begun in another version of the format; remove the directory")
    try:
        return msgspec.json.decode(data, type=Header)
    except (ValueError, RecursionError):
        raise LedgerError(f"{path}: its {PLAN} is damaged; remove the directory") from None


def _locked(path: Path) -> filelock.BaseFileLock:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path / LOCK, blocking=False)
        lock.acquire()
    except filelock.Timeout:
        raise LedgerError(
            f"{path}: another process sweeps into this store; wait for it, or --store another"
        ) from None
    except OSError as error:
        raise LedgerError(f"{path}: the store cannot be made: {error.strerror or error}") from None
    return lock


def _check_same(path: Path, header: Header, *, resume: bool) -> None:
    if not resume:
        raise LedgerError(f"{path}: has a sweep already; --resume continues it, --store begins one elsewhere")
    if found := differences(plan_of(path), header):
        raise LedgerError(f"{path}: is of another sweep, and cannot be resumed: {'; '.join(found)}")


def merge_and_show(
    paths: Sequence[Path], ledger: Path, *, partial: bool = False, details: bool = False
) -> int:
    """Merge parts of a sweep, which are ledgers and stores; print the report, and return the exit code.

    Args:
        paths: the parts.
        ledger: the file for the merged ledger.
        partial: whether shards may be missing; the ledger then says that it is not complete.
        details: whether the table shows each output, with the extremes.

    Raises:
        LedgerError: a part cannot be read, belongs to another sweep, or has a shard that another part also
            has; or shards are missing.
    """
    results, first = SweepResults(_header(paths[0])), paths[0]
    for path in paths:
        _check_same_sweep(first, results.header, path, _header(path))
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


def _check_same_sweep(first: Path, header: Header, path: Path, other: Header) -> None:
    try:
        shards_of(other)
    except LedgerError as error:
        raise LedgerError(f"{path}: {error}") from None
    if found := differences(header, other):
        raise LedgerError(f"{path}: is of another sweep than {first}: {'; '.join(found)}")


def _parts(path: Path) -> Iterator[tuple[Path, Ledger]]:
    """Yield the ledgers of a part with their files; a damaged one in a store counts as missing."""
    if not path.is_dir():
        yield path, read(path)
        return
    yield from stored(path, plan_of(path), "it counts as missing")


def _missing(results: SweepResults) -> str:
    """Return the numbers of the shards without any result, as text."""
    assert results.header.sweep is not None  # noqa: S101, for mypy: `shards_of` has checked it
    return to_text(set(range(results.header.sweep.of)) - results.done - results.failed_shards)
