"""What changed between two ledgers: places with an old and a new value. It judges nothing; the gate does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from crosscheck.comparison.table import Row
from crosscheck.ledger import Ledger
from crosscheck.report.cells import Cells
from crosscheck.report.matrix import about
from crosscheck.report.texts import error_of

ABSENT = "not there"


class Change(NamedTuple):
    """One difference.

    Attributes:
        where: in words.
        old, new: the values; `ABSENT` where there was or is none.
    """

    where: str
    old: str
    new: str


def changes(older: Ledger, newer: Ledger, old_cells: Cells, new_cells: Cells) -> dict[str, list[Change]]:
    """The differences by kind, in the order in which a reader wants them.

    Args:
        older: the ledger from before.
        newer: the ledger of the page.
        old_cells: the cells of the one.
        new_cells: the cells of the other.
    """
    old, new = ({str(key): row for key, row in cells.items()} for cells in (old_cells, new_cells))
    return {
        "Verdicts, and cells that came or went": list(_compared(_verdicts(old), _verdicts(new))),
        "Worst errors": list(_errors(old, new)),
        "Behaviours": list(_compared(_behaviours(older), _behaviours(newer))),
        "Versions": list(_compared(_versions(older), _versions(newer))),
    }


def _compared(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for where in dict.fromkeys((*new, *old)):
        was, now = old.get(where, ABSENT), new.get(where, ABSENT)
        if was != now:
            yield Change(where, was, now)


def _verdicts(cells: Mapping[str, Row]) -> dict[str, str]:
    return {where: row.verdict for where, row in cells.items()}


def _errors(old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterator[Change]:
    """Of cells that are in both, also where two errors read alike and are not."""
    for where in (where for where in new if where in old):
        was, now = old[where].summary.error, new[where].summary.error
        if (was and was.value) != (now and now.value):
            words = [error_of(was), error_of(now)]
            if words[0] == words[1] and was and now:
                words = [f"{was.value!r} ulp", f"{now.value!r} ulp"]
            yield Change(where, *words)


def _behaviours(ledger: Ledger) -> dict[str, str]:
    return {f"{b.probe} {b.dtype} {b.adapter}": b.value for b in ledger.behaviours}


def _versions(ledger: Ledger) -> dict[str, str]:
    environment = ledger.header.environment
    return {
        "suite": ledger.header.suite,
        **{f"adapter {adapter.name}": about(adapter) for adapter in ledger.header.adapters},
        "python": environment.python,
        "platform": environment.platform,
        "cpu": environment.cpu,
        "blas": environment.blas,
        **{f"package {name}": version for name, version in environment.packages.items()},
        **{f"variable {name}": value for name, value in environment.variables.items()},
    }
