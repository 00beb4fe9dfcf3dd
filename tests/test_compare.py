"""The comparison: who fails is out and the others go on; what was seen is counted and shown."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted import wrong
from rich.console import Console

from adapters.errors import AdapterDied
from crosscheck.accuracy import best_known
from crosscheck.cases import Case
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.engine import Record, compare
from crosscheck.comparison.plan import Plan
from crosscheck.comparison.planned import Meeting
from crosscheck.comparison.promises import checks, violations
from crosscheck.comparison.report import show
from crosscheck.comparison.result import Comparison
from crosscheck.comparison.table import Row, rows
from crosscheck.judge import Judge
from crosscheck.message import replay
from crosscheck.summary import merged
from crosscheck.trial import Direct, Subject, run
from reference.types import Array, Outputs

PLAN = Plan(dtypes=("float32",), regimes=("ordinary", "zeros"), problems=7)


class Dying(Direct):
    """A subject whose process dies in its third call, and in every later one."""

    calls = 0

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The adapter's outputs, twice."""
        self.calls += 1
        if self.calls > 2:
            journal = Path("dying-3.safetensors")
            raise AdapterDied(self.description.name, "exited with status 0", journal, Path("dying.log"))
        return super().evaluate(X, y, W)


class Refusing:
    """An adapter that has nothing."""

    name, framework, version, dtypes = "refusing", "none", "0", ("float32",)

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """Say why not."""
        raise NotImplementedError("it has no gradient")


@contextmanager
def seated(subjects: Sequence[Subject]) -> Iterator[dict[str, Contestant]]:
    contestants = {subject.description.name: Contestant(subject) for subject in subjects}
    yield contestants
    for contestant in contestants.values():
        contestant.close()


def record_of(*subjects: Subject, plan: Plan = PLAN) -> Record:
    with seated(subjects) as contestants:
        return compare(plan.meetings(list(contestants)), contestants, lambda _: None)


def row_of(record: Record, adapter: str, output: str) -> Row:
    (row,) = (row for row in rows(record.summaries) if (row.adapter, row.output) == (adapter, output))
    return row


