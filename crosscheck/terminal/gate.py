"""The report of the gate, for a terminal and as Markdown for the summary of a CI job."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final

from rich.console import Console
from rich.text import Text

from crosscheck.explain.message import replay
from crosscheck.results.changes import Change, ChangeKind
from crosscheck.text import escape_control_characters

# In bytes: GitHub cuts a summary off at 1 MiB with an error, and the last lines must fit in as well.
MOST_BYTES: Final = 2**20 - 2**12
# The most changes of one kind, adapter and fact that are shown; the ledgers have all of them.
MOST_ALIKE: Final = 8
# Up to so many pairs of adapter and dtype have a line each; if there are more, each dtype has one line.
MOST_GROUPS: Final = 16
# The width of the longest name of a kind, and two columns.
INDENT: Final = max(map(len, ChangeKind)) + 2
# The most characters of a place or a value in a table, and of an input in the summary.
MOST_SHOWN: Final = 400
MOST_OF_INPUT: Final = 2**13
# Text that Markdown, HTML or GitHub would interpret: special characters, and the beginnings of addresses.
ACTIVE: Final = re.compile(r"[&<>|`*_\[\]\\~@#!$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
STYLES: Final = {ChangeKind.REGRESSION: "bold red", ChangeKind.IMPROVEMENT: "green"}


def verdict(found: Sequence[Change], was: str = "the baseline", now: str = "the new ledger") -> str:
    """Make the first line, which says whether anything is worse.

    Args:
        found: all changes.
        was: the name of the old ledger in the text.
        now: the name of the new ledger in the text.
    """
    regressions = sum(change.kind is ChangeKind.REGRESSION for change in found)
    if regressions:
        return f"{_counted(ChangeKind.REGRESSION, regressions)}: {now} is worse than {was}."
    return f"No regression: {now} is no worse than {was}."


def counts(found: Sequence[Change]) -> str:
    """Say how many changes of each kind there are."""
    if not found:
        return "Nothing changed."
    there = Counter(change.kind for change in found)
    return f"Changed: {', '.join(_counted(kind, there[kind]) for kind in ChangeKind if there[kind])}."


def _counted(kind: ChangeKind, count: int) -> str:
    names = {ChangeKind.ENVIRONMENT: "change of the environment", ChangeKind.CHANGE: "other change"}
    name = names.get(kind, str(kind))
    plural = name.replace("change", "changes", 1) if "change" in name else f"{name}s"
    return f"{count:,} {name if count == 1 else plural}"


def condense(found: Sequence[Change], *, everything: bool = False) -> Iterator[Change | str]:
    """Yield the changes that are shown one by one, and a line for each group that is only counted.

    Args:
        found: all changes.
        everything: whether each change is shown. Otherwise changes that the environment explains are counted,
            and of many similar changes only the first are shown.
    """
    if everything:
        yield from found
        return
    yield from _some([change for change in found if not change.is_explained])
    yield from explained([change for change in found if change.is_explained])


def explained(found: Sequence[Change]) -> Iterator[str]:
    """Say for each cause how many changes it explains, then for each adapter and dtype which ones."""
    causes: dict[str, dict[tuple[str, str], Counter[str]]] = {}
    for change in found:
        groups = causes.setdefault(change.cause, {})
        groups.setdefault((change.adapter, change.dtype), Counter())[change.what] += 1
    for cause, groups in causes.items():
        count = _counted(ChangeKind.CHANGE, sum(map(Counter.total, groups.values())))
        yield f"{count}, explained by {cause}; gate --all shows each:"
        shown = groups if len(groups) <= MOST_GROUPS else _by_dtype(groups)
        for (who, dtype), each in sorted(shown.items()):
            yield f"  {who} {dtype}: {'; '.join(_phrases(each))}"


def _by_dtype(groups: Mapping[tuple[str, str], Counter[str]]) -> dict[tuple[str, str], Counter[str]]:
    """Add up the counts of all adapters for each dtype."""
    found: dict[str, Counter[str]] = {}
    for (_, dtype), counts in groups.items():
        found.setdefault(dtype, Counter()).update(counts)
    many = Counter(dtype for _, dtype in groups)
    return {(f"{many[dtype]} adapters in", dtype): counts for dtype, counts in found.items()}


def _phrases(counts: Mapping[str, int]) -> Iterator[str]:
    worst, behaviours = counts.get("worst ulp", 0), counts.get("behaviour", 0)
    if cells := counts.get("bits", 0) + worst:
        also = f", and another worst error in {worst:,} of them" if worst else ""
        yield f"other bits in {cells:,} cell{'s' * (cells > 1)}{also}"
    if behaviours:
        yield f"{behaviours:,} other behaviour{'s' * (behaviours > 1)}"


def _some(found: Sequence[Change]) -> Iterator[Change | str]:
    """Yield the changes, but only the first of many similar ones, and then how many more there are."""
    alike = Counter((c.kind, c.adapter, c.what) for c in found)
    seen: Counter[tuple[ChangeKind, str, str]] = Counter()
    for change in found:
        key = change.kind, change.adapter, change.what
        seen[key] += 1
        if not change.adapter or seen[key] <= MOST_ALIKE:
            yield change
        if change.adapter and seen[key] == alike[key] > MOST_ALIKE:
            yield f"{alike[key] - MOST_ALIKE:,} more like this: {change.adapter} {change.what}"


def show(
    found: Sequence[Change], console: Console, said: Sequence[str] | None = None, *, everything: bool = False
) -> None:
    """Print the verdict, then the changes; control characters in the ledgers' texts are escaped.

    Args:
        found: all changes.
        console: the console to print to; nothing is cut off, whatever its width.
        said: the first lines; None: the verdict.
        everything: see `condense`.
    """
    for line in said or [verdict(found)]:
        _print(console, escape_control_characters(line))
    _print(console, counts(found))
    for each in condense(found, everything=everything):
        if isinstance(each, str):
            _print(console, escape_control_characters(each), indent=4)
            continue
        _print(console, f"{each.kind:{INDENT}}{_sentence(each)}", STYLES.get(each.kind), indent=INDENT)
        if each.kind is ChangeKind.REGRESSION and each.case:
            line = replay(escape_control_characters(each.case), escape_control_characters(each.selector))
            console.print(Text(f"{'':{INDENT}}replay  {line}"), soft_wrap=True)  # one line, to be pasted


def _print(console: Console, text: str, style: str | None = None, indent: int = 0) -> None:
    """Print a text; on a terminal it is wrapped to the width."""
    if console.is_terminal:
        text = textwrap.fill(text, console.width, subsequent_indent=" " * indent, break_on_hyphens=False)
    console.print(Text(text, style or ""), soft_wrap=True)


def _sentence(change: Change) -> str:
    """Describe a change in one line: where it is, what changed, and the old and the new value."""
    old, new = _pair(change)
    where, what = _cut(escape_control_characters(change.where)), _cut(escape_control_characters(change.what))
    return f"{where}: {what} {old} -> {new}" if where else f"{what}: {old} -> {new}"


def _pair(change: Change) -> tuple[str, str]:
    """Return the old and the new value, escaped; of long values the part in which they differ."""
    old, new = escape_control_characters(change.old), escape_control_characters(change.new)
    if _cut(old) == _cut(new):
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
        old, new = (f"…{value[max(0, same - MOST_SHOWN // 2) :]}" for value in (old, new))
    return _cut(old), _cut(new)


def _cut(text: str, most: int = MOST_SHOWN) -> str:
    """Return the text, or its beginning if it is too long."""
    return text if len(text) <= most else f"{text[:most]}…"


def markdown(
    found: Sequence[Change], title: str, said: str | None = None, *, everything: bool = False
) -> str:
    """Make the report in Markdown for the summary of a CI job, within the limit of its size."""
    lines = [
        f"## {_escape_markdown(title)}",
        "",
        f"{_escape_markdown(said or verdict(found))} {counts(found)}",
        "",
    ]
    if found:
        lines += ["| | where | what | old | new | input |", "|---|---|---|---|---|---|"]
    size = sum(len(line.encode()) + 1 for line in lines)
    for each in condense(found, everything=everything):
        line = f"| | {_escape_markdown(each)} | | | | |" if isinstance(each, str) else _row(each)
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            lines.append("| | and more, which the ledgers have | | | | |")
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _row(change: Change) -> str:
    texts = (change.kind, change.where, change.what, *_pair(change))
    cells = (*map(_escape_markdown, texts), _escape_markdown(change.case, MOST_OF_INPUT))
    return f"| {' | '.join(cells)} |"


def _escape_markdown(text: str, most: int = MOST_SHOWN) -> str:
    """Return the text, or its beginning, on one line, with the syntax of Markdown and HTML escaped."""
    return ACTIVE.sub(
        lambda sign: f"&#{ord(sign.group())};", _cut(escape_control_characters(" ".join(text.split())), most)
    )
