"""Malicious ledgers are rejected, what good ones say is only text.

A baseline is replaced whole or not at all.
"""

from __future__ import annotations

import functools
import html
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import assert_one_clear_line
from hostile_ledgers import SAYINGS, ledger_of
from ledgers import header, small
from malicious_files import (
    PICKLE,
    Command,
    Make,
    Row,
    Workplace,
    assert_escaped,
    bounded,
    data_of,
    file_of,
    folder_of,
    linked,
    no_files,
    pipe,
    put_file,
    sealed,
    sparse,
)

from crosscheck.results.ledger import Ledger, read
from crosscheck.text import escape_control_characters


def forged(change: Callable[[list[bytes]], list[bytes]]) -> Make:
    """Make a ledger ``bad.jsonl`` with other lines."""

    def make(folder: Path) -> Path:
        lines = data_of(small()).splitlines(keepends=True)
        changed = change(list(lines))
        assert changed != lines
        return put_file(folder / "bad.jsonl", sealed(changed))

    return make


def at(number: int, old: bytes, new: bytes) -> Make:
    """Make a ledger in which one thing in one line is another."""

    def change(lines: list[bytes]) -> list[bytes]:
        lines[number] = lines[number].replace(old, new, 1)
        return lines

    return forged(change)


def before(number: int, *more: bytes) -> Make:
    """Make a ledger with more lines."""
    return forged(lambda lines: [*lines[:number], *more, *lines[number:]])


ledger = functools.partial(file_of, "bad.jsonl")
HEADER, CELL, FOOTER = 0, 1, -1
ONE_LINE = b'{"format":"gradient-crosscheck ledger","version":3,"text":"%s"}\n'
NO_LEDGER, OTHERWISE = (
    "is no ledger of this suite, or its beginning is damaged",
    "in another form than the suite writes",
)
TIME = b"2026-01-02T03:04:05Z"
FIGURE, DEEP = b'"0x1.8000000000000p+0"', b"[" * 100_000 + b"]" * 100_000
LEDGERS = (
    Row("pickle", ledger(PICKLE), NO_LEDGER),
    Row("utf-16", ledger(lambda: data_of(small()).decode().encode("utf-16")), NO_LEDGER),
    Row("deep-in-the-header", at(HEADER, b'"seed":0', b'"seed":' + DEEP), NO_LEDGER),
    Row("deep-in-a-line", before(1, b'{"kind":' + DEEP + b"}\n"), "line 2: "),
    Row("half-a-character", at(CELL, b'"core"', rb'"\ud800"'), "line 2: "),
    Row("half-a-character-in-bytes", at(CELL, b'"core"', b'"\xed\xa0\x80"'), "line 2: "),
    Row("escapes-for-a-kind", at(CELL, b'"cell"', rb'"\u001b[2J\u202e"'), r"Invalid value '\x1b[2J\u202e'"),
    Row("text-without-end-for-a-kind", at(CELL, b'"cell"', b'"' + b"x" * 10**6 + b'"'), "value 'xxxxxx"),
    Row("another-version", at(HEADER, b'"version":3', b'"version":1'), "version 1 of the format, and this"),
    Row("version-of-4,000-digits", at(HEADER, b'"version":3', b'"version":' + b"9" * 4000), "has version 99"),
    Row("negative-count", at(CELL, b'"cases":7', b'"cases":-7'), "Expected `int` >= 0"),
    Row("huge-count", at(CELL, b'"cases":7', b'"cases":1e400'), "Number out of range"),
    Row("code-for-a-number", at(CELL, FIGURE, b"\"__import__('os').system('touch hit')\""), "is no number"),
    Row("huge-exponent", at(CELL, FIGURE, b'"0x1.8p+9999"'), "is a number that no float64 holds"),
    Row("time-beyond-the-calendar", at(HEADER, TIME, b"9999-12-31T23:59:59-12:00"), "that is not UTC"),
    Row("field-twice", at(CELL, b'"cases":7', b'"cases":8,"cases":7'), OTHERWISE),
    Row("unknown-field", at(CELL, b"{", b'{"extra":1,'), "unknown field `extra`"),
    Row("line-twice", forged(lambda lines: [lines[0], lines[1], *lines[1:]]), OTHERWISE),
    Row("lines-in-another-order", forged(lambda lines: [*lines[:3][::2], lines[1], *lines[3:]]), OTHERWISE),
    Row("no-header", forged(lambda lines: lines[1:]), NO_LEDGER),
    Row("another-count", at(FOOTER, b'"cells":2', b'"cells":3'), OTHERWISE),
    Row("another-digest", at(FOOTER, b'"results":"', b'"results":"0'), "matching regex"),
    Row("another-ending", at(FOOTER, b'"complete"', b'"finished"'), "has an end that this suite does not"),
    Row("a-terabyte", sparse("bad.jsonl"), "has 1099511627776 bytes; at most 67108864 are read"),
    Row("the-systems-memory", linked("bad.jsonl", "/proc/self/pagemap"), NO_LEDGER),
    *no_files("bad.jsonl"),
)  # fmt: skip
LARGE_LEDGERS = (
    Row("one-line", ledger(lambda: ONE_LINE % (b"x" * 20_000_000)), "has no end", 90_000_000),
    Row("lists", ledger(lambda: ONE_LINE % (b'","x":[' + b"[]," * 10**6 + b'[],"')), NO_LEDGER, 15_000_000),
    Row("lines", forged(lambda lines: [lines[0], b"{}\n" * 10**6, *lines[1:]]), "line 2: Object", 13_000_000),
)  # fmt: skip
GATES: tuple[Command, ...] = (
    lambda given, folder: ["gate", given, folder / "good.jsonl"],
    lambda given, folder: ["gate", folder / "good.jsonl", given],
    lambda given, folder: ["gate", folder / "good.jsonl", given, "--accept", "why"],
)
REPORTS: tuple[Command, ...] = (
    lambda given, folder: ["report", given, "--output", folder / "page.html"],
    lambda given, folder: ["report", folder / "good.jsonl", given, "--output", folder / "page.html"],
)


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Workplace]:
    """A folder with a good ledger, in which the commands run with bounds."""
    with bounded(Workplace(tmp_path, capsys)) as found:
        yield found


