"""What the gate found, for people at a terminal and as Markdown for the summary of a CI job."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crosscheck.gate.changes import Change, Kind
from crosscheck.inert import inert
from crosscheck.message import replay

# GitHub cuts a summary off, with an error, at 1 MiB; the end must fit, too.
MOST_BYTES: Final = 2**20 - 2**12
# Of one kind, adapter and fact; the ledgers have all of them.
MOST_ALIKE: Final = 8
# Characters of a place or a value in a table, and of an input in the summary: no row pushes out the others.
MOST_SHOWN: Final = 400
MOST_OF_INPUT: Final = 2**13
# What Markdown, HTML or GitHub would take for its own: signs, and the beginnings of addresses.
ACTIVE: Final = re.compile(r"[&<>|`*_\[\]\\~@#!$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
STYLES: Final = {Kind.REGRESSION: "bold red", Kind.IMPROVEMENT: "green"}


def verdict(found: Sequence[Change]) -> str:
    """The last line: how many changes of each kind there are."""
    counts = Counter(change.kind for change in found)
    if not found:
        return "Nothing changed."
    told = ", ".join(_counted(kind, counts[kind]) for kind in Kind if counts[kind])
    return f"{told[0].upper()}{told[1:]}."


def _counted(kind: Kind, count: int) -> str:
    names = {Kind.ENVIRONMENT: "change of the environment", Kind.CHANGE: "other change"}
    name = names.get(kind, str(kind))
    plural = name.replace("change", "changes", 1) if "change" in name else f"{name}s"
    return f"{count:,} {name if count == 1 else plural}"


def some(found: Sequence[Change]) -> Iterator[Change | str]:
    """The changes, but of many alike only the first; then how many more there are."""
    alike = Counter((c.kind, c.adapter, c.what) for c in found)
    seen: Counter[tuple[Kind, str, str]] = Counter()
    for change in found:
        key = change.kind, change.adapter, change.what
        seen[key] += 1
        if not change.adapter or seen[key] <= MOST_ALIKE:
            yield change
        if change.adapter and seen[key] == alike[key] > MOST_ALIKE:
            yield f"{alike[key] - MOST_ALIKE:,} more like this: {change.adapter} {change.what}"


def show(found: Sequence[Change], console: Console) -> None:
    """Print the changes; nothing that the ledgers say is markup, nor anything else that a terminal obeys."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("", "where", "what", "old", "new"):
        table.add_column(heading, overflow="fold")
    replays: list[str] = []
    for each in some(found):
        if isinstance(each, str):
            table.add_row("", _shown(each))
            continue
        cells = (str(each.kind), each.where, each.what, each.old, each.new)
        table.add_row(*map(_shown, cells), style=STYLES.get(each.kind))
        if each.kind is Kind.REGRESSION and each.case:
            line = replay(inert(each.case), inert(each.selector))
            replays += [f"  {_shown(each.where)}", f"    replay  {line}"]
    if table.row_count:
        console.print(table)
    for line in (*replays, verdict(found)):
        console.print(Text(line), soft_wrap=True)


def _shown(text: str) -> Text:
    """A text of a ledger as it may be printed."""
    return Text(_cut(inert(text)))


def _cut(text: str, most: int = MOST_SHOWN) -> str:
    """The text, or its beginning."""
    return text if len(text) <= most else f"{text[:most]}…"


def markdown(found: Sequence[Change], title: str) -> str:
    """The same for the summary of a CI job, within its limit."""
    lines = [f"## {_inert(title)}", "", verdict(found), ""]
    if found:
        lines += ["| | where | what | old | new | input |", "|---|---|---|---|---|---|"]
    size = sum(len(line.encode()) + 1 for line in lines)
    for each in some(found):
        line = f"| | {_inert(each)} | | | | |" if isinstance(each, str) else _row(each)
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            lines.append("| | and more, which the ledgers have | | | | |")
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _row(change: Change) -> str:
    texts = (change.kind, change.where, change.what, change.old, change.new)
    cells = (*map(_inert, texts), _inert(change.case, MOST_OF_INPUT))
    return f"| {' | '.join(cells)} |"


def _inert(text: str, most: int = MOST_SHOWN) -> str:
    """The text, or its beginning, with nothing that Markdown or HTML would take for its own, on one line."""
    return ACTIVE.sub(lambda sign: f"&#{ord(sign.group())};", _cut(inert(" ".join(text.split())), most))
