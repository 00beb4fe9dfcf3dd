"""The pictures of the findings, and how their command may end."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from swept import HIGH, Cells, head, of, worst

from crosscheck.results.ledger import Ledger, write
from crosscheck.results.summary import Number, Summary, Worst
from crosscheck.sweep.exhaustive import MEASURED, intervals
from reference.formats import FORMATS
from tools.findings import plots
from tools.findings.__main__ import run
from tools.findings.steps import Step

pytestmark = pytest.mark.long


def test_a_picture_is_small_opaque_and_the_same_again(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = [each.name for each in intervals(FORMATS["float32"]) if each.name != "non_finite"]
    cells: Cells = {}
    for place, regime in enumerate(names):
        for output in MEASURED:
            for name in ("jax-jit", "numpy", "torch"):
                cells |= of(name, regime, output, error=worst(0.01 + place % 7, 0.5))
    write(tmp_path / "ledger.jsonl", Ledger(head(), cells))
    files: list[bytes] = []
    for page in ("one.md", "two.md"):
        assert run([str(tmp_path / "ledger.jsonl"), "--output", str(tmp_path / page)]) == 0
        assert f"]({page[:-3]}/float32.svg)" in (tmp_path / page).read_text("utf-8")
        (picture,) = (tmp_path / page).with_suffix("").iterdir()
        files.append(picture.read_bytes())
    assert files[0] == files[1]
    assert len(files[0]) < 100_000
    assert b"fill: #ffffff" in files[0]
    assert b"date>" not in files[0]
    assert [name for name in ("jax-jit", "numpy", "torch") if name.encode() not in files[0]] == []


def test_a_line_has_a_step_for_each_interval_and_a_gap_where_there_is_none() -> None:
    def step(low: float, high: float, value: float) -> Step:
        return Step("ordinary", low, high, Summary(error=Worst(Number(value), "", (), "")))

    steps = [step(-200, -100, 1), step(-100, 0, 2), step(10, 11, 1e-9), step(11, 12, 9)]
    line = list(plots._line(steps, 110))
    assert [z for z, value in line if math.isnan(value)] == [0, 110]
    steps_there = [each for each in line if not math.isnan(each[1])]
    assert steps_there == [(-110, 1), (-100, 1), (-100, 2), (0, 2), (10, 0.01), (11, 0.01), (11, 9), (12, 9)]


def test_steps_thinner_than_a_line_show_their_larger_error() -> None:
    thin = 2.0 ** math.floor(math.log2(0.25 * 110 / plots.NARROW))  # whose multiples are exact
    steps = [
        Step("ordinary", k * thin, (k + 1) * thin, Summary(error=Worst(Number(1 + k % 3), "", (), "")))
        for k in range(4)
    ]
    found = list(plots._visible([*steps, Step("ordinary", 4 * thin, 50, steps[0].summary)], 110))
    assert found == [(0, 4 * thin, 3), (4 * thin, 50, 1)]


def refused(folder: Path, *ledgers: Ledger) -> int:
    """The exit code; nothing is written."""
    paths = [folder / f"{number}.jsonl" for number in range(len(ledgers))]
    for path, ledger in zip(paths, ledgers, strict=True):
        write(path, ledger)
    code = run([*map(str, paths), "--output", str(folder / "page.md")])
    assert not (folder / "page.md").exists()
    return code


@pytest.mark.parametrize("profile", ["compare", "sweep random"])
def test_a_ledger_of_another_run_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: str
) -> None:
    assert refused(tmp_path, Ledger(head(profile), of("numpy", "ordinary"))) == 2
    said = capsys.readouterr().err
    assert said.startswith("crosscheck: error: ")
    assert f"0.jsonl: is of `{profile}`; findings are of `crosscheck sweep exhaustive`" in said
    assert said.count("\n") == 1


def test_a_sample_that_is_none_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(head(), of("numpy", HIGH))
    assert refused(tmp_path, ledger, ledger) == 2
    assert "1.jsonl: is of `sweep exhaustive`; the sample is of" in capsys.readouterr().err
    assert refused(tmp_path, ledger, Ledger(head("sweep random"), of("numpy", "crossed"))) == 2  # in float32


@pytest.mark.parametrize(
    "regime", ["ordinary", "ordinary 1", "ordinary 1 2 3", "non_finite 1 2", "ordinary a b"]
)
def test_a_cell_of_no_interval_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], regime: str
) -> None:
    assert refused(tmp_path, Ledger(head(), of("numpy", regime))) == 2
    assert f"{regime!r}, which is no interval of z" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_what_is_not_installed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.delitem(sys.modules, "tools.findings.page")
    monkeypatch.setitem(sys.modules, module, None)
    assert refused(tmp_path, Ledger(head(), of("numpy", HIGH))) == 2
    assert f"findings need {module}: pip install" in capsys.readouterr().err
