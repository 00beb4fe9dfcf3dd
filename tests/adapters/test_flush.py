"""Who leaves a process flushing subnormals is blamed, however the call or import ends; nobody else pays."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters import AdapterError, AdapterMisbehaved, Spec
from adapters.conditions import ProcessOptions
from crosscheck.hosts import WorkerProcesses
from reference.types import Problem

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the planted leaks set a register of x86-64"
)

SUBNORMAL = Problem(*(np.full((1, 1), value, np.float32) for value in (2.0**-127, 0.0, 2.0**127)))
UNLUCKY = Problem(*(np.full((1, 1), value, np.float32) for value in (13.0, 0.0, 1.0)))
LEAK = "left its process flushing subnormal numbers to zero, for everybody in it"
INNOCENT = Spec("numpy", "numpy", "planted")  # shares the process of all that are planted
CALLS = {
    "leaks": "",
    "raises": "; besides, AdapterMisbehaved: raised ValueError: the planted message",
    "unsupported": "; besides, NotImplementedError: no thirteens here",
}
IMPORTS = {
    "import_flush:leaks": "",
    "import_flush_error:any": "; besides, AdapterError: cannot load "
    "tests.faulty_adapters.import_flush_error:any: ImportError: the planted framework is not here",
}


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[WorkerProcesses]:
    with WorkerProcesses(ProcessOptions(tmp_path)) as started:
        yield started


def assert_keeps_subnormals(processes: WorkerProcesses) -> None:
    """Who shares the process computes σ(1), not the σ(0) of an operand that is flushed."""
    y_hat = processes.adapter(INNOCENT).evaluate(*SUBNORMAL).y_hat
    assert y_hat is not None
    assert y_hat.item() > 0.7


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[] if fault == "leaks" else pytest.mark.long) for fault in CALLS]
)
def test_a_leak_by_a_call_is_found_each_time_and_nobody_else_pays(
    fault: str, processes: WorkerProcesses
) -> None:
    leaks = Spec(fault, f"tests.faulty_adapters.flush:{fault}", "planted")
    for _ in range(2):
        assert_keeps_subnormals(processes)
        with pytest.raises(AdapterMisbehaved) as misbehaved:
            processes.adapter(leaks).evaluate(*UNLUCKY)
        assert misbehaved.value.what == f"{LEAK}{CALLS[fault]}"
    assert_keeps_subnormals(processes)


@pytest.mark.long
@pytest.mark.parametrize("is_first", [False, True], ids=["later", "first"])
@pytest.mark.parametrize("target", IMPORTS)
def test_a_leak_by_an_import_is_found_each_time_and_nobody_else_pays(
    target: str, processes: WorkerProcesses, *, is_first: bool
) -> None:
    leaks = Spec("leaks", f"tests.faulty_adapters.{target}", "planted")
    for spec in (leaks, INNOCENT) if is_first else (INNOCENT, leaks):
        processes.adapter(spec)
    for _ in range(2):
        assert_keeps_subnormals(processes)
        with pytest.raises(AdapterError) as error:
            processes.adapter(leaks).evaluate(*UNLUCKY)
        assert str(error.value) == f"loading {leaks.target} {LEAK}{IMPORTS[target]}"
    assert_keeps_subnormals(processes)
