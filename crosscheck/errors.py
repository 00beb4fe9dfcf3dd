"""The errors that a user can mend; a command prints them in one line, without a traceback."""

from __future__ import annotations


class UserError(Exception):
    """What the user gave cannot be used; the message says what is wrong, where, and what to do."""


class OutputError(UserError):
    """The results cannot be written to the output."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot write the output: {why}")
