"""What a good ledger says is shown as text and never obeyed; a baseline is replaced whole or not at all."""

from __future__ import annotations

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
    Make,
    assert_escaped,
    bounded,
    data_of,
    files,
    folder_of,
    good_folder,
    pipe,
    put_file,
)

from crosscheck import commands
from crosscheck.escaping import escape_control_characters
from crosscheck.ledger import Ledger, read

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """A minute and 4 GiB of memory more: a command that hangs or swallows what it is given fails alone."""
    with bounded():
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder two levels down, with a good ledger, in which the commands run."""
    monkeypatch.chdir(good_folder(tmp_path))
    return Path.cwd()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: exit code, output and complaints."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = commands.run(list(map(str, arguments)))
        return (code, *capsys.readouterr())

    return command


@pytest.mark.parametrize("name", SAYINGS)
def test_the_gate_shows_what_a_ledger_says_and_nothing_of_it_is_obeyed(
    name: str, run: Run, folder: Path
) -> None:
    said = SAYINGS[name]
    put_file(folder / "new.jsonl", data_of(ledger_of(said)))
    there = files(folder)
    code, printed, complaint = run("gate", "good.jsonl", "new.jsonl", "--summary", "summary.md")
    assert (code, complaint) == (1, "")
    assert files(folder).keys() - there.keys() == {folder / "summary.md"}
    assert_escaped(printed)
    (line,) = (line for line in printed.splitlines() if line.lstrip().startswith("replay "))
    assert shlex.split(line)[2:] == [
        "check",
        escape_control_characters(said),
        "--adapter",
        escape_control_characters(said),
    ]
    assert_harmless((folder / "summary.md").read_text("utf-8"), said)


def assert_harmless(markdown: str, said: str) -> None:
    """A title, a verdict and a table of six columns, which say this, and of which nothing is active."""
    assert_escaped(markdown)
    title, _, _, _, *table = markdown.splitlines()
    assert title == "## good.jsonl and new.jsonl"
    assert {line.count("|") for line in table} == {7}
    assert not re.search(r"[<>`*_\[\]\\~@!$]|(?<!&)#|://|www\.", "".join(table))
    cells = {html.unescape(part.strip()) for line in table for part in line.split("|")}
    assert escape_control_characters(" ".join(said.split())) in cells


def test_a_profile_that_does_not_fit_is_reported_by_one_line(run: Run, folder: Path) -> None:
    for said in SAYINGS.values():
        put_file(folder / "new.jsonl", data_of(Ledger(header("torch", profile=said), small().cells)))
        code, _, complaint = run("gate", "good.jsonl", "new.jsonl")
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
    name: str, run: Run, folder: Path
) -> None:
    make, says = BASELINES[name]
    given = make(folder)
    there = files(folder)
    code, _, complaint = run(
        "gate", given, "good.jsonl", "--accept", "because \udcff"
    )  # bytes that are no text
    now = files(folder)
    if says is None:
        assert (code, complaint) == (0, "")
        assert not Path(given).is_symlink()
        assert [each.why for each in read(Path(given)).acceptances] == [r"because \udcff"]
        assert {path for path in now if now[path] != there.get(path)} - {folder} <= {
            Path(given),
            Path(given).parent,
        }
    else:
        assert code == 2
        assert_one_clear_line(complaint, says)
        assert now == there
