"""Running the command line in a process of its own, for tests of its output and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "crosscheck.cli")


def on_path() -> dict[str, str]:
    """The environment of this process, with the checkout on Python's path."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def crosscheck(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return python(*COMMAND[1:], *arguments, cwd=cwd, timeout=120, **environment)


def python(
    *arguments: str, cwd: Path = ROOT, timeout: int = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, in the checkout or elsewhere, with the checkout on its path."""
    return subprocess.run(
        (sys.executable, *arguments),
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**on_path(), **environment},
        timeout=timeout,
        check=False,
    )


def assert_one_line(said: object, *parts: str) -> None:
    """Check that a message is one line and contains the given parts."""
    assert "\n" not in str(said)
    assert [part for part in parts if part not in str(said)] == []


def assert_one_clear_line(said: str, *parts: str) -> None:
    """Check that stderr is one line that begins as an error message does and contains the given parts."""
    assert said.startswith("crosscheck: error: ")
    assert said.count("\n") == 1
    assert "Traceback" not in said
    assert [part for part in parts if part not in said] == []
