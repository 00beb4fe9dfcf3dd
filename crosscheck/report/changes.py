"""What changed since an older ledger: the gate's changes, as the template draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from crosscheck.gate import Change, ChangeKind
from crosscheck.gate.command import gate
from crosscheck.gate.show import verdict
from crosscheck.ledger import Ledger, LedgerError
from crosscheck.message import replay

# The title of each kind's table, and the classes of its colour and mark.
TITLES: Final = {
    ChangeKind.REGRESSION: ("Regressions", "bad"),
    ChangeKind.IMPROVEMENT: ("Improvements", "good"),
    ChangeKind.CHANGE: ("Other changes", ""),
    ChangeKind.ENVIRONMENT: ("Changes of the environment", ""),
}


def changes_of(older: Ledger, newer: Ledger) -> dict[str, Any]:
    """What the template draws: a sentence, and a table for each kind of change that there is.

    Ledgers that the gate cannot hold against each other have a sentence on that, and no table.
    """
    try:
        found = gate(older, newer)
    except LedgerError as why:
        return {"is_compared": False, "said": f"Nothing was compared: {why}.", "tables": []}
    return {"is_compared": True, "said": verdict(found), "tables": list(_tables(found))}


def _tables(found: Sequence[Change]) -> Iterator[dict[str, Any]]:
    for kind, group in groupby(found, key=lambda change: change.kind):
        title, look = TITLES[kind]
        lines = [(change, _replay(change)) for change in group]
        yield {
            "title": title,
            "look": look,
            "has_places": kind is not ChangeKind.ENVIRONMENT,  # which is everywhere
            "lines": lines,
        }


def _replay(change: Change) -> str:
    return replay(change.case, change.selector) if change.case else ""
