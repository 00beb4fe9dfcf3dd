"""The commands of sweeps: mistakes are one line, and a terminal shows how far a sweep is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from sweeps import COMMAND, ROOT

from crosscheck.commands import run
from crosscheck.sweep.command import KINDS


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard", "5/4"], "write I/N with I from 1 to N"),
        (["--shard", "5/5"], "none of which is in this part"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "--workers does not go with --scheduler"),
        (["--workers", "0"], "--workers"),
        (["--shards", "1000001"], "a sweep has at most 1,000,000; make them larger"),
        (["--adapter", "tests.planted.import_error:any"], "the planted framework is not here"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_the_call_is_one_line_and_exit_code_2(
    options: list[str], said: str, tmp_path: Path
) -> None:
    ways = ["--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal")]
    told = subprocess.run(
        [*COMMAND, *ways, *options], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 2
    assert told.stderr.startswith("crosscheck: error: ")
    assert said in told.stderr
    assert told.stderr.count("\n") == 1


def test_what_is_not_installed_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for module in ("merging", "store"):
        monkeypatch.delitem(sys.modules, f"crosscheck.sweep.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "filelock", None)
    assert run(["merge", str(tmp_path), "--ledger", str(tmp_path / "ledger.jsonl")]) == 2
    assert "sweep needs filelock: pip install -e '.[cli,sweep]'" in capsys.readouterr().err


@pytest.mark.long
def test_a_terminal_shows_rate_shards_and_the_worst_so_far(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 160))
    ways = ["--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal"), "--seconds", "0.5"]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [*COMMAND, *ways], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs, env=environment
    ) as client:
        os.close(theirs)
        shown = b""
        while part := read(ours):
            shown += part
    os.close(ours)
    assert client.returncode == 0
    for part in (b"4/4 shards", b"problems/s", b"worst ", b" ulp, numpy float64"):
        assert part in shown


def read(descriptor: int) -> bytes:
    """What there is; nothing when the other side is closed, which Linux calls an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize("name", ["merge", *(f"sweep {kind}" for kind in KINDS)])
def test_help_says_what_there_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == 0
    assert "--ledger FILE" in capsys.readouterr().out
