"""Workers that crash, hang or misbehave cost a shard one more attempt, and what does so again is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sweeps import UNLUCKY, files, process_options, specs, sweep

from adapters import AdapterError, AdapterMisbehaved, JournalError, select
from crosscheck.cases import Case
from crosscheck.results.lines import NO_VERDICT
from crosscheck.sweep import worker
from crosscheck.sweep.worker import FlushChecked
from tests.faulty_adapters import wrong
from tests.faulty_adapters.toy import BROKEN, Broken, Toy
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
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest where nothing goes wrong."""
    code, ledger = sweep(tmp_path_factory.mktemp("undisturbed"), adapters=specs(UNLUCKY))
    assert code == 0
    return ledger.results


@pytest.mark.long
@pytest.mark.parametrize("fate", ["killed once", "hangs once", "leaks once", "raises once"])
def test_what_goes_wrong_once_changes_no_bit_of_the_result(
    fate: str, tmp_path: Path, undisturbed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = process_options(tmp_path, fate)
    code, ledger = sweep(tmp_path, adapters=specs(UNLUCKY), given=given, limit=3.0, workers=2)
    assert (tmp_path / "mark").exists()
    assert "shard 1: " in capsys.readouterr().err
    assert (code, ledger.faults, ledger.results) == (0, (), undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("fate", FATES)
def test_what_goes_wrong_twice_fails_the_shard_and_is_named_with_its_case(
    fate: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
    printed = capsys.readouterr().out
    assert fault.what in printed
    assert ("No verdict:" in printed, "Faults:" in printed) == (fate == "hangs", fate != "hangs")
    assert ledger.header.sweep is not None
    assert (ledger.header.sweep.shards, ledger.header.sweep.failed_shards) == ("0,2-3", "1")
    assert len(files(tmp_path / "store")) == 4


def test_an_adapter_that_cannot_be_loaded_is_said_before_the_first_shard(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="the planted framework is not here"):
        sweep(tmp_path, adapters=specs("tests.faulty_adapters.import_error:any"))
    assert not (tmp_path / "store").exists()


def test_a_mistake_of_the_suite_is_no_adapters_and_is_in_a_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=f"ValueError: {BROKEN}; see ") as error:
        sweep(tmp_path, Broken())
    assert BROKEN in Path(str(error.value).rpartition(" ")[2]).read_text()


@pytest.mark.long
def test_an_adapter_that_ends_its_process_while_it_is_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"faulty_adapters\.import_exit:any exited with status"):
        sweep(tmp_path, adapters=specs("tests.faulty_adapters.import_exit:any"))


@pytest.mark.long
def test_an_adapter_that_leaves_its_process_flushing_when_it_is_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"faulty_adapters\.import_flush:leaks left its process flushing"):
        sweep(tmp_path, adapters=specs("tests.faulty_adapters.import_flush:leaks"))


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
