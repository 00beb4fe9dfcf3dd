"""Collecting the tests stays light: frameworks are imported in children only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECT = """
import sys, pytest
status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"])
print("imported:", sorted({"torch", "jax", "jaxlib"} & set(sys.modules)))
sys.exit(status)
"""


@pytest.mark.long
def test_collecting_all_tests_imports_no_framework() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.splitlines()[-1] == "imported: []"
