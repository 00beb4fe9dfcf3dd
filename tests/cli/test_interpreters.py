"""Two interpreters side by side: one table, one gate, names that tell them apart."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import assert_one_clear_line, crosscheck

from adapters import Spec, select
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.compare import checks
from crosscheck.compare.session import compare_and_show
from crosscheck.plans.core import core_plan
from crosscheck.plans.plan import Plan, per_interpreter
from crosscheck.results.environment import environment
from crosscheck.results.ledger import read
from crosscheck.results.lines import COMPLETE, INTERRUPTED

# With one xdist worker: its fixture takes seconds.
pytestmark = [pytest.mark.xdist_group("interpreters"), pytest.mark.long]

OPTIONS = ("--dtype", "float32", "--problems", "50", "--regime", "ordinary,saturated_low")


def interpreter(folder: Path, name: str) -> str:
    """This Python in an environment of that name."""
    path = folder / name / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def pair(folder: Path) -> tuple[str, str]:
    return interpreter(folder, "one"), interpreter(folder, "other")


def test_equal_environments_have_one_table_and_nothing_changed(folder: Path, pair: tuple[str, str]) -> None:
    pythons = ("--python", pair[0], "--python", pair[1])
    ran = crosscheck("compare", "--only", "numpy", *OPTIONS, *pythons, "--journal", str(folder / "journal"))
    assert (ran.returncode, ran.stderr) == (0, "")
    for name in ("numpy@one", "numpy@other"):
        assert any(line.startswith(f"  {name}: numpy ") for line in ran.stdout.splitlines()), ran.stdout
    assert "Within bounds: numpy@one, numpy@other" in ran.stdout
    assert ran.stdout.splitlines()[-3:] == [
        f"From {pair[0]} to {pair[1]}:",
        f"No regression: {pair[1]} is no worse than {pair[0]}.",
        "Nothing changed.",
    ]


def plan_and_specs(pair: tuple[str, str]) -> tuple[Plan, list[Spec]]:
    """A small comparison of NumPy with itself."""
    plan = core_plan(dtypes=("float32",), regimes=("ordinary",), problems=7)
    specs = [spec.under(python) for python in pair for spec in select(["numpy"])]
    return per_interpreter(plan, specs), specs


def test_the_gate_and_the_ledger_share_what_the_probes_saw(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated = []

    def crashing(adapter: ProcessAdapter, *_: object) -> list[str]:
        evaluated.append(adapter.name)
        return [f"{adapter.name} crashed"]

    monkeypatch.setattr(checks, "probe_adapter", crashing)
    options, ledger = ProcessOptions(tmp_path / "journal"), tmp_path / "run.jsonl"
    assert compare_and_show(*plan_and_specs(pair), options, ledger=ledger) == 1
    names = ["numpy@one", "numpy@other"]
    assert evaluated == names
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.endswith(" crashed")] == [f"{name} crashed" for name in names]
    found = read(ledger)
    assert (found.ending, sorted(fault.who for fault in found.faults)) == (COMPLETE, names)


def test_ctrl_c_during_the_probes_ends_as_interrupted_and_the_ledger_says_so(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "probe_adapter", interrupted)
    options, ledger = ProcessOptions(tmp_path / "journal"), tmp_path / "run.jsonl"
    assert compare_and_show(*plan_and_specs(pair), options, ledger=ledger) == 130
    assert read(ledger).ending == INTERRUPTED
    assert f"From {pair[0]}" not in capsys.readouterr().out


def test_what_chooses_an_adapter_under_an_interpreter_is_one_word(pair: tuple[str, str]) -> None:
    ran = crosscheck("check", "float32:X=[[1]]:y=[[0]]:W=[[1]]", "--only", f"numpy@{pair[0]},numpy")
    assert ran.returncode == 0
    assert "Within bounds: numpy, numpy@one" in ran.stdout
    (spec,) = select([f"jax-jit@{pair[0]}"])
    assert (spec.name, spec.target, spec.python, spec.suffix) == (
        f"jax-jit@{pair[0]}",
        "jax-jit",
        pair[0],
        "@one",
    )


def test_the_environment_of_another_interpreter_is_its_own(pair: tuple[str, str]) -> None:
    there, here = environment(pair[0]), environment()
    assert there == here


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("{0}", "--python needs two interpreters, old and new, not 1"),
        ("{0} --python /no/env/bin/python", "/no/env/bin/python is not an executable interpreter"),
        ("{0} --python {0}", "both environments have the same name; rename the folder of one"),
        (
            "{0} --python {1} --adapter tests.faulty_adapters.wrong:sign",
            "--python is for the suite's own adapters",
        ),
        ("{0} --python {1} --ledger {2}/a.jsonl", "--ledger cannot be combined with --python"),
    ],
    ids=["one", "absent", "same-name", "adapter", "ledger"],
)
def test_what_cannot_be_compared_is_one_clear_line_and_leaves_no_file(
    words: str, why: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    ran = crosscheck("compare", "--only", "numpy", "--python", *words.format(*pair, tmp_path).split())
    assert ran.returncode == 2
    assert_one_clear_line(ran.stderr, why)
    assert list(tmp_path.iterdir()) == []
