"""Finished shards are kept, resumed and merged; what does not belong together is refused."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import header
from msgspec.structs import replace
from sweeps import COMMAND, ROOT, UNLUCKY, counted, digest, files, process_options, specs, sweep

from crosscheck.cli.commands import run
from crosscheck.results.ledger import Ledger, LedgerError, begin, read, write
from crosscheck.results.lines import COMPLETE, INTERRUPTED
from crosscheck.sweep import session
from crosscheck.sweep.record import MOST_SHARDS, WHOLE, Slice, numbers, slice_of, to_text
from crosscheck.sweep.session import Executor, ShardAnswer, compute
from crosscheck.sweep.store import PLAN, merge_and_show, plan_of
from tests.faulty_adapters.toy import Toy
from tests.faulty_adapters.unlucky import SHARD

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep that has ended."""
    folder = tmp_path_factory.mktemp("whole")
    assert sweep(folder)[0] == 0
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    """The same for a test alone."""
    for file in (whole / "store").iterdir():
        (tmp_path / "store").mkdir(exist_ok=True)
        (tmp_path / "store" / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_the_digest_is_the_same_for_any_number_of_workers_and_any_order(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backwards(executor: Executor, shards: list[int]) -> Iterator[ShardAnswer]:
        return compute(executor, shards[::-1])

    monkeypatch.setattr(session, "compute", backwards)
    _, ledger = sweep(tmp_path, workers=2)
    assert ledger.results == sweep(whole, resume=True)[1].results
    assert ledger.problems == 4 * 2 * Toy().shards


def test_a_store_is_no_place_for_a_second_sweep_unless_it_is_to_be_resumed(copied: Path) -> None:
    with pytest.raises(LedgerError, match="has a sweep already; --resume continues it, --store"):
        sweep(copied)


def test_resuming_computes_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    diary.mkdir()
    kind = Toy(diary=str(diary))
    _, before = sweep(tmp_path, kind)
    (tmp_path / "store" / "shard-0000002.jsonl").unlink()
    _, after = sweep(tmp_path, kind, resume=True)
    assert counted(diary) == {0: 1, 1: 1, 2: 2, 3: 1}
    assert after.results == before.results


def test_a_damaged_shard_is_computed_again_and_said(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut, swapped = (copied / "store" / f"shard-000000{shard}.jsonl" for shard in (1, 2))
    good = files(copied / "store")
    cut.write_bytes(cut.read_bytes()[:-9])
    swapped.write_bytes((copied / "store" / "shard-0000003.jsonl").read_bytes())
    code, _ = sweep(copied, resume=True)
    said = capsys.readouterr().err
    assert f"{cut}: does not fit its checksum" in said
    assert said.count("it is computed again") == 2
    assert code == 0
    assert {name: len(data) for name, data in files(copied / "store").items()} == {
        name: len(data) for name, data in good.items()
    }


def test_a_store_of_other_cases_or_adapters_is_refused_with_old_and_new(copied: Path) -> None:
    with pytest.raises(LedgerError, match="setting shards: 4 -> 5; shards: 4 -> 5"):
        sweep(copied, Toy(shards=5), resume=True)
    with pytest.raises(LedgerError, match="adapter unlucky: - -> planted 1, cpu, float64"):
        sweep(copied, adapters=specs(UNLUCKY), resume=True)


def test_a_store_of_other_versions_is_refused_with_old_and_new(copied: Path) -> None:
    plan = plan_of(copied / "store")
    there = plan.environment
    older = replace(there, packages={**there.packages, "numpy": "1.0"}, python="3.10.0")
    begin(copied / "store" / PLAN, replace(plan, environment=older, suite="0.0.1"))
    with pytest.raises(LedgerError) as refused:
        sweep(copied, resume=True)
    for what in ("suite: 0.0.1 -> ", "package numpy: 1.0 -> ", "python: 3.10.0 -> "):
        assert what in str(refused.value)


def test_a_store_of_another_version_of_the_format_is_refused(copied: Path) -> None:
    plan = copied / "store" / PLAN
    plan.write_bytes(plan.read_bytes().replace(b'"version":3', b'"version":2'))
    with pytest.raises(LedgerError, match="was begun in another version of the format; remove the directory"):
        sweep(copied, resume=True)


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 10**5, b"\xff\x00"])
def test_a_damaged_plan_is_refused(data: bytes, copied: Path) -> None:
    (copied / "store" / PLAN).write_bytes(data)
    with pytest.raises(LedgerError, match=r"its plan\.json is damaged"):
        sweep(copied, resume=True)


def test_the_store_is_called_after_what_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, part in ((Toy(shards=2), WHOLE), (Toy(shards=3), WHOLE), (Toy(shards=3), Slice(1, 2))):
        sweep(tmp_path, kind, store=None, part=part)
    stores = list((tmp_path / ".crosscheck" / "sweeps").iterdir())
    assert len(stores) == 3
    assert all(re.fullmatch("[0-9a-f]{12}", store.name) for store in stores)


def test_a_store_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(LedgerError, match="the store cannot be made"):
        sweep(tmp_path)


def test_a_part_has_its_own_shards_only(whole: Path, tmp_path: Path) -> None:
    _, ledger = sweep(tmp_path, part=Slice(2, 3))
    assert ledger.header.sweep is not None
    assert (ledger.header.sweep.shards, ledger.header.sweep.of) == ("1", 4)
    assert list(files(tmp_path / "store")) == list(files(whole / "store"))[1:2]


def test_two_clients_cannot_have_one_store_and_a_dead_one_lets_it_go(tmp_path: Path) -> None:
    command = [*COMMAND, "--store", str(tmp_path / "store"), "--journal", str(tmp_path), "--seconds", "60"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        while "Store: " not in first.stdout.readline():
            assert first.poll() is None
        second = subprocess.run(
            [*command, "--resume"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        first.kill()
    assert second.returncode == 2
    assert "another process sweeps into this store" in second.stderr
    third = [*command[:-1], "0", "--resume"]
    told = subprocess.run(third, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "setting seconds: 60.0 -> 0.0" in told.stderr


@pytest.mark.parametrize("seed", range(3))
def test_a_client_killed_at_any_moment_loses_nothing_that_was_stored(seed: int, tmp_path: Path) -> None:
    moments = random.Random(seed)  # noqa: S311, any moments will do
    diary = tmp_path / "diary"
    diary.mkdir()
    ways = ("--store", tmp_path / "store", "--journal", tmp_path / "journal", "--diary", diary)
    command = [*COMMAND, *map(str, ways), "--seconds", "0.1", "--workers", "2", "--shards", "40"]
    stored, times = set[int](), Counter[int]()
    for moment in [*(moments.uniform(0.8, 2.5) for _ in range(4)), None]:
        with subprocess.Popen([*command, "--resume"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as client:
            with contextlib.suppress(subprocess.TimeoutExpired):
                said, _ = client.communicate(timeout=moment)
            client.kill()
        now = counted(diary)
        assert {shard: now[shard] for shard in stored} == {shard: times[shard] for shard in stored}
        stored, times = {int(name[6:13]) for name in files(tmp_path / "store")}, now
    assert client.returncode == 0
    _, ledger = sweep(tmp_path / "other", Toy(shards=40, seconds=0.0), workers=2)
    assert digest(said) == ledger.results


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


def test_ledgers_and_stores_merge_to_the_digest_of_the_whole(parts: list[Path], tmp_path: Path) -> None:
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
    given = process_options(tmp_path, "hangs", timeout=1.0)
    sweep(tmp_path, adapters=specs(UNLUCKY), given=given, limit=3.0)
    for source in ("store", "ledger.jsonl"):
        whole = merged(tmp_path, tmp_path / source)
        assert (whole.verdict, whole.ending, len(whole.faults)) == (1, COMPLETE, 1)
        assert whole.header.sweep is not None
        assert whole.header.sweep.failed_shards == str(SHARD)


def test_the_command_merges_and_says_what_is_wrong_in_one_line(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["--ledger", str(tmp_path / "merged.jsonl")]
    assert run(["merge", "nowhere"]) == 2
    assert "--ledger" in capsys.readouterr().err
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
