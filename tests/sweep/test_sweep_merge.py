"""Parts of a sweep merge into the ledger of the whole, and only if they are parts of one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from ledgers import header
from msgspec.structs import replace
from sweeps import UNLUCKY, process_options, specs, sweep

from crosscheck.commands import cli, run
from crosscheck.results.ledger import Ledger, LedgerError, read, write
from crosscheck.results.lines import COMPLETE, INTERRUPTED
from crosscheck.sweep.record import MOST_SHARDS, Slice, numbers, slice_of, to_text
from crosscheck.sweep.store import merge_and_show
from tests.faulty_adapters.toy import Toy
from tests.faulty_adapters.unlucky import SHARD

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of three jobs."""
    folders = [tmp_path_factory.mktemp("part") for _ in range(3)]
    for place, folder in enumerate(folders, start=1):
        assert sweep(folder, part=Slice(place, 3))[0] == 0
    return folders


def merged(tmp_path: Path, *paths: Path, partial: bool = False) -> Ledger:
    """What comes of merging."""
    merge_and_show(paths, tmp_path / "merged.jsonl", partial=partial)
    return read(tmp_path / "merged.jsonl")


def test_ledgers_and_stores_of_all_jobs_merge_to_the_digest_of_the_whole(
    parts: list[Path], tmp_path: Path
) -> None:
    _, whole = sweep(tmp_path)
    ledgers, stores = ([folder / name for folder in parts] for name in ("ledger.jsonl", "store"))
    assert merged(tmp_path, *ledgers).results == whole.results
    assert merged(tmp_path, *reversed(stores)).results == whole.results
    mixed = merged(tmp_path, ledgers[0], *stores[1:])
    assert (mixed.results, mixed.ending, mixed.verdict) == (whole.results, COMPLETE, 0)
    assert mixed.header.sweep is not None
    assert mixed.header.sweep.shards == "0-3"
    assert merged(tmp_path, tmp_path / "merged.jsonl").results == whole.results


def test_a_shard_that_is_there_twice_is_refused(parts: list[Path], tmp_path: Path) -> None:
    first = parts[0]
    with pytest.raises(LedgerError, match=r"store.shard-0000000\.jsonl: shards that are there already: 0"):
        merged(tmp_path, first / "ledger.jsonl", first / "store")


def test_missing_shards_are_named_and_may_be_left_out(parts: list[Path], tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="shards that are missing: 2; --partial"):
        merged(tmp_path, parts[0] / "store", parts[1] / "store")
    some = merged(tmp_path, parts[0] / "store", parts[1] / "store", partial=True)
    assert some.ending == INTERRUPTED


def test_parts_of_other_kinds_or_versions_are_refused_with_both(parts: list[Path], tmp_path: Path) -> None:
    sweep(tmp_path, Toy(shards=5), part=Slice(2, 3))
    with pytest.raises(LedgerError, match="setting shards: 4 -> 5"):
        merged(tmp_path, parts[0] / "ledger.jsonl", tmp_path / "ledger.jsonl")
    other = read(parts[1] / "ledger.jsonl")
    there = other.header.environment
    older = replace(other.header, environment=replace(there, packages={**there.packages, "numpy": "1.0"}))
    write(tmp_path / "older.jsonl", Ledger(older, other.cells))
    with pytest.raises(LedgerError, match=r"package numpy: .* -> 1\.0"):
        merged(tmp_path, parts[0] / "ledger.jsonl", tmp_path / "older.jsonl")


def test_a_ledger_of_no_sweep_and_a_directory_without_one_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "compared.jsonl", Ledger(header("numpy")))
    with pytest.raises(LedgerError, match="is of no sweep but of `compare`"):
        merged(tmp_path, tmp_path / "compared.jsonl")
    with pytest.raises(LedgerError, match="is no store of a sweep"):
        merged(tmp_path, tmp_path)


def test_a_damaged_shard_of_a_store_counts_as_missing(parts: list[Path], tmp_path: Path) -> None:
    for file in (parts[1] / "store").glob("[ps]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes().replace(b"ordinary", b"ORDINARY"))
    with pytest.raises(LedgerError, match="shards that are missing: 1;"):
        merged(tmp_path, parts[0] / "store", tmp_path, parts[2] / "store")


def test_what_was_set_aside_is_not_missing_and_no_agreement(tmp_path: Path) -> None:
    given = process_options(tmp_path, "raises")
    sweep(tmp_path, adapters=specs(UNLUCKY), given=given)
    for source in ("store", "ledger.jsonl"):
        whole = merged(tmp_path, tmp_path / source)
        assert (whole.verdict, whole.ending, len(whole.faults)) == (1, COMPLETE, 1)
        assert whole.header.sweep is not None
        assert whole.header.sweep.failed_shards == str(SHARD)


def test_the_command_merges_and_says_what_is_wrong_in_one_line(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["--ledger", str(tmp_path / "merged.jsonl")]
    assert run(["merge", str(parts[0] / "store"), *target]) == 2
    assert capsys.readouterr().err.startswith("crosscheck: error: shards that are missing: 1-2; --partial")
    assert run(["merge", *(str(folder / "ledger.jsonl") for folder in parts), *target]) == 0
    assert "Within bounds: numpy: " in capsys.readouterr().out


@given(st.sets(st.integers(0, 300)))
def test_any_set_of_numbers_is_read_as_it_was_written(some: set[int]) -> None:
    assert numbers(to_text(some), 301) == some


@pytest.mark.parametrize("text", ["1,0", "0,0", "2-1", "0-4", "4", "00", "0-0", "0,1", "9" * 5000])
def test_numbers_in_another_form_are_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        numbers(text, 4)


def test_no_ledger_makes_its_reader_count_beyond_what_a_sweep_has() -> None:
    with pytest.raises(LedgerError, match="at most"):
        numbers(f"0-{MOST_SHARDS}", MOST_SHARDS + 1)


def test_the_parts_of_any_number_of_jobs_are_all_shards_once() -> None:
    for of in range(1, 9):
        shards = [shard for place in range(1, of + 1) for shard in Slice(place, of).shards(7)]
        assert sorted(shards) == list(range(7))


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1", "a/b", "1/4/2", "-1/4"])
def test_what_names_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write I/N"):
        slice_of(text)


def test_a_wrong_part_is_a_mistake_in_the_call() -> None:
    assert "--ledger" in CliRunner().invoke(cli, ["merge", "nowhere"]).output
