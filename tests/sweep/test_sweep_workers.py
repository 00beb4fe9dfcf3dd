"""Workers that crash cost a shard a second attempt; a sweep that is ended early leaves no process behind."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sweeps import COMMAND, ROOT, UNLUCKY, files, process_options, specs, sweep

from adapters import AdapterError, AdapterMisbehaved, JournalError, select
from crosscheck.inputs import Case
from crosscheck.results.ledger import Ledger, read
from crosscheck.results.lines import INTERRUPTED, NO_VERDICT
from crosscheck.results.rows import FAILED, rows
from crosscheck.sweep import worker
from crosscheck.sweep.job import SweepError
from crosscheck.sweep.record import SweepResults
from crosscheck.sweep.worker import FlushChecked
from tests.adapters.test_process_adapter import assert_gone
from tests.faulty_adapters import wrong
from tests.faulty_adapters.toy import BROKEN, STACK, Broken, Toy
from tests.faulty_adapters.unlucky import SHARD

CASE = Toy().case(SHARD, "float64").text
FATES = {
    "segfault": "unlucky killed by signal 11 (SIGSEGV)",
    "exits": "unlucky exited with status 0",
    "killed": "unlucky killed by signal 9 (SIGKILL)",
    "hangs": "unlucky gave no answer within 1 s, nor within 2 s when tried once more alone",
    "leaks": "unlucky left its process flushing subnormal numbers to zero",
    "raises": "unlucky raised ValueError: the planted message",
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The ledger where nothing goes wrong."""
    code, ledger = sweep(tmp_path_factory.mktemp("undisturbed"), adapters=specs(UNLUCKY))
    assert code == 0
    return ledger


@pytest.mark.long
@pytest.mark.parametrize("fate", ["killed once", "hangs once", "leaks once", "raises once"])
def test_what_goes_wrong_once_changes_no_bit_of_the_result(
    fate: str, tmp_path: Path, undisturbed: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    given = process_options(tmp_path, fate)
    code, ledger = sweep(tmp_path, adapters=specs(UNLUCKY), given=given, limit=3.0, workers=2)
    assert (tmp_path / "mark").exists()
    assert "shard 1: " in capsys.readouterr().err
    assert (code, ledger.faults, ledger.results) == (0, (), undisturbed.results)


@pytest.mark.long
@pytest.mark.parametrize("fate", FATES)
def test_what_goes_wrong_twice_is_named_with_its_case_and_costs_the_others_no_result(
    fate: str, tmp_path: Path, undisturbed: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    given = process_options(tmp_path, fate, timeout=1.0)
    code, ledger = sweep(tmp_path, adapters=specs(UNLUCKY), given=given, limit=3.0)
    assert code == ledger.verdict == 1
    (fault,) = ledger.faults
    assert fault.who == "unlucky"
    assert FATES[fate] in fault.what
    assert fault.what.startswith(NO_VERDICT) == (fate == "hangs")
    assert CASE in fault.what
    assert "its input: " in fault.what
    printed, complaints = capsys.readouterr()
    assert f"; the second attempt {'failed too' if fate == 'hangs' else 'has faults'}" in complaints
    assert fault.what in printed
    assert ("No verdict:" in printed, "Faults:" in printed) == (fate == "hangs", fate != "hangs")
    assert ledger.header.sweep is not None
    shards = ledger.header.sweep.shards, ledger.header.sweep.failed_shards
    assert shards == (("0,2-3", "1") if fate == "hangs" else ("0-3", ""))
    assert len(files(tmp_path / "store")) == 4
    if fate != "hangs":
        of_numpy = {cell: s for cell, s in undisturbed.cells.items() if cell.adapter == "numpy"}
        assert of_numpy.items() <= ledger.cells.items()
        failed = [row for row in rows(ledger.cells) if row.verdict == FAILED]
        assert [(row.adapter, row.summary.problems) for row in failed] == [("unlucky", STACK)]


@pytest.mark.long
def test_a_refusal_by_values_shows_over_all_shards_whatever_their_order(
    tmp_path: Path, undisturbed: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    given = process_options(tmp_path, "refuses")
    code, ledger = sweep(tmp_path, adapters=specs(UNLUCKY), given=given)
    assert code == ledger.verdict == 1
    (fault,) = ledger.faults
    answered = Toy().case(0, "float64").text
    assert fault.who == "unlucky"
    assert (
        f"refuses by values: the planted reason at {CASE}, but not at {answered}, of the same" in fault.what
    )
    assert fault.what in capsys.readouterr().out
    assert undisturbed.answers
    stored = [read(tmp_path / "store" / name) for name in files(tmp_path / "store")]
    assert [each.faults for each in stored] == [()] * len(stored)  # none shows it alone
    for order in itertools.permutations(stored):
        results = SweepResults(ledger.header)
        for each in order:
            results.add(each)
        assert (results.faults, results.refusals.lines()) == ({fault}, list(ledger.answers))
        assert "faults: 1" in results.reasons
        part = SweepResults(ledger.header)
        for each in order[:3]:
            part.add(each)
        again = SweepResults(ledger.header)
        again.add(part.ledger(complete=False))
        again.add(order[3])
        assert again.faults == {fault}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("import_error:any", "the planted framework is not here"),
        pytest.param("import_exit:any", "import_exit:any exited with status", marks=pytest.mark.long),
        pytest.param("import_flush:leaks", "leaks left its process flushing", marks=pytest.mark.long),
    ],
)
def test_an_adapter_that_cannot_be_loaded_is_named_at_once(target: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=said):
        sweep(tmp_path, adapters=specs(f"tests.faulty_adapters.{target}"))
    assert not (tmp_path / "store").exists()


@pytest.mark.long
def test_workers_whose_adapters_differ_are_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="shows:claims describes itself differently"):
        sweep(tmp_path, adapters=specs("tests.faulty_adapters.shows:claims"), workers=2)


