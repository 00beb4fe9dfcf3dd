"""`crosscheck releases`: releases that differ, one that cannot be installed, and ledgers that are there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from crosscheck.cli.commands import run
from crosscheck.exit_codes import ExitCode
from crosscheck.releases import environments
from crosscheck.releases.environments import ReleaseEnvironment
from crosscheck.releases.versions import ReleasesError

pytestmark = [pytest.mark.xdist_group("releases"), pytest.mark.long]

CASE = "ordinary:0:4x3x2:contiguous:float16"
# A release of NumPy in which ŷ is wrong: Python executes this when it starts.
WRONG = """
import importlib
right = importlib.import_module

def wrong(name, *rest):
    found = right(name, *rest)
    if name == "adapters.closed_form":
        evaluate = found.ClosedForm.evaluate
        def larger(self, X, y, W):
            outputs = evaluate(self, X, y, W)
            return outputs._replace(y_hat=outputs.y_hat * X.dtype.type(1.25))
        found.ClosedForm.evaluate = larger
    return found

importlib.import_module = wrong
"""
MISSING, BROKEN = "0.9", "9.9"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything is kept that the commands of this module make."""
    return tmp_path_factory.mktemp("releases")


@pytest.fixture(autouse=True)
def releases(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every release is this interpreter; 2 and 2.1 are wrong, 9.9 is broken, 0.9 does not exist.

    Return those that were made.
    """
    made: list[str] = []

    def make(environment: ReleaseEnvironment) -> None:
        made.append(environment.release)
        if environment.release == MISSING:
            raise ReleasesError(f"numpy {MISSING} cannot be installed: no wheel")
        python = Path(environment.python)
        python.parent.mkdir(parents=True, exist_ok=True)
        wrong = python.parent / "sitecustomize.py"
        if environment.release.startswith("2"):
            wrong.write_text(WRONG)
        if environment.release == BROKEN:
            wrong.write_text("import os; os._exit(7)")
        path = f"{python.parent.absolute()}:$PYTHONPATH"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec {sys.executable} "$@"\n')
        python.chmod(0o755)
        (python.parent.parent / environments.MADE).touch()

    monkeypatch.chdir(folder)
    monkeypatch.setattr(ReleaseEnvironment, "make", make)
    return made


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the output of the command, in float16."""
    code = run(["releases", "numpy", *arguments, "--dtype", "float16"])
    return code, capsys.readouterr().out


def test_what_is_wrong_is_named_with_its_first_release_and_the_next_that_is_right(
    capsys: pytest.CaptureFixture[str], releases: list[str]
) -> None:
    code, out = said(capsys, f"{MISSING},1,2,3")
    assert code == ExitCode.PASSED
    assert releases == [MISSING, "1", "2", "3"]
    assert f"numpy {MISSING} (1 of 4): left out: numpy {MISSING} cannot be installed: no wheel" in out
    assert re.search(r"^From numpy 1 to 2:\n[0-9]+ regressions: 2 is worse than 1\.$", out, re.MULTILINE)
    assert "From numpy 2 to 3:\nNo regression: 3 is no worse than 2." in out
    assert re.search(r"^numpy +within bounds +outside +within bounds$", out, re.MULTILINE)
    assert "numpy float16 y_hat: first wrong in 2, right in 3" in out
    there = f" --only numpy@{ReleaseEnvironment('numpy', '2', sys.executable).python}"
    assert re.search(rf"^ +replay  .*{there}$", out, re.MULTILINE)
    assert re.search(rf"^replay  .*{there}$", out, re.MULTILINE)
    digests = re.findall(r"problems, results ([0-9a-f]{16})$", out, re.MULTILINE)
    assert digests[0] == digests[2] != digests[1]


def test_a_release_that_has_a_ledger_is_not_run_again_unless_asked(
    capsys: pytest.CaptureFixture[str], releases: list[str]
) -> None:
    first = said(capsys, "1,2")
    releases.clear()
    assert said(capsys, "1,2")[1].splitlines()[2:] == first[1].splitlines()[2:]
    assert releases == []
    assert said(capsys, "1,2", "--again", "--remove")[0] == first[0] == ExitCode.FAILED
    assert releases == ["1", "2"]
    assert not Path(ReleaseEnvironment("numpy", "1", sys.executable).python).exists()


def test_a_ledger_that_is_damaged_is_made_again(
    capsys: pytest.CaptureFixture[str], releases: list[str]
) -> None:
    first = said(capsys, "3")
    for path in Path(".crosscheck/releases").glob("numpy-3-*"):
        path.write_text("{}\n")
    releases.clear()
    assert said(capsys, "3")[1].splitlines()[2] == first[1].splitlines()[2]
    assert releases == ["3"]


def test_releases_that_cannot_be_run_leave_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = said(capsys, MISSING)
    assert code == ExitCode.UNUSABLE
    assert out.splitlines()[-1].startswith(f"numpy {MISSING} (1 of 1): left out: ")


def test_a_newest_release_that_cannot_be_judged_is_no_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = said(capsys, f"1,{BROKEN}")
    assert code == ExitCode.FAILED
    assert re.search(rf"numpy {BROKEN} \(2 of 2\): left out: .*it exits with status 7", out)
    assert out.splitlines()[-1] == f"The newest release, {BROKEN}, was not judged."


def test_a_bisection_finds_the_first_wrong_release_in_fewer_runs(
    capsys: pytest.CaptureFixture[str], releases: list[str]
) -> None:
    between = [f"1.{minor}" for minor in range(9)]
    code, out = said(capsys, ",".join([*between, "2", "2.1"]), "--bisect", CASE)
    assert code == ExitCode.FAILED
    assert (
        out.splitlines()[-1]
        == "numpy 2 is the first that is wrong, 1.8 is right; 6 of 11 releases were tried."
    )
    assert len(releases) == 6


def test_a_bisection_finds_the_first_right_release_and_leaves_out_what_cannot_be_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out = said(capsys, f"{MISSING},2,3,4", "--bisect", CASE)
    assert code == ExitCode.PASSED
    assert f"numpy {MISSING}: not judged: numpy {MISSING} cannot be installed: no wheel" in out
    assert (
        out.splitlines()[-1] == "numpy 3 is the first that is right, 2 is wrong; 4 of 4 releases were tried."
    )


def test_releases_that_do_not_differ_are_not_searched(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = said(capsys, "1,3,4", "--bisect", CASE)
    assert code == ExitCode.CANNOT_BE_JUDGED
    assert out.splitlines()[-1].endswith("do not differ: nothing to search.")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("numpi", "1"), "FRAMEWORK: unknown 'numpi'; did you mean 'numpy'?"),
        (("numpy", "new"), "'new' is no release"),
        (("numpy", "1", "--only", "torch"), "--only: torch is no mode of numpy"),
        (("numpy", "1", "--python", "/no/python"), "/no/python is not an executable interpreter"),
        (("numpy", "1", "--bisect", "nothing"), "nothing"),
    ],
)
def test_a_mistake_in_the_call_is_one_line(
    arguments: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["releases", *arguments]) == ExitCode.UNUSABLE
    assert why in capsys.readouterr().err.splitlines()[-1]
