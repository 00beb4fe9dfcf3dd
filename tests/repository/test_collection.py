"""What the suite counts on of pytest: collecting imports no framework, and a group stays with one worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import python

pytestmark = pytest.mark.long

COLLECT = """
import sys, pytest
status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"])
print("imported:", sorted({"torch", "jax", "jaxlib"} & set(sys.modules)))
sys.exit(status)
"""
GROUPED = """
import os, pathlib, pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(20))
def test_of_a_group(number):
    pathlib.Path(os.environ["PYTEST_XDIST_WORKER"]).touch()
"""


def test_collecting_all_tests_imports_no_framework() -> None:
    ran = python("-c", COLLECT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == "imported: []"


def test_a_group_stays_with_one_worker(tmp_path: Path) -> None:
    """With pytest 9.2, pytest-xdist 3.8 spreads groups over all workers, in silence (pytest-xdist#1386)."""
    pytest.importorskip("xdist")
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    options = ("-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider")
    found = python("-m", "pytest", *options, "test_grouped.py", cwd=tmp_path)
    assert found.returncode == 0, found.stdout
    assert len(list(tmp_path.glob("gw*"))) == 1
