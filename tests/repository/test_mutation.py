"""What `make mutation` makes of mutmut's output: the sample, the changes, and the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import mutation
from tools.mutation import Change, Count, Mutant

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


def test_a_larger_sample_of_one_seed_contains_a_smaller_one_of_each_module() -> None:
    of_one = [Mutant(f"reference.units.x_first__mutmut_{number}", "killed") for number in range(9)]
    everything = mutation.drawn([*of_one, *MUTANTS[1:]], {}, 0)
    assert sorted(everything) == sorted([*of_one, *MUTANTS[1:]])
    few, more = (mutation.drawn([*of_one, *MUTANTS[1:]], {"*": count}, 0) for count in (2, 3))
    assert set(few) <= set(more)
    assert [sum(each.module == "reference.units" for each in sample) for sample in (few, more)] == [2, 3]
    assert {each.module for each in few} == {each.module for each in MUTANTS}
    units = [each for each in everything if each.module == "reference.units"]
    assert mutation.drawn(units[1:], {}, 0) == units[1:]
    named = mutation.drawn(of_one, dict(map(mutation.size_of, ("2", "reference.units=5"))), 0)
    assert len(named) == 5
    assert set(few) & set(of_one) <= set(named)


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


def test_a_module_counts_by_how_many_mutants_it_has_and_not_by_how_many_were_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_judge = [Mutant(f"crosscheck.judging.judge.x_flat__mutmut_{number}", "killed") for number in range(6)]
    everything = [*MUTANTS[:2], *of_judge]
    found = mutation.counts(everything, [*MUTANTS[:2], *of_judge[:1]], set())
    assert found == {"crosscheck.judging.judge": Count(6, 1, 1, 0), "reference.units": Count(2, 2, 1, 0)}
    assert mutation.weighted(found) == Count(8, 8, 7, 0)
    monkeypatch.setattr(mutation, "version", lambda _: "3.8")
    text = mutation.page(found, "make mutation", ["survivors"])
    assert "**2 of 3 mutants that were tested are killed, 66.7%;" in text
    assert "of those that change anything that matters, 66.7%.**" in text
    assert "the figures are\n87.5% and 87.5% of all 8." in text
    assert "| reference.units | 2 | 2 | 1 | 0 | 1 | 50.0% | 50.0% |" in text
    assert "| all | 8 | 3 | 2 | 0 | 1 | 66.7% | 66.7% |" in text


def test_a_survivor_with_a_reason_is_left_out_of_the_second_figure_only() -> None:
    count = mutation.counts(MUTANTS[:2], MUTANTS[:2], {MUTANTS[1]})["reference.units"]
    assert (count.of_tested, count.of_changing) == (0.5, 1.0)


def test_a_module_of_which_nothing_was_tested_has_no_figure() -> None:
    with pytest.raises(ValueError, match="no mutant was tested"):
        mutation.weighted(mutation.counts(MUTANTS[:2], [], set()))


def run_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, output: str) -> Path:
    """The page that the command is to write, where mutmut prints this."""
    monkeypatch.setattr(mutation, "PAGE", tmp_path / "mutation.md")
    monkeypatch.setattr(mutation, "version", lambda _: "3.8")
    monkeypatch.setattr(mutation, "mutmut", lambda first, *_: DIFF if first == "show" else output)
    return tmp_path / "mutation.md"


def test_a_survivor_without_a_reason_makes_the_command_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = run_with(monkeypatch, tmp_path, RESULTS)  # what is not checked there runs only at import
    assert mutation.main(["--page"]) == 1
    assert CHANGED.after in page.read_text("utf-8")
    (tmp_path / "mutation.toml").write_text("['*']\n'/ ROOM' = 'why'\n", encoding="utf-8")
    monkeypatch.setattr(mutation, "REASONS", tmp_path / "mutation.toml")
    assert mutation.main([]) == 0


def test_a_sample_that_is_not_tested_to_its_end_leaves_the_page_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = run_with(monkeypatch, tmp_path, RESULTS.replace("no tests", "not checked"))
    with pytest.raises(SystemExit, match="1 of 3 mutants are not tested"):
        mutation.main([])
    assert not page.exists()
