"""An adapter in a process of its own: what it does is named, its input is on disk, and the suite goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors import deserialize

from adapters import AdapterCrashed, AdapterError, AdapterMisbehaved, JournalError, NoAnswer, Spec
from adapters.child import GRACE
from adapters.memory import distances, memory_of
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.inputs import Case
from reference.formats import FORMATS
from reference.layouts import arrange
from reference.types import Array, Problem

CRASH = "tests.faulty_adapters.crash"
TIMEOUT = 1.0  # seconds, for those that hang


def problem(value: float, dtype: str = "float64") -> Problem:
    X, y, W = (np.full(shape, value) for shape in ((2, 1, 3), (2, 1, 1), (2, 3, 1)))
    return Problem(*(array.astype(FORMATS[dtype].dtype) for array in (X, y, W)))


HEALTHY, UNLUCKY = problem(1.0), problem(13.0)


def started(target: str, journal: Path, timeout: float = TIMEOUT) -> ProcessAdapter:
    return ProcessAdapter.start(
        Spec(target, target), ProcessOptions(journal, timeout, compile_timeout=timeout)
    )


@pytest.fixture(scope="module")
def adapters_by_fault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ProcessAdapter]]:
    """All faults, their processes started at once."""
    faults = [*CRASHES, *MISBEHAVIOURS, "unsupported", "chatty"]
    journal = tmp_path_factory.mktemp("journal")
    found = {fault: started(f"{CRASH}:{fault}", journal) for fault in faults}
    yield found
    for adapter in found.values():
        adapter.close()


def test_a_long_stack_goes_to_the_process_at_once_though_a_call_takes_one_network(tmp_path: Path) -> None:
    stack = Case("ordinary", 0, (50, 60, 2, 3, 2), dtype="float32").problem()
    with (
        started("tests.planted_faults:one_network_a_call", tmp_path, 60) as one,
        started("tests.faulty_adapters.wrong:healthy", tmp_path, 60) as whole,
    ):
        for got, want in zip(one.evaluate(*stack)[:3], whole.evaluate(*stack)[:3], strict=True):
            np.testing.assert_array_equal(got, want, strict=True)
        assert one.calls < 3000


LATE = "gave no answer within 1 s, nor within 2 s when tried once more alone (load "
CRASHES = {
    "segfault": "killed by signal 11 (SIGSEGV)",
    "exits": "exited with status 0",
    "endless": LATE,
    "native_loop": LATE,
    "killed": "killed by signal 9 (SIGKILL)",
    "abandoned": "exited with status 3",
}
MISBEHAVIOURS = {
    "raises": "raised ValueError: the planted message",
    "mutates": "changed its input X in place",
    "objects": "returned y_hat in object, want float64",
    "lists": "returned list of 1, want (y_hat, loss, grad) or a mapping",
}


def assert_journal_holds(path: Path | None, want: Problem) -> None:
    assert path is not None
    entries = dict(deserialize(path.read_bytes()))  # type: ignore[no-untyped-call]  # it has no types
    for name, array in want._asdict().items():
        got = np.frombuffer(entries[name]["data"], array.dtype).reshape(entries[name]["shape"])
        np.testing.assert_array_equal(got, array, strict=True)


def assert_works(adapter: ProcessAdapter) -> None:
    outputs = adapter.evaluate(*HEALTHY)
    assert outputs.y_hat is not None
    assert outputs.y_hat.shape == HEALTHY.y.shape


@pytest.mark.long
@pytest.mark.parametrize("fault", CRASHES)
def test_a_crash_is_named_its_input_kept_and_the_next_call_works(
    fault: str, adapters_by_fault: dict[str, ProcessAdapter]
) -> None:
    adapter = adapters_by_fault[fault]
    assert_works(adapter)
    with pytest.raises(AdapterCrashed) as crash:
        adapter.evaluate(*UNLUCKY)
    assert crash.value.adapter == adapter.name
    assert crash.value.how.startswith(CRASHES[fault])
    assert isinstance(crash.value, NoAnswer) == (CRASHES[fault] == LATE)
    assert str(crash.value).startswith(f"{adapter.name} {crash.value.how}; its input: ")
    assert_journal_holds(crash.value.journal, UNLUCKY)
    assert_works(adapter)


@pytest.mark.long
@pytest.mark.parametrize("fault", MISBEHAVIOURS)
def test_a_broken_contract_is_named_its_input_kept_and_the_next_call_works(
    fault: str, adapters_by_fault: dict[str, ProcessAdapter]
) -> None:
    adapter = adapters_by_fault[fault]
    with pytest.raises(AdapterMisbehaved) as misbehaved:
        adapter.evaluate(*UNLUCKY)
    assert (misbehaved.value.adapter, misbehaved.value.what) == (adapter.name, MISBEHAVIOURS[fault])
    assert_journal_holds(misbehaved.value.journal, UNLUCKY)
    assert_works(adapter)


@pytest.mark.long
def test_not_implemented_passes_with_its_reason(adapters_by_fault: dict[str, ProcessAdapter]) -> None:
    with pytest.raises(NotImplementedError, match=r"^no thirteens here$"):
        adapters_by_fault["unsupported"].evaluate(*UNLUCKY)


def test_what_an_adapter_prints_goes_to_its_log(
    adapters_by_fault: dict[str, ProcessAdapter], capfd: pytest.CaptureFixture[str]
) -> None:
    assert_works(adapters_by_fault["chatty"])
    printed = adapters_by_fault["chatty"].log.read_text()
    assert "chatter on descriptor 1" in printed
    assert "chatter on descriptor 2" in printed
    assert capfd.readouterr() == ("", "")


def test_what_a_crashed_adapter_started_ends_with_it(adapters_by_fault: dict[str, ProcessAdapter]) -> None:
    adapter = adapters_by_fault["abandoned"]
    with pytest.raises(AdapterCrashed):
        adapter.evaluate(*UNLUCKY)
    numbers = [
        int(line.split()[1]) for line in adapter.log.read_text().splitlines() if line.startswith("grand")
    ]
    assert numbers
    assert_gone(numbers)


@pytest.mark.long
@pytest.mark.parametrize("fault", ["closes_its_files", "scribbles"])
def test_an_adapter_that_spoils_its_pipe_is_ended(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.child.GRACE", 0.1)
    with started(f"{CRASH}:{fault}", tmp_path) as adapter:
        with pytest.raises(AdapterCrashed, match="closed its pipe or wrote into it"):
            adapter.evaluate(*UNLUCKY)
        assert_works(adapter)


def test_an_interpreter_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"^cannot start the interpreter /no/env/bin/python: No such file"):
        ProcessAdapter.start(Spec("numpy", "numpy", python="/no/env/bin/python"), ProcessOptions(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"^cannot keep a journal in .*file: "):
        started(f"{CRASH}:segfault", tmp_path / "file")


def test_a_full_disk_is_a_fault_of_the_journal(tmp_path: Path) -> None:
    with started(f"{CRASH}:segfault", tmp_path) as adapter:
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, adapter._worker._journal._file)
        os.close(full)
        with pytest.raises(JournalError, match=r"^cannot write .*No space left on device$"):
            adapter.evaluate(*HEALTHY)


@pytest.mark.parametrize("fault", ["endless", "native_loop"])
def test_closing_cuts_a_call_of_another_thread_short_and_keeps_nothing(fault: str, tmp_path: Path) -> None:
    adapter = started(f"{CRASH}:{fault}", tmp_path, timeout=60.0)
    assert_works(adapter)
    with ThreadPoolExecutor(1) as thread:
        call = thread.submit(adapter.evaluate, *UNLUCKY)
        while adapter.calls < 2:
            time.sleep(0.01)
        begin = time.monotonic()
        adapter.close()
        with pytest.raises(AdapterError, match=r"closed( during a call)?$"):
            call.result()
    assert time.monotonic() - begin < GRACE / 2
    assert list(tmp_path.iterdir()) == []


def test_a_closed_adapter_leaves_no_file_and_says_that_it_is_closed(tmp_path: Path) -> None:
    with started("adapters.closed_form:closed_form", tmp_path) as adapter:
        assert_works(adapter)
    assert list(tmp_path.iterdir()) == []
    adapter.close()
    with pytest.raises(AdapterError, match=r"^numpy is closed$"):
        adapter.evaluate(*HEALTHY)


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
def test_isolation_changes_neither_values_nor_claims(dtype: str, tmp_path: Path) -> None:
    from adapters.closed_form import closed_form

    given = problem(0.3, dtype)
    with started("adapters.closed_form:closed_form", tmp_path) as adapter:
        for got, want in zip(adapter.evaluate(*given), closed_form.evaluate(*given), strict=True):
            np.testing.assert_array_equal(got, want, strict=True)
        for name, want in closed_form.trace(*given).items():
            np.testing.assert_array_equal(adapter.trace(*given)[name], want, strict=True)
        said = adapter.description
        assert said.arithmetic[dtype] == closed_form.arithmetic(dtype)
        assert (said.name, said.version, said.dtypes) == ("numpy", np.__version__, tuple(FORMATS))
        assert said.threads == 1


def test_an_adapter_without_a_trace_says_so(adapters_by_fault: dict[str, ProcessAdapter]) -> None:
    with pytest.raises(NotImplementedError, match="unsupported has no trace"):
        adapters_by_fault["unsupported"].trace(*HEALTHY)


MEMORIES: dict[str, Callable[[Array], Array]] = {
    "transposed": lambda X: X.T.copy().T,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "broadcast": lambda X: np.broadcast_to(X[:1], X.shape),
    "offset": lambda X: np.frombuffer(bytearray(8) + X.tobytes(), X.dtype, offset=8).reshape(X.shape),
    "readonly": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
}


@pytest.mark.long
@pytest.mark.parametrize("memory", MEMORIES)
def test_an_array_lies_in_the_child_as_it_lay_here(memory: str, tmp_path: Path) -> None:
    X = MEMORIES[memory](np.arange(10.0).reshape(5, 2))
    want = memory_of(X)
    with started("tests.faulty_adapters.shows:memory", tmp_path) as adapter:
        got = adapter.evaluate(X, np.ones((5, 1)), np.full((2, 1), np.nan))
    facts = [want.phase, want.writeable, *want.strides, X.sum()]
    np.testing.assert_array_equal(got.row_loss, np.array(facts), strict=True)


@pytest.mark.long
def test_arrays_in_one_block_lie_in_one_block_in_the_child(tmp_path: Path) -> None:
    given = arrange(Problem(np.ones((3, 5)), np.ones((3, 2)), np.ones((5, 2))), "table")
    with started("tests.faulty_adapters.shows:distances", tmp_path) as adapter:
        got = adapter.evaluate(*given).row_loss
    assert got is not None
    assert got.tolist() == [0, 8 * 5, 8 * 3 * 7] == list(distances(given).values())


PARENT = """
import sys
from pathlib import Path
from adapters import Spec
from adapters.process_options import ProcessOptions
from adapters.process_adapter import ProcessAdapter
from tests.adapters.test_process_adapter import CRASH, UNLUCKY
adapter = ProcessAdapter.start(Spec("child", f"{CRASH}:" + sys.argv[1]), ProcessOptions(Path(sys.argv[2])))
adapter.description
print(adapter._worker._child._process.pid, flush=True)
adapter.evaluate(*UNLUCKY)
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("fault", ["endless", "native_loop"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.long
def test_a_busy_child_does_not_outlive_its_parent(fault: str, end: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, fault, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.send_signal(end)
    assert_gone([child])


def assert_gone(processes: list[int]) -> None:
    """Each has ended, within five seconds; a zombie that its adopter has not fetched yet has ended too."""
    until = time.monotonic() + 5
    while (left := [number for number in processes if _runs(number)]) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left


def _runs(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
