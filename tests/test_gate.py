"""The gate: what is worse, what is better, what only changed; and what cannot be gated."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from ledgers import CASE, ENVIRONMENT, adapter, behaviour, cell, header, known, small, summary
from msgspec.structs import replace
from rich.console import Console

from crosscheck import commands
from crosscheck.gate import Kind, changes
from crosscheck.gate.command import gate
from crosscheck.gate.show import MOST_ALIKE, MOST_BYTES, markdown, show, verdict
from crosscheck.ledger import Fault, Ledger, LedgerError, begin, read, write
from crosscheck.ledger.records import INTERRUPTED
from crosscheck.summary import Cell, Summary, Worst

BASE = small()
WORSE, BETTER, OTHER = Kind.REGRESSION, Kind.IMPROVEMENT, Kind.CHANGE
LOSS = cell(output="loss")


def with_cell(found: Summary, place: Cell | None = None) -> Ledger:
    return dataclasses.replace(BASE, cells={**BASE.cells, place or cell(): found})


def with_behaviour(value: str, *, seen: bool = True) -> Ledger:
    return dataclasses.replace(BASE, behaviours=(behaviour(value, seen=seen),))


WRONG = summary(wrong_problems=1, wrong_elements=2, bits=10, share=Worst(3.0, "case", (0, 0, 0), "zeros"))
FAR = summary(bits=10, error=Worst(2.5, "far", (0, 0, 0), "ordinary"))
NEAR = summary(bits=10, error=Worst(0.5, "near", (0, 0, 0), "ordinary"))
ELSEWHERE = header("torch", environment=replace(ENVIRONMENT, cpu="another"))
# Name: the baseline, the new ledger, and the kind, fact, old and new value of every change.
PAIRS: dict[str, tuple[Ledger, Ledger, list[tuple[Kind, str, str, str]]]] = {
    "nothing": (BASE, BASE, []),
    "disagrees": (BASE, with_cell(WRONG), [(WORSE, "verdict", "agrees", "disagrees")]),
    "agrees again": (with_cell(WRONG), BASE, [(BETTER, "verdict", "disagrees", "agrees")]),
    "known": (
        BASE,
        with_cell(dataclasses.replace(WRONG, known_elements=2)),
        [(WORSE, "verdict", "agrees", "known")],
    ),
    "more outside": (
        with_cell(WRONG),
        with_cell(dataclasses.replace(WRONG, wrong_elements=3)),
        [(WORSE, "elements outside", "2", "3")],
    ),
    "fewer outside": (
        with_cell(dataclasses.replace(WRONG, wrong_elements=3)),
        with_cell(WRONG),
        [(BETTER, "elements outside", "3", "2")],
    ),
    "fewer problems": (BASE, with_cell(summary(problems=1, cases=1)), [(WORSE, "problems", "2", "1")]),
    "fewer judged": (BASE, with_cell(summary(not_judged=1)), [(WORSE, "judged", "2", "1")]),
    "not judged": (BASE, with_cell(summary(not_judged=2)), [(WORSE, "verdict", "agrees", "not judged")]),
    "a larger error": (BASE, with_cell(FAR), [(WORSE, "worst ulp", "1.5", "2.5")]),
    "a smaller error": (BASE, with_cell(NEAR), [(BETTER, "worst ulp", "1.5", "0.5")]),
    "other bits": (
        BASE,
        with_cell(summary(bits=10, equal=4)),
        [(OTHER, "bits", "5 of 6 as the reference", "4 of 6 as the reference")],
    ),
    "another sample of equal numbers": (BASE, with_cell(dataclasses.replace(FAR, bits=9)), []),
    "a larger error of other cases": (BASE, with_cell(dataclasses.replace(FAR, cases=8)), []),
    "a larger error elsewhere": (
        BASE,
        dataclasses.replace(with_cell(FAR), header=ELSEWHERE),
        [(OTHER, "worst ulp", "1.5", "2.5"), (Kind.ENVIRONMENT, "cpu", "some avx2", "another")],
    ),
    "an output gone": (
        BASE,
        dataclasses.replace(BASE, cells={cell(): summary()}),
        [(WORSE, "output", "2 problems", "-")],
    ),
    "a regime gone": (
        with_cell(summary(), cell(regime="zeros")),
        BASE,
        [(WORSE, "regime", "2 problems", "-")],
    ),
    "a dtype gone": (
        with_cell(summary(), cell(dtype="float16")),
        BASE,
        [(WORSE, "dtype", "2 problems", "-")],
    ),
    "a mode gone": (with_cell(summary(), cell("torch-func")), BASE, [(WORSE, "adapter", "2 problems", "-")]),
    "a new mode": (BASE, with_cell(summary(), cell("torch-func")), [(OTHER, "adapter", "-", "2 problems")]),
    "a new mode that is wrong": (
        BASE,
        with_cell(WRONG, cell("torch-func")),
        [(WORSE, "verdict", "-", "disagrees"), (OTHER, "adapter", "-", "2 problems")],
    ),
    "a promise broken": (
        BASE,
        with_behaviour("other bits: grad"),
        [(WORSE, "behaviour", "the same bits", "other bits: grad")],
    ),
    "a promise broken elsewhere": (
        BASE,
        dataclasses.replace(with_behaviour("other bits: grad"), header=ELSEWHERE),
        [
            (OTHER, "behaviour", "the same bits", "other bits: grad"),
            (Kind.ENVIRONMENT, "cpu", "some avx2", "another"),
        ],
    ),
    "a promise kept": (
        with_behaviour("flushed"),
        with_behaviour("kept"),
        [(BETTER, "behaviour", "flushed", "kept")],
    ),
    "another fact": (
        with_behaviour("z = 3"),
        with_behaviour("z = 0"),
        [(OTHER, "behaviour", "z = 3", "z = 0")],
    ),
    "misbehaves": (
        with_behaviour("z = 3"),
        with_behaviour("misbehaved: leaks"),
        [(WORSE, "behaviour", "z = 3", "misbehaved: leaks")],
    ),
    "no answer": (
        with_behaviour("z = 3"),
        with_behaviour("no grad", seen=False),
        [(WORSE, "behaviour", "z = 3", "no grad")],
    ),
    "not asked": (BASE, dataclasses.replace(BASE, behaviours=()), [(WORSE, "behaviours", "asked", "-")]),
    "a death": (
        BASE,
        dataclasses.replace(BASE, faults=(Fault(who="torch", what="torch exited"),)),
        [(WORSE, "fault", "-", "torch exited")],
    ),
    "a known difference gone": (
        BASE,
        dataclasses.replace(BASE, known=()),
        [(OTHER, "known difference", "3 elements", "-")],
    ),
    "a known difference more": (
        BASE,
        dataclasses.replace(BASE, known=(*BASE.known, known("z"))),
        [(OTHER, "known difference", "-", "3 elements")],
    ),
    "a red run": (
        BASE,
        dataclasses.replace(BASE, verdict=1),
        [(WORSE, "verdict", "agreement", "disagreement")],
    ),
    "another version": (
        BASE,
        dataclasses.replace(BASE, header=header(adapters=(adapter("torch", "2.14.0"),))),
        [
            (
                Kind.ENVIRONMENT,
                "adapter torch",
                "torch 2.13.0, cpu, 1 threads",
                "torch 2.14.0, cpu, 1 threads",
            )
        ],
    ),
}


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


CANNOT: dict[str, tuple[Ledger, Ledger, str]] = {
    "interrupted": (BASE, dataclasses.replace(BASE, ending=INTERRUPTED), "the new ledger .* was interrupted"),
    "interrupted before": (
        dataclasses.replace(BASE, ending=INTERRUPTED),
        BASE,
        "the baseline .* interrupted",
    ),
    "nothing judged": (BASE, with_cell(summary(not_judged=2)), "judged nothing"),
    "empty": (BASE, Ledger(header()), "judged nothing"),
    "profiles": (
        BASE,
        dataclasses.replace(BASE, header=header("torch", profile="matrix")),
        "the baseline is of profile compare, the new ledger of matrix",
    ),
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_gated_is_no_pass(name: str) -> None:
    old, new, why = CANNOT[name]
    if name == "nothing judged":
        new = dataclasses.replace(new, cells={place: summary(not_judged=2) for place in new.cells})
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
        "regression: torch float32 ordinary grad core contiguous: verdict agrees -> disagrees",
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


def test_markup_of_the_terminal_is_inert_too() -> None:
    console = Console(file=io.StringIO(), width=200)
    show(changes(BASE, dataclasses.replace(BASE, faults=(Fault(who="[red]x[/]", what="[/]"),))), console)
    assert "[red]x[/]" in console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above


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
