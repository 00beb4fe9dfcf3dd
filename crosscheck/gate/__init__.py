"""The gate: what changed from a baseline to a new ledger, and whether for the worse."""

from crosscheck.gate.changes import Change, Kind, changes, elsewhere

__all__ = ["Change", "Kind", "changes", "elsewhere"]
