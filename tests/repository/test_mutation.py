"""What `make mutation` makes of mutmut's output: the sample, the changes, and the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import mutation
from tools.mutation import Change, Mutant

RESULTS = """
    reference.units.x_first__mutmut_1: killed
    reference.units.xǁUnitsǁof__mutmut_12: survived
    crosscheck.judging.judge.x_flat__mutmut_3: no tests
    reference.exponential.x__ln2__mutmut_1: not checked
"""
MUTANTS = [
    Mutant("reference.units.x_first__mutmut_1", "killed"),
    Mutant("reference.units.xǁUnitsǁof__mutmut_12", "survived"),
    Mutant("crosscheck.judging.judge.x_flat__mutmut_3", "no tests"),
    Mutant("reference.exponential.x__ln2__mutmut_1", "not checked"),
]
DIFF = """# reference.units.xǁUnitsǁof__mutmut_12: survived
--- reference/units.py
+++ reference/units.py
@@ -1,6 +1,6 @@
 def of(cls, format):
-        u = format.u * ROOM + U_REFERENCE
+        u = format.u / ROOM + U_REFERENCE
         return cls(u)
"""
CHANGED = Change("u = format.u * ROOM + U_REFERENCE", "u = format.u / ROOM + U_REFERENCE")


def test_every_mutant_of_the_output_is_read_with_its_status() -> None:
    assert mutation.results(RESULTS) == MUTANTS


def test_a_diff_says_which_lines_change() -> None:
    assert mutation.change(DIFF) == CHANGED


def test_a_mutant_knows_its_module_and_function() -> None:
    assert [(mutant.module, mutant.function) for mutant in MUTANTS] == [
        ("reference.units", "first"),
        ("reference.units", "Units.of"),
        ("crosscheck.judging.judge", "flat"),
        ("reference.exponential", "ln2"),
    ]


def test_a_larger_sample_of_one_seed_contains_a_smaller_one_and_nothing_that_only_runs_at_import() -> None:
    everything = mutation.drawn(MUTANTS, None, 0)
    assert sorted(everything) == sorted(mutant.name for mutant in MUTANTS[:3])
    assert mutation.drawn(MUTANTS, 2, 0) == everything[:2]
    assert mutation.drawn(MUTANTS[1:], None, 0) == [name for name in everything if name != MUTANTS[0].name]


@pytest.mark.parametrize("module", ["reference.units", "*"])
def test_a_survivor_stands_on_the_page_with_its_reason(module: str) -> None:
    known = {module: {"/ ROOM": "ROOM is more than it must be"}}
    with_reason = list(mutation.survivors([(MUTANTS[1], CHANGED)], known))[-1]
    assert with_reason == (
        f"| reference.units, `Units.of` | `{CHANGED.before}` | `{CHANGED.after}` |"
        " ROOM is more than it must be |"
    )


@pytest.mark.parametrize("known", [{}, {"reference.state": {"/ ROOM": "why"}}, {"*": {"ROOM": "why"}}])
def test_a_reason_holds_for_its_module_and_for_what_is_new_in_the_line(
    known: dict[str, dict[str, str]],
) -> None:
    assert mutation.reason(MUTANTS[1], CHANGED, known) == ""


def test_a_bar_in_a_line_does_not_end_its_cell() -> None:
    row = list(mutation.survivors([(MUTANTS[1], Change("a | b", "a & b"))], {}))[-1]
    assert r"`a \| b`" in row


def test_the_table_counts_by_module(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(mutation.table(MUTANTS[:3]))
    assert "| reference.units | 2 | 1 | 1 | 0 |" in rows
    assert rows[-1] == "| all | 3 | 1 | 1 | 1 |"
    monkeypatch.setattr(mutation, "version", lambda _: "3.8")
    text = mutation.page(MUTANTS[:3], MUTANTS, 4, "make mutation", ["survivors"])
    assert "There are 4 mutants. 4 of them were drawn" in text
    assert "No mutant of these modules was tested: reference.exponential.\n" in text
    assert "1 of the tested\nwere killed: 33.3%." in text


def test_a_survivor_without_a_reason_makes_the_command_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "mutation.md"
    monkeypatch.setattr(mutation, "PAGE", page)
    monkeypatch.setattr(mutation, "version", lambda _: "3.8")
    monkeypatch.setattr(mutation, "mutmut", lambda first, *_: DIFF if first == "show" else RESULTS)
    assert mutation.main(["--page"]) == 1
    assert CHANGED.after in page.read_text("utf-8")
    (tmp_path / "mutation.toml").write_text("['*']\n'/ ROOM' = 'why'\n", encoding="utf-8")
    monkeypatch.setattr(mutation, "REASONS", tmp_path / "mutation.toml")
    assert mutation.main([]) == 0