def test_a_mistake_of_the_suite_is_no_adapters_and_is_in_a_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=f"ValueError: {BROKEN}; see ") as error:
        sweep(tmp_path, Broken())
    assert BROKEN in Path(str(error.value).rpartition(" ")[2]).read_text()


@pytest.mark.long
def test_adapters_with_threads_of_their_own_are_in_the_same_sweep(tmp_path: Path) -> None:
    code, ledger = sweep(tmp_path, adapters=select(["numpy", "numpy-2threads"]))
    assert code == 0
    assert {cell.adapter: cell.threads for cell in ledger.cells} == {"numpy": 1, "numpy-2threads": 2}
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_journal_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    with pytest.raises(JournalError, match="cannot keep a log in"):
        sweep(tmp_path)


@pytest.mark.parametrize("error", [None, ValueError("no"), NotImplementedError("not here")])
def test_a_call_that_leaves_the_process_flushing_is_noticed_however_it_ends(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(X: Any, y: Any, W: Any) -> Any:
        if error is not None:
            raise error
        return wrong.right(X, y, W)

    adapter = FlushChecked(wrong.Planted("flushing", evaluate))
    monkeypatch.setattr(worker, "flushes", lambda: True)
    with pytest.raises(AdapterMisbehaved, match="left its process flushing"):
        adapter.evaluate(*Case("ordinary", 0, (2, 1, 3, 1)).problem())


def workers_of(client: int) -> list[int]:
    """The numbers of its workers, and of their children."""
    told = [file.read_text() for file in Path(f"/proc/{client}/task").glob("*/children")]
    found = [int(number) for text in told for number in text.split()]
    return found + [each for child in found for each in workers_of(child)]


def begun(stack: ExitStack, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """A sweep of two workers, which have stored something and are at work."""
    command = [*COMMAND, "--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal"), *options]
    client = stack.enter_context(
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )
    stack.callback(client.kill)  # of one that did not hear
    while len(files(tmp_path / "store")) < 2:
        assert client.poll() is None
        time.sleep(0.05)
    return client


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_before_the_first_shard_says_that_nothing_is_judged_yet(tmp_path: Path) -> None:
    places = ["--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal")]
    with subprocess.Popen(
        [*COMMAND, *places, "--seconds", "60"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        assert client.stderr is not None
        while "4 shards with 8 problems to do" not in client.stderr.readline():
            assert client.poll() is None
        client.send_signal(signal.SIGINT)
        said, complaints = client.communicate(timeout=60)
    assert client.returncode == 130
    assert "No shard is finished, so nothing is judged yet." in said
    assert "Not all within bounds" not in said
    assert "Traceback" not in complaints


SLOWLY = ("--seconds", "0.5", "--shards", "200", "--workers", "2")


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_workers_at_once_and_keeps_what_is_there(tmp_path: Path) -> None:
    with ExitStack() as stack:
        client = begun(stack, tmp_path, *SLOWLY, "--ledger", str(tmp_path / "ledger.jsonl"))
        workers = workers_of(client.pid)
        begin = time.monotonic()
        client.send_signal(signal.SIGINT)
        said, complaints = client.communicate(timeout=60)
    assert time.monotonic() - begin < 2
    assert len(workers) == 2
    assert_gone(workers)
    assert client.returncode == 130
    assert "the same with --resume goes on from here" in said
    assert "Traceback" not in complaints
    ledger = read(tmp_path / "ledger.jsonl")
    assert ledger.ending == INTERRUPTED
    assert ledger.header.sweep is not None
    assert ledger.problems == 4 * 2 * len(files(tmp_path / "store"))
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.long
def test_no_worker_outlives_a_client_that_is_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        client = begun(stack, tmp_path, *SLOWLY)
        workers = workers_of(client.pid)
        client.kill()
        client.wait()
        assert len(workers) == 2
        assert_gone(workers)
        client.communicate()


@pytest.mark.long
def test_a_worker_that_somebody_kills_costs_no_shard(tmp_path: Path) -> None:
    with ExitStack() as stack:
        client = begun(stack, tmp_path, "--seconds", "0.2", "--shards", "20", "--workers", "2")
        os.kill(workers_of(client.pid)[0], signal.SIGKILL)
        said, complaints = client.communicate(timeout=60)
    assert client.returncode == 0
    assert "killed by signal 9 (SIGKILL)" in complaints
    assert "the second attempt is good" in complaints
    assert "Within bounds: numpy: " in said
