"""An adapter that changes how its process treats subnormal numbers fails, and nobody else is blamed."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from adapters import AdapterMisbehaved, Spec
from adapters.conditions import ProcessOptions
from adapters.isolated import WorkerProcesses
from reference.types import Problem

SUBNORMAL = Problem(*(np.full((1, 1), value, np.float32) for value in (2.0**-127, 0.0, 2.0**127)))
PLANTED = Problem(*(np.full((1, 1), value, np.float32) for value in (13.0, 0.0, 1.0)))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the planted leak sets a register of x86-64")
def test_a_leak_of_the_flush_state_is_the_failure_of_who_leaks(tmp_path: Path) -> None:
    leaks = Spec("leaks", "tests.faulty_adapters.flush:leaks", "planted")
    innocent = Spec("numpy", "numpy", "planted")  # one process key, so one process
    with WorkerProcesses(ProcessOptions(tmp_path)) as processes:
        want = processes.adapter(innocent).evaluate(*SUBNORMAL).y_hat
        processes.adapter(leaks).evaluate(*SUBNORMAL)
        with pytest.raises(AdapterMisbehaved, match="left its process flushing subnormal numbers to zero"):
            processes.adapter(leaks).evaluate(*PLANTED)
        got = processes.adapter(innocent).evaluate(*SUBNORMAL).y_hat
    assert want is not None
    assert got is not None
    assert got.tobytes() == want.tobytes() != np.float32(0.5).tobytes()
