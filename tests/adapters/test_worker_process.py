"""Adapters with one process key share a process; who crashes or changes it is named, and the others go on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from machine_modes import needs

from adapters import NAMED, AdapterCrashed, AdapterError, AdapterMisbehaved, Spec, spec_of
from adapters.instructions import NATIVE
from adapters.modes import parse
from adapters.process_adapter import WorkerProcesses
from adapters.process_options import ProcessOptions
from reference.types import Problem
from tests.adapters.test_process_adapter import CRASHES, assert_gone, assert_journal_holds

HEALTHY, UNLUCKY = (Problem(*(np.full((1, 1), value) for _ in "XyW")) for value in (1.0, 13.0))


def planted(name: str, module: str = "shows") -> Spec:
    """An adapter with the process key of all that are planted."""
    return Spec(name, f"tests.faulty_adapters.{module}:{name}", "planted")


ONE, TWO = planted("one"), planted("two")
ERROR, EXIT = planted("any", "import_error"), planted("any", "import_exit")


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[WorkerProcesses]:
    with WorkerProcesses(ProcessOptions(tmp_path, 1.0, compile_timeout=1.0)) as started:
        yield started


def process_of(processes: WorkerProcesses, spec: Spec) -> int:
    """The number of the process in which the adapter runs."""
    shown = processes.adapter(spec).evaluate(*HEALTHY).row_loss
    assert shown is not None
    return int(shown.item())


def test_adapters_with_one_process_key_share_a_process_beside_this_one(
    processes: WorkerProcesses,
) -> None:
    assert (
        process_of(processes, ONE) == process_of(processes, TWO) == process_of(processes, ONE) != os.getpid()
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(TWO, threads=2),
        replace(TWO, devices=2),
        pytest.param(replace(TWO, isa="sse42"), marks=needs("sse42")),
        replace(TWO, framework="other"),
        replace(TWO, framework=None),
    ],
    ids=["threads", "devices", "isa", "framework", "from-outside"],
)
def test_another_process_key_means_another_process(processes: WorkerProcesses, elsewhere: Spec) -> None:
    assert process_of(processes, elsewhere) != process_of(processes, ONE)


def test_an_adapter_from_outside_has_a_process_to_itself(processes: WorkerProcesses) -> None:
    first, second = (replace(spec, framework=None) for spec in (ONE, TWO))
    assert process_of(processes, first) != process_of(processes, second)


def test_the_modes_of_a_framework_have_one_process_key_for_each_number_of_threads_and_devices() -> None:
    keys = {spec_of(parse(name)).process_key for name in NAMED}
    frameworks = ("numpy", "torch", "jax")
    expected = {(name, threads, 1, None, NATIVE, ()) for name in frameworks for threads in (1, 2)}
    assert keys == {*expected, ("jax", 1, 2, None, NATIVE, ())}


def test_nothing_is_started_before_it_is_needed(processes: WorkerProcesses, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    processes.adapter(ONE)
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".log", ".safetensors"]


@pytest.mark.long
@pytest.mark.parametrize("fault", ["segfault", "exits", "endless"])
def test_an_adapter_that_crashes_is_named_with_its_input_and_the_others_go_on_in_a_new_process(
    fault: str, processes: WorkerProcesses
) -> None:
    before = process_of(processes, ONE)
    with pytest.raises(AdapterCrashed) as crash:
        processes.adapter(planted(fault, "crash")).evaluate(*UNLUCKY)
    assert crash.value.adapter == fault
    assert crash.value.how.startswith(CRASHES[fault])
    assert_journal_holds(crash.value.journal, UNLUCKY)
    assert_gone([before])
    assert process_of(processes, ONE) == process_of(processes, TWO) != before


def test_misbehaviour_is_the_one_adapters_and_costs_no_process(processes: WorkerProcesses) -> None:
    before = process_of(processes, ONE)
    with pytest.raises(AdapterMisbehaved, match="raises raised ValueError: the planted message"):
        processes.adapter(planted("raises", "crash")).evaluate(*UNLUCKY)
    assert process_of(processes, ONE) == before


@pytest.mark.parametrize("order", [(ONE, ERROR), (ERROR, ONE)], ids=["later", "first"])
def test_what_cannot_be_loaded_says_why_and_the_others_go_on(
    processes: WorkerProcesses, order: tuple[Spec, Spec]
) -> None:
    for spec in order:
        processes.adapter(spec)
    before = process_of(processes, ONE)
    for _ in range(2):
        with pytest.raises(AdapterError, match="ImportError: the planted framework is not here"):
            processes.adapter(ERROR).evaluate(*HEALTHY)
    assert process_of(processes, TWO) == before


@pytest.mark.long
@pytest.mark.parametrize("order", [(ONE, EXIT), (EXIT, ONE)], ids=["later", "first"])
def test_an_adapter_that_crashes_while_it_is_loaded_is_named_and_the_others_go_on(
    processes: WorkerProcesses, order: tuple[Spec, Spec]
) -> None:
    for spec in order:
        processes.adapter(spec)
    process_of(processes, ONE)
    with pytest.raises(AdapterCrashed) as crash:
        processes.adapter(EXIT).evaluate(*HEALTHY)
    told = crash.value
    assert (told.adapter, told.how, told.journal) == ("any", "exited with status 0", None)
    assert process_of(processes, ONE) == process_of(processes, TWO)


def test_closing_ends_every_process_and_leaves_no_file(tmp_path: Path) -> None:
    with WorkerProcesses(ProcessOptions(tmp_path, 1.0, compile_timeout=1.0)) as processes:
        specs = ONE, replace(TWO, threads=2)
        pids = [process_of(processes, spec) for spec in specs]
    assert_gone(pids)
    assert list(tmp_path.iterdir()) == []
    for spec in specs:
        with pytest.raises(AdapterError, match=f"^{spec.name} is closed$"):
            processes.adapter(spec).evaluate(*HEALTHY)


def test_closing_one_adapter_leaves_the_process_to_the_others(processes: WorkerProcesses) -> None:
    before = process_of(processes, ONE)
    process_of(processes, TWO)
    processes.adapter(ONE).close()
    with pytest.raises(AdapterError, match=r"^one is closed$"):
        processes.adapter(ONE).evaluate(*HEALTHY)
    assert process_of(processes, TWO) == before


on_x86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the planted leaks set a register of x86-64"
)
SUBNORMAL = Problem(*(np.full((1, 1), value, np.float32) for value in (2.0**-127, 0.0, 2.0**127)))
LEAKING = Problem(*(np.full((1, 1), value, np.float32) for value in (13.0, 0.0, 1.0)))
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


def assert_keeps_subnormals(processes: WorkerProcesses) -> None:
    """Who shares the process computes σ(1), not the σ(0) of an operand that is flushed."""
    y_hat = processes.adapter(INNOCENT).evaluate(*SUBNORMAL).y_hat
    assert y_hat is not None
    assert y_hat.item() > 0.7


@on_x86_64
@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[] if fault == "leaks" else pytest.mark.long) for fault in CALLS]
)
def test_a_leak_by_a_call_is_found_and_nobody_else_pays(fault: str, processes: WorkerProcesses) -> None:
    leaks = Spec(fault, f"tests.faulty_adapters.flush:{fault}", "planted")
    for _ in range(2):
        assert_keeps_subnormals(processes)
        with pytest.raises(AdapterMisbehaved) as misbehaved:
            processes.adapter(leaks).evaluate(*LEAKING)
        assert misbehaved.value.what == f"{LEAK}{CALLS[fault]}"
    assert_keeps_subnormals(processes)


@on_x86_64
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
            processes.adapter(leaks).evaluate(*LEAKING)
        assert str(error.value) == f"loading {leaks.target} {LEAK}{IMPORTS[target]}"
    assert_keeps_subnormals(processes)