def told(record: Record, subjects: Sequence[Subject], *, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    descriptions = [subject.description for subject in subjects]
    there = {f"tests.planted.wrong:{subject.description.name}": subject for subject in subjects}
    show(Comparison(PLAN, descriptions, record, subjects=there), console)
    return console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above


def test_a_healthy_adapter_agrees_on_all_problems_of_the_plan() -> None:
    row = row_of(record_of(Direct(wrong.healthy)), "planted-healthy", "grad")
    assert (row.verdict, row.summary.problems) == ("within bounds", 2 * PLAN.per_cell)
    assert (row.judged, row.summary.not_judged) == (row.summary.elements, 0)


def test_a_wrong_adapter_disagrees_and_the_healthy_one_beside_it_agrees() -> None:
    record = record_of(Direct(wrong.healthy), Direct(wrong.sign))
    assert row_of(record, "planted-sign", "grad").verdict == "outside"
    assert row_of(record, "planted-sign", "loss").verdict == "within bounds"
    assert row_of(record, "planted-healthy", "grad").verdict == "within bounds"


def test_an_adapter_that_died_is_not_called_again_and_the_others_go_on() -> None:
    dying = Dying(wrong.sign)
    record = record_of(dying, Direct(wrong.healthy))
    row = row_of(record, "planted-sign", "all")
    assert dying.calls == 3
    assert row.verdict == "failed"
    assert row.judged == 0
    heard = row_of(record, "planted-sign", "loss").summary.problems
    assert row.summary.not_run + row.summary.problems + heard == 2 * PLAN.per_cell
    assert row_of(record, "planted-healthy", "grad").summary.problems == 2 * PLAN.per_cell


def test_an_adapter_that_misbehaves_in_one_dtype_is_heard_in_the_others() -> None:
    plan = Plan(dtypes=("float64", "float32"), regimes=("ordinary",), problems=3)

    class Half(wrong.Planted):
        def evaluate(self, X: Array, y: Array, W: Array) -> Any:
            return super().evaluate(X, y, W) if X.dtype == "float32" else None

    record = record_of(Direct(Half("half", wrong.right)), plan=plan)
    verdicts = {row.dtype: row.verdict for row in rows(record.summaries)}
    assert verdicts == {"float64": "failed", "float32": "within bounds"}


def test_ctrl_c_leaves_what_was_found_so_far() -> None:
    def interrupt(case: Case) -> None:
        if case.regime == "zeros":
            raise KeyboardInterrupt

    with seated([Direct(wrong.healthy)]) as contestants:
        record = compare(PLAN.meetings(list(contestants)), contestants, interrupt)
    assert record.interrupted
    assert 0 < merged(record.summaries.values()).problems < 8 * PLAN.per_cell
    assert "Interrupted after 5 of 8 cases" in told(record, [Direct(wrong.healthy)])


def test_summaries_do_not_depend_on_how_the_plan_is_cut() -> None:
    cases = list(PLAN)
    whole, parts = Record(), [Record(), Record()]
    for place, case in enumerate(cases):
        for record in (whole, parts[place % 2]):
            judge = Judge(case.problem())
            record.hear(case, judge, [run(Direct(wrong.sign), judge)])
    first, second = (part.summaries for part in parts)
    assert whole.summaries == {**first, **second}
    assert best_known(Judge(cases[0].problem()), 0)


@pytest.mark.parametrize(
    ("subjects", "is_green"),
    [
        ([Direct(wrong.healthy)], True),
        ([Direct(wrong.healthy), Direct(wrong.sign)], False),
        ([Direct(wrong.healthy), Direct(wrong.raises)], False),
        ([Direct(wrong.healthy), Direct(Refusing())], False),  # nothing judged is no agreement
    ],
    ids=["healthy", "sign", "raises", "refusing"],
)
def test_a_run_is_green_only_if_every_adapter_was_judged_and_agrees(
    subjects: list[Subject], is_green: bool
) -> None:
    record = record_of(*subjects)
    assert Comparison(PLAN, [s.description for s in subjects], record).is_green == is_green


def test_a_dtype_that_an_adapter_states_and_refuses_is_no_pass() -> None:
    def refusing(X: Array, y: Array, W: Array) -> Any:
        if X.dtype == "float32":
            raise NotImplementedError("no float32 today")
        return wrong.right(X, y, W)

    plan = Plan(dtypes=("float64", "float32"), regimes=("ordinary",), problems=3)
    for dtypes, unheard in ((("float64", "float32"), ["planted-half in float32"]), (("float64",), [])):
        subject = Direct(wrong.Planted("half", refusing, *dtypes))
        comparison = Comparison(plan, [subject.description], record_of(subject, plan=plan))
        assert (comparison.unheard, comparison.is_green) == (unheard, not unheard)


def test_an_adapter_that_the_plan_does_not_ask_in_a_dtype_is_judged_by_the_others() -> None:
    subjects = [Direct(wrong.healthy), Direct(wrong.late_result)]
    cases = {dtype: Case("ordinary", 1, (4, 1, 3, 1), dtype=dtype) for dtype in ("float32", "float64")}
    with seated(subjects) as contestants:
        one, two = contestants
        meetings = [Meeting(cases["float32"], (one, two)), Meeting(cases["float64"], (two,))]
        record = compare(meetings, contestants, lambda _: None)
    comparison = Comparison(PLAN, [subject.description for subject in subjects], record)
    assert comparison.unheard == []


@pytest.mark.parametrize("outputs", [("grad",), ("y_hat", "loss")])
def test_problems_are_counted_whatever_outputs_an_adapter_has(outputs: tuple[str, ...]) -> None:
    def some(X: Array, y: Array, W: Array) -> Any:
        every = dict(zip(("y_hat", "loss", "grad"), wrong.right(X, y, W), strict=True))
        return {name: every[name] for name in outputs}

    subject = Direct(wrong.Planted("some", some))
    comparison = Comparison(PLAN, [subject.description], record_of(subject))
    assert (comparison.evaluated, comparison.is_green) == (2 * PLAN.per_cell, True)


def test_a_violation_of_the_contract_alone_makes_a_run_fail() -> None:
    subjects = [Direct(wrong.healthy)]
    comparison = Comparison(
        PLAN, [s.description for s in subjects], record_of(*subjects), violations=["changes its input"]
    )
    assert not comparison.is_green


def test_a_violation_of_the_contract_is_told_with_the_line_that_replays_it() -> None:
    selector, case = "tests.planted.wrong:counts_calls", "ordinary:0:256x7x3x2:contiguous:float32"
    with seated([Direct(wrong.counts_calls)]) as contestants:
        seats = dict.fromkeys([selector], *contestants.values())
        (line,) = violations(Record(), list(checks(PLAN, seats)))
    assert line.startswith("float32: planted-counts-calls: a second call with the same input changes grad")
    assert line.endswith(f"\n    replay  {replay(case, selector)}")


def test_the_report_tells_each_disagreement_once_and_counts_the_others() -> None:
    subjects = [Direct(wrong.healthy), Direct(wrong.sign)]
    text = told(record_of(*subjects), subjects)
    assert text.count("planted-sign is wrong: grad") == 1
    assert text.count("planted-sign float32 grad: ") == 1
    assert text.lstrip().startswith("Not all within bounds (outside: planted-sign): ")
    assert text.rstrip().splitlines()[-1].startswith("Not all within bounds: ")


def test_the_report_names_a_death_once_with_its_journal() -> None:
    subjects = [Dying(wrong.healthy), Direct(wrong.sign)]
    text = " ".join(told(record_of(*subjects), subjects).split())
    assert text.count("planted-healthy failed in float32") == 1
    assert "exited with status 0; its input: dying-3.safetensors" in text


def test_the_report_gives_a_reason_for_what_is_not_supported_once() -> None:
    subjects = [Direct(wrong.healthy), Direct(Refusing())]
    assert told(record_of(*subjects), subjects).count("it has no gradient") == 1


@pytest.mark.parametrize(
    ("details", "line"),
    [
        (False, "  float32, planted-healthy: zeros: loss all of it"),
        (True, "  float32, planted-healthy: ordinary: loss 25 %; zeros: loss all of it"),
    ],
    ids=["short", "details"],
)
def test_a_regime_of_which_nothing_was_judged_is_named_and_with_details_every_part(
    details: bool, line: str
) -> None:
    subject = Direct(wrong.healthy)
    record = record_of(subject)
    for cell, summary in record.summaries.items():
        if cell.output == "loss":
            part = summary.elements * (4 if cell.regime == "zeros" else 1)
            record.summaries[cell] = replace(summary, elements=4 * summary.elements, not_judged=part)
    console = Console(width=100, file=io.StringIO(), highlight=False)
    show(Comparison(PLAN, [subject.description], record, with_details=details), console)
    said = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    assert line in said.replace("\N{NO-BREAK SPACE}", " ").splitlines()


def test_values_that_differ_within_bounds_are_counted_in_the_report() -> None:
    subjects = [Direct(wrong.healthy), Direct(wrong.Planted("near", wrong.scaled(1 + 2.0**-23)))]
    record = record_of(*subjects)
    found = record.differences
    assert f"  {found.different:,} of {found.elements:,} numbers differ; " in told(record, subjects)
    assert 0 < found.different < found.elements
