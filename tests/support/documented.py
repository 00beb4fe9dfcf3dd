"""The shell commands that the documentation prints, for the test that executes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

ROOT: Final = Path(__file__).parents[2]
FENCE: Final = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```[^\n]*$", re.DOTALL | re.MULTILINE)
INDENTED: Final = re.compile(r"(?<=\n\n)(?: {4}[^\n]*\n)+")
SPAN: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
# Patterns for a comment after a command, and for the end of a line that is continued on the next.
NOTE: Final = re.compile(r"(?:^|\s+)#\s.*$")
GOES_ON: Final = re.compile(r"\s*\\\n\s*")
# A pattern for the beginning of a shell line: variable assignments, then a program.
SETTINGS: Final = r"(?:[A-Z_]+=(?:<[^>]*>|\S*) )*"
INLINE: Final = r"(?:\.venv/bin/[\w-]+|make|crosscheck|bash|pip|pipx|uv|uvx)"
COMMAND: Final = re.compile(rf"{SETTINGS}{INLINE}\s")
LINE: Final = re.compile(
    rf"{SETTINGS}(?:{INLINE}|[\w./-]*bin/\w+|python[\d.]*|pytest|dask|git|for|cd|export|source)\s"
)
REPLAY: Final = re.compile(r"\breplay\s+(\S*crosscheck .*)$")
SHELLS: Final = ("", "bash", "sh", "shell", "console")


def documents() -> list[Path]:
    """List the documents for users and contributors."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(text: str) -> Iterator[str]:
    """Every shell command of a page in Markdown, without notes, each on one line where the page has one.

    A script, and what a workflow runs, is one command.
    """
    for found in FENCE.finditer(text):
        indent, language, block = len(found[1]), found[2].strip(), found[3]
        yield from _of_block(language, re.sub(rf"^ {{{indent}}}", "", block, flags=re.MULTILINE))
    prose = FENCE.sub("\n", text)
    for found in INDENTED.finditer(prose):
        yield from _of_block("", re.sub(r"^ {4}", "", found[0], flags=re.MULTILINE))
    for found in SPAN.finditer(INDENTED.sub("\n", prose)):
        span = " ".join(found[1].split())
        if COMMAND.match(span):
            yield span


def _of_block(language: str, block: str) -> Iterator[str]:
    if language == "yaml":
        yield from _run(YAML(typ="safe", pure=True).load(block))
    elif language in SHELLS and block.startswith("#!"):
        yield block.strip()
    elif language in SHELLS:
        lines = [NOTE.sub("", line).rstrip() for line in GOES_ON.sub(" ", block).splitlines()]
        there = [line for line in lines if line]
        if language or (there and LINE.match(there[0])):
            yield from _statements(there)
        else:
            yield from (found[1] for line in lines if (found := REPLAY.search(line)))


def _statements(lines: list[str]) -> Iterator[str]:
    """Yield the shell statements of some lines; a whole loop is one statement."""
    loop: list[str] = []
    for line in lines:
        if loop or line.startswith("for "):
            loop.append(line)
            if line == "done":
                yield "\n".join(loop)
                loop = []
        else:
            yield line
    if loop:
        raise AssertionError(f"a loop that does not end: {loop[0]}")


def _run(content: Any) -> Iterator[str]:
    """Yield the commands that a workflow's steps run in a shell."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in ("run", "script"):
                yield (value if isinstance(value, str) else "\n".join(value)).strip()
            else:
                yield from _run(value)
    elif isinstance(content, list):
        for each in content:
            yield from _run(each)
