"""The commands of sweeps: mistakes are one line, and a terminal shows how far a sweep is."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from sweeps import COMMAND, ROOT

from adapters import load
from crosscheck.cli.commands import run
from crosscheck.cli.sweep import sweep
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.results.ledger import read as read_ledger
from crosscheck.sweep import display as shown
from tests.faulty_adapters.toy import Toy

IMPORT_ERROR = "tests.faulty_adapters.import_error:any"


@pytest.mark.parametrize(
    ("forgotten", "missing", "command"),
    [
        (("random", "bulk", "shard", "result_groups"), "xxhash", ["sweep", "random", "--only", "numpy"]),
        (("merging", "store"), "filelock", ["merge", "nowhere", "--ledger", "ledger.jsonl"]),
    ],
    ids=["sweep", "merge"],
)
def test_what_is_not_installed_is_said(
    forgotten: tuple[str, ...],
    missing: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in forgotten:
        monkeypatch.delitem(sys.modules, f"crosscheck.sweep.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    assert run(command) == 2
    assert f"sweep needs {missing}: pip install -e '.[sweep]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["random", "--size", "1x3"], "'1x3' is not a size; write m, n and p as in 1x3x1"),
        (["random", "--size", "1x0x1"], "'1x0x1' is not a size"),
        (["random", "--size", "100000x3x1"], "--size: shape 4096x100000x3x1 has"),
        (["random", "--dtype", "float63"], "did you mean 'float64'?"),
        (["exhaustive", "--dtype", "float64"], "--dtype: unknown 'float64'"),
        (["regimes", "--regime", "ordinry"], "did you mean 'ordinary'?"),
        (["random", "--shard", "5/4"], "write I/N with I from 1 to N"),
        (
            ["random", "--problems", "1", "--shard", "5/5"],
            "--shard 5/5: the sweep has 2 shards, none of which is in this part",
        ),
        (
            ["random", "--workers", "2", "--scheduler", "tcp://127.0.0.1:9"],
            "--workers cannot be combined with --scheduler",
        ),
        (["random", "--workers", "0"], "--workers"),
        (["random", "--problems", "9" * 15], "a sweep has at most 1,000,000; make them larger"),
        (
            ["random", "--adapter", "tests.faulty_adapters.import_error:any"],
            "the planted framework is not here",
        ),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_a_sweep_that_cannot_be_is_one_line_and_exit_code_2(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    places = ["--only", "numpy", "--store", str(store), "--journal", str(tmp_path / "journal")]
    assert run(["sweep", *options, *places]) == 2
    told = capsys.readouterr().err
    assert told.startswith("crosscheck: error: ")
    assert said in told
    assert told.count("\n") == 1
    assert not store.exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "cells"),
    [
        (["random", "--problems", "5000", "--dtype", "float16"], {"crossed", "mixed"}),
        (["exhaustive", "--dtype", "bfloat16"], {"subnormal", "ordinary", "saturated_low", "non_finite"}),
        (["regimes", "--problems", "1", "--dtype", "float16", "--regime", "zeros"], {"zeros"}),
    ],
    ids=["random", "exhaustive", "regimes"],
)
def test_a_sweep_of_an_adapter_leaves_a_ledger(options: list[str], cells: set[str], tmp_path: Path) -> None:
    places = ["--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal")]
    ledger = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "crosscheck.cli", "sweep", *options, "--only", "numpy"]
    told = subprocess.run(
        [*command, *places, "--ledger", str(ledger)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Within bounds: numpy: " in told.stdout
    assert cells <= {cell.regime.split()[0] for cell in read_ledger(ledger).cells}


@pytest.mark.long
def test_a_terminal_shows_rate_shards_and_the_worst_so_far(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 160))
    places = ["--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal"), "--seconds", "0.5"]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [*COMMAND, *places], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs, env=environment
    ) as client:
        os.close(theirs)
        seen = b""
        while part := read(ours):
            seen += part
    os.close(ours)
    assert client.returncode == 0
    for part in (b"4/4 shards", b"problems/s", b"worst ", b" ulp, numpy float64"):
        assert part in seen


def test_where_there_is_no_terminal_a_line_now_and_then_shows_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shown, "MINUTE", 0.0)
    cells = Toy().run(0, {"numpy": InProcessAdapter(load("numpy"))}).cells
    with shown.progress(4, 8) as bar:
        bar.advance(2, cells)
        bar.advance(2, {})
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "4 shards with 8 problems to do"
    assert [line.partition(",")[0] for line in lines[1:]] == ["1/4 shards", "2/4 shards", "2/4 shards done"]
    for line in lines[1:3]:
        assert re.search(r"[\d,]+ problems/s, [\d,]+ s left, worst [\d.]+ ulp, numpy float64$", line), line


def read(descriptor: int) -> bytes:
    """What there is; nothing when the other side is closed, which Linux calls an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize("name", ["merge", *(f"sweep {kind}" for kind in sweep.commands)])
def test_help_says_what_there_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == 0
    assert "--ledger FILE" in capsys.readouterr().out
