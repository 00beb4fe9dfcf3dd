"""The gate: what is worse, what is better, what only changed; and what cannot be gated."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any

import pytest
from ledger_pairs import BASE, CANNOT, ELSEWHERE, NEAR, PAIRS, WRONG, with_behaviour, with_cell
from ledgers import CASE, adapter, cell, header, summary
from msgspec.structs import replace
from rich.console import Console

from crosscheck.cli import commands
from crosscheck.results.changes import Change, ChangeKind, changes, gate
from crosscheck.results.ledger import Ledger, LedgerError, begin, read, write
from crosscheck.results.lines import INTERRUPTED, Fault
from crosscheck.terminal.gate import MOST_ALIKE, MOST_BYTES, condense, counts, markdown, show, verdict
from crosscheck.text import format_distinct

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_example_in_the_document_has_the_cells_of_the_baseline() -> None:
    baseline = read(ROOT / "baselines" / "compare.jsonl")
    cells, adapters = len(baseline.cells), len(baseline.header.adapters)
    said = f"\nCompared: {cells:,} cells of {adapters} adapters, all with the same cases.\n"
    assert said in (ROOT / "docs" / "ledger.md").read_text("utf-8")


@pytest.mark.parametrize("name", PAIRS)
def test_every_change_is_named_with_its_kind_and_both_values(name: str) -> None:
    old, new, want = PAIRS[name]
    assert [change[:1] + change[2:5] for change in changes(old, new)] == want


def test_a_regression_has_the_input_that_shows_it_and_what_chooses_its_adapter() -> None:
    outside = header(adapters=(adapter("torch", selector="my.module:object"),))
    old, new = (dataclasses.replace(each, header=outside) for each in (BASE, with_cell(WRONG)))
    (change,) = changes(old, new)
    assert (change.case, change.selector) == ("case", "my.module:object")
    said = printed([change], 200)
    assert "bin/crosscheck check case --adapter my.module:object" in said
    assert said.splitlines()[0] == "1 regression: the new ledger is worse than the baseline."


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_gated_is_no_pass(name: str) -> None:
    old, new, why = CANNOT[name]
    with pytest.raises(LedgerError, match=why):
        gate(old, new)


Gate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Gate:
    """The command on files of these ledgers: exit code, output and complaints."""

    def command(old: Ledger | None, new: Ledger | bytes, *options: str) -> tuple[int, str, str]:
        if old is not None:
            write(tmp_path / "old.jsonl", old)
        if isinstance(new, Ledger):
            write(tmp_path / "new.jsonl", new)
        else:
            (tmp_path / "new.jsonl").write_bytes(new)
        code = commands.run(["gate", str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl"), *options])
        return (code, *capsys.readouterr())

    return command


def test_the_exit_code_tells_a_regression_from_a_change(run: Gate) -> None:
    code, printed, complaint = run(BASE, BASE)
    assert (code, printed.splitlines()[-1], complaint) == (0, "Nothing changed.", "")
    assert run(BASE, with_cell(WRONG))[0] == 1
    assert run(BASE, with_cell(NEAR))[0] == 0
    assert run(BASE, with_behaviour("other bits"))[0] == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (BASE, b"", "new.jsonl: "),
        (BASE, b"{}\n", "new.jsonl: "),
        (BASE, b'{"format":"gradient-crosscheck ledger","version":1}\n', "new.jsonl: "),
        (None, BASE, "old.jsonl: no such file"),
    ],
    ids=["empty", "another file", "another version", "missing"],
)
def test_an_unusable_ledger_is_one_line_and_2(
    run: Gate, old: Ledger | None, new: Ledger | bytes, said: str
) -> None:
    code, printed, complaint = run(old, new)
    assert (code, printed) == (2, "")
    assert complaint.startswith("crosscheck: error: ")
    assert said in complaint
    assert complaint.count("\n") == 1


def test_what_is_accepted_is_the_new_baseline_and_says_why(run: Gate, tmp_path: Path) -> None:
    assert run(None, BASE, "--accept", "the first")[0] == 0
    assert read(tmp_path / "old.jsonl").cells == BASE.cells
    code, printed, _ = run(None, with_cell(WRONG), "--accept", "upstream has fixed it on main")
    assert code == 0
    assert "regression" in printed
    accepted = read(tmp_path / "old.jsonl")
    assert accepted.cells[cell()] == WRONG
    assert [each.why for each in accepted.acceptances] == ["the first", "upstream has fixed it on main"]
    assert accepted.acceptances[-1].changes == (
        "regression: torch float32 ordinary grad core contiguous: verdict within bounds -> outside",
    )
    assert run(None, with_cell(WRONG))[0] == 0


def test_an_unfinished_run_is_never_accepted(run: Gate, tmp_path: Path) -> None:
    write(tmp_path / "old.jsonl", BASE)
    begin(tmp_path / "begun.jsonl", header("torch"))
    code, _, complaint = run(None, (tmp_path / "begun.jsonl").read_bytes(), "--accept", "I want it")
    assert code == 2
    assert "did not finish" in complaint
    assert run(None, dataclasses.replace(BASE, ending=INTERRUPTED), "--accept", "I want it")[0] == 2
    assert read(tmp_path / "old.jsonl") == BASE
    assert run(BASE, BASE, "--accept", " ")[0] == 2


def test_the_summary_is_appended(run: Gate, tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("before\n")
    run(BASE, with_cell(WRONG), "--summary", str(tmp_path / "summary.md"))
    lines = (tmp_path / "summary.md").read_text().splitlines()
    assert lines[:2] == ["before", "## old.jsonl and new.jsonl"]
    assert lines[3].startswith("1 regression: ")
    assert lines[3].endswith("old.jsonl. Exit code 1. Changed: 1 regression.")
    assert lines[-1].startswith("| regression | torch float32 ordinary grad core contiguous | verdict |")
    code, _, complaint = run(BASE, BASE, "--summary", str(tmp_path / "no" / "summary.md"))
    assert (code, "the summary cannot be written" in complaint) == (2, True)


def test_markdown_stays_within_its_limit_and_is_escaped() -> None:
    evil = "<script>alert(1)</script> | [x](javascript:1) `a` *b* ![i](http://example.org) @all #1 \n## head"
    many = dataclasses.replace(
        BASE, faults=tuple(Fault(who=f"{i} {evil}", what="x" * 1000) for i in range(5000))
    )
    text = markdown(changes(BASE, many), evil)
    assert len(text.encode()) <= MOST_BYTES + 100
    assert text.splitlines()[-1].strip("| ") == "and more, which the ledgers have"
    for harm in ("<script", "](", "`", "*b*", "![", "@all", "\n## head"):
        assert harm not in text


def test_of_many_alike_the_first_are_shown_and_the_others_counted() -> None:
    many = {cell(shape=str(i)): summary() for i in range(20)}
    wrong = dict.fromkeys(many, WRONG)
    found = changes(dataclasses.replace(BASE, cells=many), dataclasses.replace(BASE, cells=wrong))
    text = markdown(found, "")
    assert text.count("| regression |") == MOST_ALIKE
    assert "12 more like this: torch verdict" in text
    assert verdict(found) == "20 regressions: the new ledger is worse than the baseline."
    assert len(list(condense(found, everything=True))) == 20


def printed(found: Sequence[Change], width: int = 60, **options: Any) -> str:
    """What a terminal of that width gets."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(found, console, **options)
    return console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above


