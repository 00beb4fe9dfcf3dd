"""The page of a report, read as a browser reads it."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """The elements of a page, the texts of those that hold text alone, and the rows of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[tuple[str, dict[str, str | None], str]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self._is_in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self._is_in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """A cell of a table ends."""
        self._is_in_cell &= tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        """Keep it with the element that it begins in."""
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if self.cdata_elem is not None:
            self.inline.append((tag, attributes, data))
        else:
            self.words.append(data)
            if self._is_in_cell:
                self.rows[-1][-1] += data

    @property
    def data(self) -> dict[str, Any]:
        """The page's data."""
        (text,) = (text for _, attributes, text in self.inline if attributes.get("id") == "data")
        read: dict[str, Any] = json.loads(text)
        return read

    @property
    def policy(self) -> str:
        """The page's policy."""
        (found,) = (a for tag, a in self.elements if tag == "meta" and "http-equiv" in a)
        return str(found["content"])

    @property
    def kinds(self) -> Counter[tuple[str, ...]]:
        """The number of elements of each kind: the name, and the names of the attributes."""
        return Counter((tag, *attributes) for tag, attributes in self.elements)

    @property
    def code(self) -> list[str]:
        """All that a browser would run, and the styles."""
        return [
            text for tag, attributes, text in self.inline if tag in ("script", "style") and not attributes
        ]
