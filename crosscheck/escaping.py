"""Make texts that come from files safe to print: one line, without control characters."""

from __future__ import annotations

from typing import Final

# How many characters of a message are kept at its start and end: a text from a file may be very long.
FIRST: Final = 500
LAST: Final = 200
GAP: Final = " … "


def escape_control_characters(text: str) -> str:
    r"""Replace every character that is not printable by its escape: ``\x1b``, ``\n``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape_and_shorten(text: str) -> str:
    """Make a message one printable line: escape it, and leave out the middle if it is long."""
    line = escape_control_characters(" ".join(text.split()))
    return line if len(line) <= FIRST + len(GAP) + LAST else f"{line[:FIRST]}{GAP}{line[-LAST:]}"