def test_the_first_line_is_the_verdict_with_the_names_of_the_files_and_the_exit_code(
    run: Gate, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    first, second, *_ = run(BASE, BASE)[1].splitlines()
    assert first == f"No regression: {new} is no worse than {old}. Exit code 0."
    assert second == "Compared: 2 cells of 1 adapter, all with the same cases."
    first, second, *_ = run(BASE, with_cell(replace(WRONG, cases=8)))[1].splitlines()
    assert first == f"1 regression: {new} is worse than {old}. Exit code 1."
    assert second == "Compared: 2 cells of 1 adapter, 1 with the same cases."
    assert run(None, with_cell(WRONG), "--accept", "no")[1].splitlines()[0].endswith("Exit code 0.")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_terminal_is_too_narrow_for_the_verdict_or_a_value(width: int) -> None:
    long = "a mode with a name that is longer than most, and words in it"
    said = printed(changes(BASE, with_cell(WRONG, cell(long))), width)
    assert max(len(line) for line in said.splitlines() if "replay" not in line) <= width
    assert said.startswith("1 regression: ")
    assert f"regression {long} float32 ordinary grad core contiguous: verdict - -> outside" in " ".join(
        said.split()
    )


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("a larger error elsewhere", "another CPU"),
        ("a larger error with more threads", "another number of threads"),
        ("other bits of another version", "another version of torch"),
        ("a promise broken elsewhere", "another CPU"),
    ],
)
def test_what_the_environment_explains_is_counted_and_shown_on_demand(name: str, cause: str) -> None:
    old, new, ((_, what, before, after), *_) = PAIRS[name]
    found = changes(old, new)
    folded = printed(found, 200)
    assert f"1 other change, explained by {cause}; gate --all shows each:" in folded
    counted = {"bits": "other bits in 1 cell", "behaviour": "1 other behaviour"}
    worst = "other bits in 1 cell, and another worst error in 1 of them"
    assert f"  torch float32: {counted.get(what, worst)}" in folded.splitlines()
    assert f"{before} -> {after}" not in folded
    assert f"{before} -> {after}" in printed(found, 200, everything=True)


