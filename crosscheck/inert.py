"""Texts from files and their names, for a terminal: one line, and nothing in it that a terminal obeys."""

from __future__ import annotations

from typing import Final

# Characters of an error that are shown: what a file says may be as long as the file.
FIRST: Final = 500
LAST: Final = 200
GAP: Final = " … "


def inert(text: str) -> str:
    r"""The text with every character that is no sign on paper as its escape: ``\x1b``, ``\n``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def told(text: str) -> str:
    """The same for the message of an error; the middle of a long one is left out."""
    shown = inert(" ".join(text.split()))
    return shown if len(shown) <= FIRST + len(GAP) + LAST else f"{shown[:FIRST]}{GAP}{shown[-LAST:]}"
