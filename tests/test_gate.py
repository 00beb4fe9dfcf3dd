"""The gate: what is worse, what is better, what only changed; and what cannot be gated."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from ledger_pairs import BASE, CANNOT, NEAR, PAIRS, WRONG, with_behaviour, with_cell
from ledgers import CASE, adapter, cell, header, summary
from rich.console import Console

from crosscheck import commands
from crosscheck.gate import changes
from crosscheck.gate.command import gate
from crosscheck.gate.show import MOST_ALIKE, MOST_BYTES, markdown, show, verdict
from crosscheck.ledger import Fault, Ledger, LedgerError, begin, read, write
from crosscheck.ledger.records import INTERRUPTED


@pytest.mark.parametrize("name", PAIRS)
def test_every_change_is_named_with_its_kind_and_both_values(name: str) -> None:
    old, new, want = PAIRS[name]
    assert [change[:1] + change[2:5] for change in changes(old, new)] == want


def test_the_versions_of_cells_do_not_tell_them_apart() -> None:
    newer = {dataclasses.replace(place, version="2.14.0"): found for place, found in BASE.cells.items()}
    assert changes(BASE, dataclasses.replace(BASE, cells=newer)) == []


def test_a_regression_has_the_input_that_shows_it_and_what_chooses_its_adapter() -> None:
    outside = header(adapters=(adapter("torch", selector="my.module:object"),))
    old, new = (dataclasses.replace(each, header=outside) for each in (BASE, with_cell(WRONG)))
    (change,) = changes(old, new)
    assert (change.case, change.selector) == ("case", "my.module:object")
    console = Console(file=io.StringIO(), width=200)
    show([change], console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    assert "bin/crosscheck check case --adapter my.module:object" in printed
    assert printed.splitlines()[-1] == "1 regression."


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_gated_is_no_pass(name: str) -> None:
    old, new, why = CANNOT[name]
    with pytest.raises(LedgerError, match=why):
        gate(old, new)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
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


def test_the_exit_code_tells_a_regression_from_a_change(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run(BASE, BASE) == (0, "Nothing changed.\n", "")
    assert run(BASE, with_cell(WRONG))[0] == 1
    assert run(BASE, with_cell(NEAR))[0] == 0
    assert run(BASE, with_behaviour("other bits"))[0] == 1


@pytest.mark.parametrize("new", [b"", b"{}\n", b'{"format":"gradient-crosscheck ledger","version":1}\n'])
def test_a_ledger_that_cannot_be_used_is_one_clear_line_and_2(
    run: Callable[..., tuple[int, str, str]], new: bytes
) -> None:
    code, printed, complaint = run(BASE, new)
    assert (code, printed) == (2, "")
    assert complaint.startswith("crosscheck: error: ")
    assert complaint.count("\n") == 1


def test_a_baseline_that_is_missing_is_unusable(run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, complaint = run(None, BASE)
    assert code == 2
    assert "old.jsonl: no such file" in complaint


def test_what_is_accepted_is_the_new_baseline_and_says_why(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
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


def test_a_run_that_did_not_finish_is_never_accepted(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    write(tmp_path / "old.jsonl", BASE)
    begin(tmp_path / "begun.jsonl", header("torch"))
    code, _, complaint = run(None, (tmp_path / "begun.jsonl").read_bytes(), "--accept", "I want it")
    assert code == 2
    assert "did not finish" in complaint
    assert run(None, dataclasses.replace(BASE, ending=INTERRUPTED), "--accept", "I want it")[0] == 2
    assert read(tmp_path / "old.jsonl") == BASE
    assert run(BASE, BASE, "--accept", " ")[0] == 2


def test_the_summary_is_appended(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("before\n")
    run(BASE, with_cell(WRONG), "--summary", str(tmp_path / "summary.md"))
    lines = (tmp_path / "summary.md").read_text().splitlines()
    assert lines[:2] == ["before", "## old.jsonl and new.jsonl"]
    assert lines[3] == "1 regression."
    assert lines[-1].startswith("| regression | torch float32 ordinary grad core contiguous | verdict |")
    code, _, complaint = run(BASE, BASE, "--summary", str(tmp_path / "no" / "summary.md"))
    assert (code, "the summary cannot be written" in complaint) == (2, True)


def test_markdown_stays_within_its_limit_and_is_inert() -> None:
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
    assert verdict(found) == "20 regressions."


def test_counts_of_kinds_are_in_words() -> None:
    old, new, _ = PAIRS["a larger error elsewhere"]
    assert verdict(changes(old, new)) == "1 other change, 1 change of the environment."
    assert verdict([]) == "Nothing changed."
    assert CASE in {change.case for change in changes(with_behaviour("a"), with_behaviour("b"))}