def test_nothing_that_the_environment_does_not_explain_is_folded() -> None:
    old, new, _ = PAIRS["other bits"]
    assert "bits 5 of 6 as the reference -> 4 of 6 as the reference" in printed(changes(old, new), 200)
    for name in ("a larger error of another version", "a new mode that is wrong"):
        old, new, _ = PAIRS[name]
        shown = [each for each in condense(changes(old, new)) if not isinstance(each, str)]
        assert shown == changes(old, new)


def test_a_regression_on_another_machine_is_never_folded() -> None:
    elsewhere = dataclasses.replace(with_cell(WRONG), header=ELSEWHERE)
    (worse, *_) = condense(changes(BASE, elsewhere))
    assert isinstance(worse, Change)
    assert (worse.kind, worse.what, worse.cause) == (ChangeKind.REGRESSION, "verdict", "")


def test_of_many_adapters_each_dtype_has_one_line() -> None:
    names = [f"torch-{i}" for i in range(20)]
    heads = [header(*names, environment=each.header.environment) for each in (BASE, Ledger(ELSEWHERE))]
    cells = [{cell(name): each for name in names} for each in (summary(), summary(bits=10, equal=4))]
    old, new = (Ledger(head, there) for head, there in zip(heads, cells, strict=True))
    lines = [line for line in printed(changes(old, new), 200).splitlines() if line.startswith("  ")]
    assert lines == ["  20 adapters in float32: other bits in 20 cells"]


@pytest.mark.parametrize("pair", [(1.0, 1.0 + 2**-52), (7.13624e44, 7.136241e44), (0.1, 0.2), (1.0, inf)])
def test_two_numbers_that_are_not_equal_are_never_shown_equal(pair: tuple[float, float]) -> None:
    old, new = format_distinct(*pair)
    assert old != new
    assert format_distinct(0.1, 0.2) == ("0.1", "0.2")


def test_long_values_are_shown_where_they_differ() -> None:
    old, new = (with_behaviour(f"{'x' * 1000}{end}") for end in "ab")
    said = " ".join(printed(changes(old, new), 2000).split())
    assert "xa -> …x" in said
    assert "xb" in said


def test_counts_of_kinds_are_in_words() -> None:
    old, new, _ = PAIRS["a larger error elsewhere"]
    assert counts(changes(old, new)) == "Changed: 1 other change, 1 change of the environment."
    assert counts([]) == "Nothing changed."
    assert CASE in {change.case for change in changes(with_behaviour("a"), with_behaviour("b"))}
