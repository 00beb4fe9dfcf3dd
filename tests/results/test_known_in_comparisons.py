"""Known differences in a comparison: what they cover is counted and reported; a stale entry fails the run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from known_entries import LAST_DAY, TWO, entry, record
from rich.console import Console

from crosscheck import commands
from crosscheck.cases import Case, parse
from crosscheck.compare.session import compare
from crosscheck.comparison.plan import CorePlan
from crosscheck.evaluation import CheckedAdapter, InProcessAdapter, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.regimes import REGIMES
from crosscheck.results import known as shipped
from crosscheck.results.comparison import Comparison
from crosscheck.results.environment import header
from crosscheck.results.known import KnownDifferences, Match, by_regime, combine_matches
from crosscheck.results.record import FailingCase, Results, wrong_of
from crosscheck.results.rows import Row
from crosscheck.terminal.report import show
from tests.cli.test_compare import pool_of
from tests.faulty_adapters import wrong

PLAN = CorePlan(dtypes=("float32",), regimes=("ordinary", "zeros"), problems=7)
ALL = tuple(REGIMES)
SIGN = InProcessAdapter(wrong.sign)


@dataclass(frozen=True)
class Exhaustive(CorePlan):
    """A small plan that says it has everything."""

    @property
    def is_exhaustive(self) -> bool:
        """It says so."""
        return True


EVERYTHING = Exhaustive(("float32",), ("zeros",), 7)


def compared(known: KnownDifferences, *adapters: CheckedAdapter, plan: CorePlan = PLAN) -> Comparison:
    with pool_of(*adapters) as pool:
        found = compare(plan.planned_cases(list(pool.adapters)), pool, lambda _: None, known)
    there = {
        f"tests.faulty_adapters.wrong:{s.description.name.removeprefix('planted-')}": s for s in adapters
    }
    return Comparison(plan, [adapter.description for adapter in adapters], found, adapters=there)


def report_text(comparison: Comparison) -> str:
    text = io.StringIO()
    show(comparison, Console(width=100, file=text, highlight=False))
    return text.getvalue()


def row_of(comparison: Comparison, output: str) -> Row:
    (row,) = (row for row in comparison.rows if (row.adapter, row.output) == ("planted-sign", output))
    return row


# ---------------------------------------------------------------------------------------- the verdict


def test_a_run_is_green_where_all_that_is_wrong_is_known() -> None:
    comparison = compared(record(entry()), InProcessAdapter(wrong.healthy), SIGN)
    row = row_of(comparison, "grad")
    assert row.verdict == "known"
    assert row.summary.known_elements == row.summary.wrong_elements > 0
    assert comparison.is_green
    assert comparison.results.failing_cases == []
    assert row_of(comparison, "loss").verdict == "within bounds"


def test_what_an_entry_leaves_over_is_a_disagreement() -> None:
    comparison = compared(record(entry(regimes=["zeros"])), SIGN)
    row = row_of(comparison, "grad")
    assert row.verdict == "outside"
    assert 0 < row.summary.known_elements < row.summary.wrong_elements
    assert not comparison.is_green


@pytest.mark.parametrize(("outputs", "loss"), [(["grad"], "outside"), (["grad", "loss"], "known")])
def test_an_output_that_no_entry_names_disagrees(outputs: list[str], loss: str) -> None:
    comparison = compared(record(entry(outputs=outputs)), InProcessAdapter(wrong.missing_half))
    verdicts = {row.output: row.verdict for row in comparison.rows}
    assert (verdicts["grad"], verdicts["loss"]) == ("known", loss)
    assert comparison.is_green is (loss == "known")


def test_a_failure_is_never_known() -> None:
    assert not compared(record(entry()), InProcessAdapter(wrong.raises)).is_green


def test_an_entry_that_has_expired_covers_nothing_and_is_reported() -> None:
    over = LAST_DAY + timedelta(1)
    comparison = compared(record(entry(), today=over), SIGN)
    assert row_of(comparison, "grad").verdict == "outside"
    assert f"  turned-sign: on {LAST_DAY}" in report_text(comparison).splitlines()


@pytest.mark.parametrize("plan", [PLAN, EVERYTHING], ids=["some", "all"])
def test_an_entry_that_has_expired_is_no_agreement_though_nobody_differs(plan: CorePlan) -> None:
    over = LAST_DAY + timedelta(1)
    comparison = compared(record(entry(), today=over), InProcessAdapter(wrong.healthy), plan=plan)
    assert comparison.reasons == ["known differences that have expired: 1"]
    assert not comparison.is_green
    assert report_text(comparison).lstrip().startswith(f"Not all within bounds ({comparison.reasons[0]}): ")


def test_an_expired_entry_that_concerns_nobody_is_none_of_this_comparison() -> None:
    elsewhere = record(entry(platform=["none"]), today=LAST_DAY + timedelta(1))
    assert compared(elsewhere, InProcessAdapter(wrong.healthy), plan=EVERYTHING).is_green


@pytest.mark.parametrize(
    ("plan", "reasons"),
    [(PLAN, []), (EVERYTHING, ["known differences that matched nothing: 1"])],
    ids=["some", "all"],
)
def test_an_entry_that_covers_nothing_is_no_agreement_where_everything_was_tried(
    plan: CorePlan, reasons: list[str]
) -> None:
    comparison = compared(record(entry(), entry(name="idle", regimes=["overflow"])), SIGN, plan=plan)
    assert comparison.reasons == reasons
    assert comparison.is_green is (not reasons)
    assert all(reason in report_text(comparison).splitlines()[1] for reason in reasons)
    head = header("compare", 0, {"planted-sign": SIGN.description}, "")
    faults = [fault.what for fault in comparison.ledger(head, []).faults]
    assert faults == ["known difference idle matched nothing"][: len(reasons)]


# ------------------------------------------------------------------------------------- what is counted


def test_the_elements_of_each_entry_are_counted_by_regime() -> None:
    case = parse(TWO)
    judge = Judge(case.problem())
    outcome = evaluate_and_judge(SIGN, judge)
    known = record(entry(), entry(name="zeros-only", regimes=["zeros"]))
    matches = known.matches(judge, outcome, case.shape)
    assert list(matches) == ["grad"]
    counts = {match.name: by_regime(judge, "grad", match) for match in matches["grad"]}
    assert counts == {"turned-sign": {"zeros": 1, "ordinary": 1}, "zeros-only": {"zeros": 1}}
    assert combine_matches(outcome, matches) == known.match(judge, outcome, case.shape)


def test_an_element_of_several_regimes_counts_for_the_first_that_the_entry_names() -> None:
    judge = Judge(Case("mixed", 0, (40, 2, 3, 2), dtype="float32").problem())
    every = np.ones((40, 3, 2), dtype=bool)
    counts = [by_regime(judge, "grad", Match("name", names, every)) for names in (None, ALL, ["ordinary"])]
    assert counts[0] == counts[1]
    assert sum(counts[0].values()) == every.size
    assert sum(counts[2].values()) == 3 * int((judge.places == 0).any(axis=-2).sum())


def test_what_is_known_is_taken_for_admissible_and_the_rest_is_not() -> None:
    case = parse(TWO)
    judge = Judge(case.problem())
    outcome = evaluate_and_judge(SIGN, judge)
    known = record(entry(regimes=["zeros"]))
    rest = known.match(judge, outcome, case.shape).without_known(outcome)
    assert rest.judgements["grad"].admissible.ravel().tolist() == [True, False]
    assert outcome.judgements["grad"].admissible.ravel().tolist() == [False, False]
    assert rest.disagreeing == ("grad",)


# ---------------------------------------------------------------------------------------- what is reported


def section(text: str, title: str) -> Sequence[str]:
    """The lines below a title."""
    _, _, after = text.partition(f"\n{title}\n")
    return [line.strip() for line in after.split("\n\n")[0].splitlines()]


def test_a_known_bug_is_reported_with_its_count_and_link() -> None:
    comparison = compared(
        record(entry(upstream="https://example.org/1")), InProcessAdapter(wrong.healthy), SIGN
    )
    text = report_text(comparison)
    count = row_of(comparison, "grad").summary.known_elements
    assert section(text, "Known differences:") == [f"turned-sign: {count} elements; https://example.org/1"]
    assert "\nHazards" not in text
    assert "\nOutside:" not in text
    assert "Within bounds: planted-healthy, planted-sign, known differences aside: " in text


def test_a_hazard_is_told_apart_with_the_regimes_where_it_left_its_set() -> None:
    hazard = entry(kind="hazard", expires=None, regimes=ALL)
    comparison = compared(record(hazard), SIGN)
    (line,) = section(report_text(comparison), "Hazards, as expected:")
    counts = comparison.known["turned-sign"]
    assert set(counts) <= set(REGIMES)
    assert line.startswith(f"turned-sign: {row_of(comparison, 'grad').summary.known_elements} elements: ")
    assert all(f"{regime} {count}" in line for regime, count in counts.items())
    assert "Known differences:" not in report_text(comparison)


def test_a_disagreement_beside_a_known_difference_shows_what_is_not_known() -> None:
    comparison = compared(record(entry(regimes=["zeros"])), InProcessAdapter(wrong.healthy), SIGN)
    text = report_text(comparison)
    (failing_case,) = comparison.results.failing_cases
    grad = next(o for o in failing_case.outcomes if wrong_of(o)).judgements["grad"]
    assert not grad.admissible.all()
    assert " elements known; the worst: " in " ".join(text.split())
    assert text.count("planted-sign is wrong: grad") == 1


def test_an_adapter_that_is_wrong_as_known_is_not_kept_as_agreeing() -> None:
    both = compared(record(entry(modes=["planted-sign"])), SIGN, InProcessAdapter(wrong.missing_half))
    failing_case: FailingCase = both.results.failing_cases[0]
    assert {outcome.description.name for outcome in failing_case.outcomes} == {"planted-missing-half"}


@pytest.mark.parametrize(("plan", "lines"), [(PLAN, []), (EVERYTHING, ["other"])], ids=["some", "all"])
def test_an_entry_that_covers_nothing_is_reported_where_everything_was_tried(
    plan: CorePlan, lines: list[str]
) -> None:
    idle = entry(name="other", regimes=["overflow"])
    comparison = compared(record(entry(), idle, entry(name="elsewhere", platform=["none"])), SIGN, plan=plan)
    assert section(report_text(comparison), "Known differences that matched nothing:") == lines


def test_a_comparison_that_was_interrupted_has_no_stale_entries() -> None:
    comparison = Comparison(EVERYTHING, [SIGN.description], Results(known=record(entry()), interrupted=True))
    assert comparison.unmatched == ()


# ------------------------------------------------------------------------------- the file of the checkout


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_without_the_file_there_is_no_run_instead_of_one_that_knows_nothing(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "absent.toml")
    what = ["random", "--store", str(tmp_path)] if command == "sweep" else []
    few = ["--only", "numpy", "--problems", "1", "--journal", str(tmp_path)]
    assert commands.run([command, *what, *few]) == 2
    assert "absent.toml: cannot be read" in capsys.readouterr().err


def test_a_record_that_cannot_be_used_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "known.toml").write_text("[[difference]]\nname = 7\n")
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "known.toml")
    assert commands.run(["compare", "--only", "numpy", "--problems", "1", "--journal", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("crosscheck: error: ")
    assert "entry number 1" in said
    assert said.count("\n") == 1
