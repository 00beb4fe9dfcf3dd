"""What keeps a sweep from being made."""

from __future__ import annotations


class SweepError(Exception):
    """A sweep that cannot be made as it was asked for; the message is one line that says what to do."""
