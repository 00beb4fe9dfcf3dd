"""The gate: it finds what changed from a baseline to a new ledger, and whether anything became worse."""

from crosscheck.gate.changes import Change, ChangeKind, changes, environment_differences

__all__ = ["Change", "ChangeKind", "changes", "environment_differences"]