@pytest.mark.parametrize("row", LEDGERS, ids=lambda row: row.name)
def test_what_is_malicious_is_rejected_by_every_command_and_leaves_nothing(
    row: Row, place: Workplace
) -> None:
    place.assert_rejected(row, *GATES, *REPORTS)


@pytest.mark.parametrize("row", LARGE_LEDGERS, ids=lambda row: row.name)
def test_what_is_large_is_rejected_without_taking_as_much_memory(row: Row, place: Workplace) -> None:
    place.assert_rejected(row, GATES[1])


@pytest.mark.parametrize("name", SAYINGS)
def test_the_gate_shows_what_a_ledger_says_and_nothing_of_it_is_obeyed(name: str, place: Workplace) -> None:
    said = SAYINGS[name]
    put_file(place.folder / "new.jsonl", data_of(ledger_of(said)))
    there = place.files()
    code, printed, complaint = place.run("gate", "good.jsonl", "new.jsonl", "--summary", "summary.md")
    assert (code, complaint) == (1, "")
    assert place.files().keys() - there.keys() == {place.folder / "summary.md"}
    assert_escaped(printed)
    (line,) = (line for line in printed.splitlines() if line.lstrip().startswith("replay "))
    assert shlex.split(line)[2:] == [
        "check",
        escape_control_characters(said),
        "--adapter",
        escape_control_characters(said),
    ]
    assert_harmless((place.folder / "summary.md").read_text("utf-8"), said)


def assert_harmless(markdown: str, said: str) -> None:
    """A title, a verdict and a table of six columns, which say this, and of which nothing is active."""
    assert_escaped(markdown)
    title, _, _, _, *table = markdown.splitlines()
    assert title == "## good.jsonl and new.jsonl"
    assert {line.count("|") for line in table} == {7}
    assert not re.search(r"[<>`*_\[\]\\~@!$]|(?<!&)#|://|www\.", "".join(table))
    cells = {html.unescape(part.strip()) for line in table for part in line.split("|")}
    assert escape_control_characters(" ".join(said.split())) in cells


def test_a_profile_that_does_not_fit_is_reported_by_one_line(place: Workplace) -> None:
    for said in SAYINGS.values():
        put_file(place.folder / "new.jsonl", data_of(Ledger(header("torch", profile=said), small().cells)))
        code, _, complaint = place.run("gate", "good.jsonl", "new.jsonl")
        assert code == 2
        assert_one_clear_line(complaint, "the baseline is of profile compare, the new ledger of ")
        assert_escaped(complaint)


def beyond(data: bytes | None) -> Make:
    """A link to a file elsewhere, which holds this; None: which is not there."""

    def make(folder: Path) -> Path:
        if data is not None:
            put_file(folder.parent / "elsewhere", data)
        (folder / "base.jsonl").symlink_to(folder.parent / "elsewhere")
        return folder / "base.jsonl"

    return make


def closed(folder: Path) -> Path:
    """A baseline in a folder that takes no files."""
    if os.geteuid() == 0:
        pytest.skip("nothing is closed to root")
    (folder / "closed").mkdir(mode=0o555)
    return folder / "closed" / "base.jsonl"


# By name: it, and what the complaint says; None: it is accepted.
BASELINES: dict[str, tuple[Make, str | None]] = {
    "new": (lambda folder: folder / "more" / "base.jsonl", None),
    "link-to-a-baseline": (beyond(data_of(small())), None),
    "link-to-nothing": (beyond(None), None),
    "link-to-something-else": (
        beyond(b"export PATH\n"),
        "is no ledger of this suite, or its beginning is damaged",
    ),
    "below-a-file": (lambda folder: folder / "good.jsonl" / "base.jsonl", "cannot be written"),
    "in-a-closed-folder": (closed, "cannot be written: Permission denied"),
    "in-a-folder-of-the-system": (
        lambda _: "/proc/base.jsonl",
        "/proc/base.jsonl: the ledger cannot be written",
    ),
    "folder": (folder_of("base.jsonl"), "is no regular file"),
    "pipe": (pipe("base.jsonl"), "is no regular file"),
    "device": (lambda _: "/dev/null", "/dev/null: is no regular file"),
    "name-too-long": (lambda folder: folder / ("x" * 300), "cannot be written: File name too long"),
}


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_replaced_whole_or_not_at_all_and_never_through_a_link(
    name: str, place: Workplace
) -> None:
    make, says = BASELINES[name]
    given = make(place.folder)
    there = place.files()
    code, _, complaint = place.run(
        "gate", given, "good.jsonl", "--accept", "because \udcff"
    )  # bytes that are no text
    now = place.files()
    if says is None:
        assert (code, complaint) == (0, "")
        assert not Path(given).is_symlink()
        assert [each.why for each in read(Path(given)).acceptances] == [r"because \udcff"]
        assert {path for path in now if now[path] != there.get(path)} - {place.folder} <= {
            Path(given),
            Path(given).parent,
        }
    else:
        assert code == 2
        assert_one_clear_line(complaint, says)
        assert now == there
