"""The gate: what changed from a baseline to a new ledger, and whether for the worse."""

from crosscheck.gate.changes import Change, ChangeKind, changes, environment_differences

__all__ = ["Change", "ChangeKind", "changes", "environment_differences"]
