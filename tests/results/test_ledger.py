"""The ledger: every byte counts, what is read is what was written, and nothing in it is executed."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import CASE, behaviour, cell, header, known, small, summary

from adapters import threads
from adapters.start import environment_of
from crosscheck.results.environment import environment
from crosscheck.results.ledger import Ledger, LedgerError, begin, parse, read, write
from crosscheck.results.lines import INTERRUPTED, Acceptance, Answers, Fault
from crosscheck.results.summary import CASES, COUNTS, HASHES, Cell, Number, Summary, Worst, merged

ROOT = Path(__file__).parents[2]


def bytes_of(ledger: Ledger, tmp_path: Path) -> bytes:
    write(tmp_path / "ledger.jsonl", ledger)
    return (tmp_path / "ledger.jsonl").read_bytes()


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    full = dataclasses.replace(
        small(),
        faults=(Fault(who="torch", what="torch exited"),),
        acceptances=(Acceptance(when=header().created, why="because", changes=("regression: a",)),),
        ending=INTERRUPTED,
        verdict=1,
        answers=(Answers(adapter="torch", output="all", answered=(CASE,), refused={CASE: "too hard"}),),
    )
    for ledger in (small(), full, Ledger(header())):
        assert parse(bytes_of(ledger, tmp_path)) == ledger


values = st.floats(min_value=0, allow_nan=False)
worst = st.builds(Worst, values.map(Number), st.text(), st.tuples(st.integers(0, 9)), st.text())
counts = st.integers(0, 2**40)  # their sums fit as well
summaries = st.builds(
    Summary,
    **dict.fromkeys((*COUNTS, *HASHES), counts),
    error=st.none() | worst,
    share=st.none() | worst,
    errors=st.dictionaries(st.text(), counts),
    shares=st.dictionaries(st.text(), counts),
    known=st.dictionaries(st.text(), counts),
    unsupported=st.frozensets(st.text()),
    failures=st.frozensets(st.text()),
)
cells = st.builds(
    Cell,
    **{name: counts if name == "threads" else st.text() for name in Cell.__struct_fields__},
)


@pytest.mark.long
def test_any_cell_survives(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ledgers")

    @given(st.dictionaries(cells, summaries, max_size=3))
    def survives(found: dict[Cell, Summary]) -> None:
        ledger = Ledger(header("torch"), found)
        assert parse(bytes_of(ledger, folder)) == ledger

    survives()


def test_every_truncation_and_every_flipped_bit_is_rejected_with_a_reason(tmp_path: Path) -> None:
    data = bytes_of(small(), tmp_path)
    for at in range(len(data)):
        with pytest.raises(LedgerError, match=r"no ledger|no end|checksum|version"):
            parse(data[:at])
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(LedgerError, match=r"no ledger|no end|checksum|version"):
                parse(bytes(flipped))


def test_nothing_may_follow_and_no_line_may_be_taken_out_or_changed_places(tmp_path: Path) -> None:
    data = bytes_of(small(), tmp_path)
    lines = data.splitlines(keepends=True)
    for edited in (data + b"\n", data + data, b"\n" + data, lines[0] + data):
        with pytest.raises(LedgerError):
            parse(edited)
    for at in range(len(lines)):
        with pytest.raises(LedgerError):
            parse(b"".join(lines[:at] + lines[at + 1 :]))


@pytest.mark.parametrize("text", ["", "\n", "{}", "[]", "null", '{"format":1}', "\x80", "PK\x03\x04"])
def test_what_is_no_ledger_is_told_so(text: str) -> None:
    with pytest.raises(LedgerError, match="is no ledger of this suite"):
        parse(text.encode("latin-1"))


def test_a_run_that_has_begun_and_not_ended_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, small())
    begin(path, header("torch"))
    with pytest.raises(LedgerError, match="its run did not finish"):
        read(path)


def test_a_file_that_cannot_be_read_or_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such file"):
        read(tmp_path / "nothing.jsonl")
    with pytest.raises(LedgerError, match="is no regular file"):
        read(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="the ledger cannot be written: File exists"):
        write(tmp_path / "file" / "ledger.jsonl", small())


def test_a_pipe_or_a_device_is_not_replaced_by_a_ledger(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LedgerError, match="the ledger cannot be written: is no regular file"):
        write(tmp_path / "pipe", small())
    assert (tmp_path / "pipe").is_fifo()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, small())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left on device"):
        write(path, Ledger(header()))
    assert read(path) == small()
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_the_digest_of_the_results_is_that_of_results_alone() -> None:
    ledger = small()
    again = dataclasses.replace(
        ledger,
        header=header("torch", created=header().created.replace(year=2027), command="other"),
        cells=dict(reversed(list(ledger.cells.items()))),
    )
    assert again.results == ledger.results
    for other in (
        dataclasses.replace(ledger, cells={cell(): summary()}),
        dataclasses.replace(ledger, cells={**ledger.cells, cell(): summary(bits=10)}),
        dataclasses.replace(ledger, behaviours=(behaviour("other bits"),)),
        dataclasses.replace(ledger, known=(known("another"),)),
    ):
        assert other.results != ledger.results


def test_cases_and_bits_add_up_in_any_order() -> None:
    a, b = summary(cases=CASES - 1, bits=3), summary(cases=5, bits=CASES - 2)
    for both in (merged((a, b)), merged((b, a))):
        assert (both.cases, both.bits, both.equal) == (4, 1, 10)


def test_an_infinite_error_is_written_as_such(tmp_path: Path) -> None:
    ledger = Ledger(header(), {cell(): summary(error=Worst(Number(math.inf), "", (0,), "zeros"))})
    line = json.loads(bytes_of(ledger, tmp_path).splitlines()[1])
    assert line["summary"]["error"]["value"] == "inf"


def test_the_environment_names_what_can_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX2")
    found = environment()
    assert found.variables["NPY_DISABLE_CPU_FEATURES"] == "AVX2"
    assert found.packages["numpy"]
    assert found.cpu
    assert found.blas


def test_what_every_process_is_given_anew_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in threads.COUNTED:
        monkeypatch.setenv(name, "theirs")
        assert environment_of(1, {})[name] != "theirs"  # no adapter sees it
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=true --xla_dump_to=there")
    variables = environment().variables
    assert not variables.keys() & set(threads.COUNTED)
    assert variables["XLA_FLAGS"] == "--xla_dump_to=there"


def test_reading_a_ledger_imports_no_framework(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", small())
    code = "import sys; from pathlib import Path; from crosscheck.results.ledger import read;"
    code += "read(Path(sys.argv[1])); print(*{'torch', 'jax', 'pickle5'} & set(sys.modules))"
    command = [sys.executable, "-c", code, str(tmp_path / "a.jsonl")]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []
