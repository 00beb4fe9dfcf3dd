"""``pytest --ledger`` and ``--gate``: the record of a run, its digest, and no green without a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import recording
from ledgers import cell, small, summary
from pytest_runs import Ran, assert_says, process

from conftest import PROFILES
from crosscheck.results.ledger import LedgerError, read, write
from crosscheck.results.lines import COMPLETE

# With one xdist worker: its fixture takes seconds.
pytestmark = [pytest.mark.xdist_group("recording"), pytest.mark.long]

TESTS = (
    "tests/conformance/test_matrix.py",
    "tests/conformance/test_survey.py",
    "-k",
    "numpy-float16 or probe",
)
ENDS = "tests/faulty_adapters/ends.py"
COMMON = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--only", "numpy", "--profile", "dev")
PARALLEL = ("-n", "2", "--dist", "loadgroup")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the ledgers of these runs are."""
    found = tmp_path_factory.mktemp("ledgers")
    for name in ("baseline", "exits", "exits.xdist"):
        write(found / f"{name}.jsonl", small())
    (found / "cut.jsonl").write_bytes((found / "baseline.jsonl").read_bytes()[:-1])
    return found


@pytest.fixture(scope="module")
def runs(folder: Path) -> Iterator[Callable[[str], Ran]]:
    """What came of a run, by its name."""

    def ledger(name: str) -> tuple[str, str]:
        return "--ledger", str(folder / f"{name}.jsonl")

    def gate(name: str) -> tuple[str, str]:
        return "--gate", str(folder / f"{name}.jsonl")

    commands = {
        "alone": (*TESTS, *ledger("alone")),
        "two": (*TESTS, *PARALLEL, *ledger("two")),
        "exits": (ENDS, "-k", "exits", *ledger("exits")),
        "exits.xdist": (ENDS, "-k", "exits", *PARALLEL, "--max-worker-restart=0", *ledger("exits.xdist")),
        "skipped": (ENDS, "-k", "skipped"),
        "nothing": (ENDS, "-k", "nothing"),
        "cut": (TESTS[1], *gate("cut")),
        "no baseline": (TESTS[1], *gate("missing")),
        "stopped": (
            TESTS[0],
            "-k",
            "sign",
            "--adapter",
            "tests.faulty_adapters.wrong:sign",
            "-x",
            *ledger("stopped"),
        ),
    }
    common = (*COMMON, "--journal", str(folder / "journal"))
    with ThreadPoolExecutor(max_workers=2) as pool:
        each = {name: pool.submit(process, *common, *words) for name, words in commands.items()}
        yield lambda name: each[name].result()


def test_the_ledger_has_what_the_run_found(runs: Callable[[str], Ran], folder: Path) -> None:
    assert_says(runs("alone"), 0, f"ledger: {folder / 'alone.jsonl'}")
    found = read(folder / "alone.jsonl")
    assert {(cell.adapter, cell.dtype) for cell in found.cells} == {("numpy", "float16")}
    assert {each.adapter for each in found.behaviours} == {"numpy"}
    assert [one.name for one in found.header.adapters] == ["numpy"]
    assert (found.ending, found.verdict, found.faults) == (COMPLETE, 0, ())


def test_a_ledger_says_which_plan_it_is_of(runs: Callable[[str], Ran], folder: Path) -> None:
    assert_says(runs("alone"), 0)
    assert read(folder / "alone.jsonl").header.profile == "pytest-quick"
    assert len(set(recording.PROFILES.values())) == len(PROFILES)
    assert set(recording.PROFILES) == set(PROFILES)


def test_the_digest_is_the_same_for_any_number_of_workers(runs: Callable[[str], Ran], folder: Path) -> None:
    for name in ("alone", "two"):
        assert_says(runs(name), 0)
    assert read(folder / "alone.jsonl").results == read(folder / "two.jsonl").results


def test_the_gate_turns_a_green_run_red_and_says_why(runs: Callable[[str], Ran], folder: Path) -> None:
    assert_says(runs("alone"), 0)
    old = read(folder / "alone.jsonl")
    write(folder / "more.jsonl", dataclasses.replace(old, cells={**old.cells, cell("numpy-new"): summary()}))
    options = ("--ledger", str(folder / "gated.jsonl"), "--gate", str(folder / "more.jsonl"))
    ran = process(*COMMON, "--journal", str(folder / "journal"), *TESTS, *options)
    assert_says(
        ran, 1, "regression numpy-new: adapter 2 problems -> -", "1 regression: the new ledger is worse"
    )
    assert read(folder / "gated.jsonl").results == old.results


@pytest.mark.parametrize("name", ["exits", "exits.xdist"])
def test_a_process_that_exits_early_is_not_green_nor_is_its_ledger(
    name: str, runs: Callable[[str], Ran], folder: Path
) -> None:
    ran = runs(name)
    assert ran.returncode != 0
    assert (
        "os._exit(0) in tests/faulty_adapters/ends.py::test_exits (call): the run did not finish"
        in ran.stderr
    )
    if name == "exits":
        with pytest.raises(LedgerError, match="its run did not finish"):
            read(folder / "exits.jsonl")
    else:
        assert [fault.who for fault in read(folder / "exits.xdist.jsonl").faults] == [f"{ENDS}::test_exits"]


def test_a_run_in_which_all_is_skipped_is_not_green(runs: Callable[[str], Ran]) -> None:
    assert_says(runs("skipped"), 1, "no test passed: all were skipped, so nothing was shown")


def test_a_run_without_tests_is_not_green(runs: Callable[[str], Ran]) -> None:
    assert runs("nothing").returncode == 5


@pytest.mark.parametrize(
    ("name", "why"), [("cut", "does not fit its checksum"), ("no baseline", "no such file")]
)
def test_a_baseline_that_cannot_be_used_is_reported_before_the_first_test(
    name: str, why: str, runs: Callable[[str], Ran]
) -> None:
    ran = runs(name)
    assert ran.returncode == 4
    assert why in ran.stderr
    assert ran.stdout == ""


def test_a_run_that_stops_early_is_no_whole_run(runs: Callable[[str], Ran], folder: Path) -> None:
    assert runs("stopped").returncode == 1
    found = read(folder / "stopped.jsonl")
    assert found.ending != COMPLETE
    assert found.faults
