"""Parallel runs: what shares a process stays with one worker, which the suite counts on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

pytest.importorskip("xdist")

GROUPED = """
import os, pathlib, pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(20))
def test_of_a_group(number):
    pathlib.Path(os.environ["PYTEST_XDIST_WORKER"]).touch()
"""


def test_a_group_stays_with_one_worker(tmp_path: Path) -> None:
    """With pytest 9.2, pytest-xdist 3.8 spreads groups over all workers, in silence (pytest-xdist#1386)."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    options = ("-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider")
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_grouped.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert len(list(tmp_path.glob("gw*"))) == 1
