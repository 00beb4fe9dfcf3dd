"""The environments of releases: made once, by uv or by venv and pip, and removed whole if that fails."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import assert_one_line

from crosscheck.releases.environments import FOLDER, ReleaseEnvironment
from crosscheck.releases.versions import ReleasesError

NUMPY = f"numpy=={version('numpy')}"
# A program in the place of uv: it notes how it was called, makes a folder, and refuses some packages.
UV = """#!/bin/sh
echo "$*" >> calls
case "$1" in
    venv) for last; do :; done; mkdir -p "$last/bin" && echo 12345 > "$last/bin/python" ;;
    pip) case "$*" in *{refused}*) echo "no wheel for it" >&2; exit 1 ;; esac ;;
esac
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_uv(here: Path, monkeypatch: pytest.MonkeyPatch, refused: str = "nothing") -> Path:
    """Put a program in the place of uv; return the file with its calls."""
    program = here / "programs" / "uv"
    program.parent.mkdir()
    program.write_text(UV.format(refused=refused))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return here / "calls"


def test_it_is_made_once_with_what_the_adapters_import(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, made = with_uv(here, monkeypatch), ReleaseEnvironment("jax", "0.10.2", sys.executable)
    assert not made.is_made
    for _ in range(2):
        made.make()
    venv, pip = calls.read_text().splitlines()
    assert venv == f"venv --quiet --python {sys.executable} {made.folder}"
    assert pip == f"pip install --quiet --python {made.python} jax==0.10.2 {NUMPY} ml_dtypes jaxlib==0.10.2"
    assert made.is_made
    assert made.folder.parent == FOLDER
    assert made.size >= 4096
    made.remove()
    assert not made.folder.exists()


def test_an_older_release_may_need_another_numpy(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = with_uv(here, monkeypatch, refused=NUMPY)
    ReleaseEnvironment("torch", "2.10.0", sys.executable).make()
    assert [line.split()[5:] for line in calls.read_text().splitlines() if line.startswith("pip")] == [
        ["torch==2.10.0", NUMPY, "ml_dtypes", "setuptools"],
        ["torch==2.10.0", "numpy", "ml_dtypes", "setuptools"],
    ]


def test_a_release_that_cannot_be_installed_is_one_line_and_leaves_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_uv(here, monkeypatch, refused="numpy==0.0.1")
    environment = ReleaseEnvironment("numpy", "0.0.1", sys.executable)
    with pytest.raises(ReleasesError) as error:
        environment.make()
    assert_one_line(error.value, "numpy 0.0.1 cannot be installed: no wheel for it")
    assert not environment.folder.exists()


@pytest.mark.long
def test_without_uv_pip_makes_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("shutil.which", lambda _: None)
    environment = ReleaseEnvironment("numpy", "0.0.1", sys.executable)
    with pytest.raises(ReleasesError) as error:
        environment.make()
    assert_one_line(
        error.value, "numpy 0.0.1 cannot be installed", "No matching distribution", "numpy==0.0.1"
    )
    assert list(here.iterdir()) == [here / ".crosscheck"]
    assert not environment.folder.exists()
