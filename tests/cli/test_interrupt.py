"""Ctrl-C on a comparison whose adapter is at work and never answers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.child import GRACE

COMMAND = (
    *(sys.executable, "-m", "crosscheck.cli", "compare", "--only", "numpy", "--dtype", "float64"),
    *("--adapter", "tests.faulty_adapters.crash:hanging"),
)


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_does_not_wait_for_an_adapter_that_hangs_and_leaves_no_file(tmp_path: Path) -> None:
    command = [*COMMAND, "--journal", str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as comparison,
        ExitStack() as ending,
    ):
        ending.callback(comparison.kill)  # of one that did not hear
        assert comparison.stdout is not None
        while "hanging: " not in comparison.stdout.readline():
            assert comparison.poll() is None
        time.sleep(0.2)
        begin = time.monotonic()
        comparison.send_signal(signal.SIGINT)
        said, complaints = comparison.communicate(timeout=60)
    assert time.monotonic() - begin < GRACE / 2
    assert comparison.returncode == 130
    assert "Interrupted after 0 of" in said
    assert not complaints
    assert list(tmp_path.iterdir()) == []
