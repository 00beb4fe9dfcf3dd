"""The store of a sweep: a directory with a ledger for each shard that is finished, and a plan.

The file of a shard is complete or does not exist. The plan is the header that the ledgers of all shards must
have. The process that writes to the store holds a lock, which is released when the process ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import filelock
import msgspec

from crosscheck.results.ledger import Ledger, LedgerError, begin, read, version_of, write
from crosscheck.results.lines import VERSION, Header
from crosscheck.sweep.identity import differences
from crosscheck.sweep.record import shards_of

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


def stored(path: Path) -> Iterator[tuple[int, Path]]:
    """Yield the number and the file of each shard in a store, in order."""
    for file in sorted(path.iterdir()):
        if found := NAME.fullmatch(file.name):
            yield int(found[1]), file


def shard_in(file: Path, shard: int, header: Header) -> Ledger:
    """Read the ledger of a shard.

    Raises:
        LedgerError: the file is damaged, or belongs to another sweep or another shard.
    """
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
