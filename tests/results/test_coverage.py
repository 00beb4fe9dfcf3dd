"""The coverage: what was judged is counted by place, every gap has its reason, and one without is a fault."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from adapters import NAMED
from adapters.modes import parse
from crosscheck.inputs import Case
from crosscheck.inputs import parse as case_of
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.plans import core
from crosscheck.plans.core import core_plan
from crosscheck.plans.items import named_items
from crosscheck.plans.matrix import (
    BY_TURNS,
    HAZARD,
    LARGE_ONLY,
    MISSED,
    NO_STACK,
    ONE_EACH,
    matrix_plan,
    planned_regimes,
    reason_for_gap,
)
from crosscheck.plans.plan import Gap, Plan
from crosscheck.plans.shapes import CLASSES, shape_class
from crosscheck.results.comparison import Comparison
from crosscheck.results.coverage import (
    FAILED,
    INTERRUPTED,
    NOT_JUDGED,
    Coverage,
    CoverageCounts,
    CoverageRow,
    Group,
    coverage_rows,
    faults,
)
from crosscheck.results.summary import merged
from crosscheck.terminal import coverage as shown
from crosscheck.terminal.coverage import footnotes, short
from crosscheck.terminal.report import show
from reference.formats import FORMATS
from tests.cli.test_compare import results_of
from tests.faulty_adapters import wrong

PLAN = core_plan(dtypes=("float32",), regimes=("ordinary", "zeros"), problems=7)
TEXT = "mixed:0:40x2x3x2:contiguous:float32"
LONG = "an-adapter-from-outside-that-has-a-long-name"


def coverage_of(adapter: Any, *texts: str) -> Coverage:
    found = Coverage()
    for text in texts:
        add_to(found, adapter, text)
    return found


def add_to(coverage: Coverage, adapter: Any, text: str) -> None:
    case = case_of(text)
    judge = Judge(case.problem())
    coverage.add(case, judge, evaluate_and_judge(InProcessAdapter(adapter), judge))


def counts_of(adapter: Any, text: str) -> CoverageCounts:
    ((_, counts),) = coverage_of(adapter, text)
    return counts


def seen(plan: Plan, *adapters: CheckedAdapter) -> Comparison:
    there = {adapter.description.name: adapter for adapter in adapters}
    results = results_of(*adapters, plan=plan)
    said = [adapter.description for adapter in adapters]
    return Comparison(plan, said, results, adapters=there, with_coverage=True)


def table_text(rows: list[CoverageRow], width: int) -> str:
    text = io.StringIO()
    console = Console(width=width, file=text)
    for part in shown.tables(rows, width):
        console.print(part)
    return text.getvalue()


SMALL = core_plan(dtypes=("float32",), problems=7)
# A plan with a class of shapes for which it has no case, and no reason.
WITH_GAP = replace(
    SMALL,
    classes=(*SMALL.classes, "tails"),
    reason_not_hit=lambda gap: None if gap.shapes == "tails" else SMALL.reason_not_hit(gap),
)

# ------------------------------------------------------------------------------------ what was judged


def test_every_element_of_y_hat_is_counted_once_under_its_regime() -> None:
    counts = counts_of(wrong.healthy, TEXT)
    assert set(counts.judged) == set(REGIMES)
    assert counts.judged.total() == 40 * 2 * 2
    assert not counts.not_judged
    assert not counts.reasons


def test_what_is_not_judged_is_counted_apart() -> None:
    def loss_only(X: Any, y: Any, W: Any) -> Any:
        return {"loss": wrong.right(X, y, W)[1]}

    counts = counts_of(wrong.Planted("loss", loss_only), "ordinary:5:4x64x8x3:contiguous:bfloat16")
    assert not counts.judged
    assert counts.not_judged.total() == 4 * 64 * 3
    assert counts.reason("ordinary") == NOT_JUDGED


@pytest.mark.parametrize(
    ("adapter", "why"),
    [(wrong.raises, FAILED), (wrong.refuses, "no stacks here")],
    ids=["raises", "refuses"],
)
def test_an_adapter_that_gives_nothing_gives_the_reason(adapter: Any, why: str) -> None:
    counts = counts_of(adapter, TEXT)
    assert not counts.judged
    assert counts.reason("ordinary") == why


def test_what_an_adapter_is_not_given_after_a_failure_has_that_for_a_reason() -> None:
    found = Coverage()
    found.add_skipped("dead", Case("zeros", 0, (1, 3, 1)))
    assert found.groups[Group("dead", "float64", "document")].reason("zeros") == FAILED


def test_the_coverage_of_several_cases_adds_up() -> None:
    both, once = Coverage(), coverage_of(wrong.healthy, TEXT)
    for adapter in (wrong.healthy, wrong.refuses, wrong.healthy):
        add_to(both, adapter, TEXT)
    judged = both.groups[Group("planted-healthy", "float32", "document")].judged
    assert judged == {regime: 2 * count for regime, count in once.regimes().items()}
    assert both.groups[Group("planted-refuses", "float32", "document")].reasons == {"no stacks here": 1}


def test_modes_of_one_label_are_one_group() -> None:
    found = coverage_of(wrong.healthy, TEXT)
    add_to(found, wrong.sign, TEXT)
    ((group, counts),) = found.labelled(lambda _: "all")
    assert group == Group("all", "float32", "document")
    assert counts.judged.total() == 2 * 40 * 2 * 2


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((16385, 3, 3), "rows"),
        ((1, 16385, 3, 2), "rows"),
        ((8192, 1, 3, 1), "stacks"),
        ((3, 1367, 1, 3, 1), "stacks"),
        ((3, 64, 1), "wide"),
        ((2, 3, 257), "outputs"),
        ((3, 5, 2, 3, 2), "axes"),
        ((256, 7, 3, 2), "other"),
        ((1, 3, 1), "document"),
    ],
    ids=str,
)
def test_a_shape_counts_as_what_it_has_many_of(shape: tuple[int, ...], name: str) -> None:
    assert shape_class(shape) == name


# -------------------------------------------------------------------------------------------- reasons

EVERY = frozenset(REGIMES)


@pytest.mark.parametrize(
    ("mode", "gap", "now", "ever", "want"),
    [
        ("jax-jit", Gap("", "float32", "tails", "zeros"), {"mixed"}, EVERY, None),
        ("jax-jit", Gap("", "float32", "rows", "zeros"), {"zeros"}, EVERY, None),
        ("jax-jit", Gap("", "float32", "rows", "zeros"), {"ordinary"}, EVERY, BY_TURNS),
        ("jax-jit", Gap("", "float32", "tails", "zeros"), (), {"mixed"}, BY_TURNS),
        ("jax-jit", Gap("", "float16", "rows", "zeros"), (), (), LARGE_ONLY),
        ("jax-jit", Gap("", "float32", "rows", "zeros"), (), (), None),
        ("jax-jit-tanh", Gap("", "float32", "stacks", "zeros"), (), {"mixed"}, HAZARD),
        ("torch-module", Gap("", "float32", "stacks", "zeros"), (), (), NO_STACK),
        ("torch-module", Gap("", "float32", "rows", "zeros"), (), (), None),
        ("", Gap("", "float32", "rows", "zeros"), {"ordinary"}, {"ordinary"}, ONE_EACH),
    ],
)
def test_a_gap_has_its_reason_or_none(mode: str, gap: Gap, now: Any, ever: Any, want: str | None) -> None:
    assert reason_for_gap(parse(mode) if mode else None, gap, now, ever) == want


@pytest.mark.long
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("thorough", [False, True])
def test_the_plan_gives_a_mode_every_regime_everywhere_or_a_reason(name: str, thorough: bool) -> None:
    plan = matrix_plan((name,), thorough=thorough)
    now = planned_regimes(named_items((name,), thorough=thorough), plan.labels)
    bare = [
        (dtype, shapes, regime)
        for dtype in FORMATS
        for shapes in CLASSES
        for regime in REGIMES
        if plan.reason_not_planned(Gap(name, dtype, shapes, regime)) is None
        and now.get((name, dtype, shapes), frozenset()).isdisjoint({regime, "mixed"})
    ]
    assert bare == []


def test_a_turn_that_misses_a_regime_by_chance_is_told_from_a_plan_that_has_none() -> None:
    plan = matrix_plan(("jax-jit", "jax-jit-loss-columns"))
    assert plan.reason_not_hit(Gap("jax-jit", "float32", "tails", "zeros")) == MISSED
    assert plan.reason_not_hit(Gap("jax-jit", "float16", "rows", "zeros")) is None
    assert plan.reason_not_hit(Gap("jax-jit-loss-columns", "float32", "document", "zeros")) is None


def test_a_regime_that_was_not_asked_for_and_one_that_few_problems_miss_are_told_apart() -> None:
    (row,) = seen(PLAN, InProcessAdapter(wrong.healthy)).coverage
    assert row.reasons["overflow"] == "left out by --regime"
    assert PLAN.reason_not_hit(Gap("", "float32", "other", "zeros")) is not None
    assert core_plan().reason_not_hit(Gap("", "float32", "other", "zeros")) is None


def test_a_run_that_was_interrupted_has_that_for_a_reason() -> None:
    found = coverage_rows(Coverage(), core_plan(dtypes=("float32",)), {"numpy": "numpy"}, interrupted=True)
    assert {why for row in found for why in row.reasons.values()} == {INTERRUPTED, core.BY_TURNS}
    assert {why for row in found if row.group.shapes == "other" for why in row.reasons.values()} == {
        INTERRUPTED
    }


# ------------------------------------------------------------------------- the table and the verdict


def test_a_gap_that_nothing_explains_is_a_fault_where_the_coverage_is_asked_for() -> None:
    comparison = seen(WITH_GAP, InProcessAdapter(wrong.healthy))
    assert faults(comparison.coverage) == [f"planted-healthy float32 tails: {', '.join(REGIMES)}"]
    assert not comparison.is_green
    text = io.StringIO()
    show(comparison, Console(width=100, file=text, highlight=False))
    assert " ?  nothing explains planted-healthy float32 tails: ordinary" in text.getvalue()
    assert "Not all within bounds (unexplained gaps in the coverage: 1)" in text.getvalue()
    assert replace(comparison, with_coverage=False).is_green


def test_the_rows_count_what_the_summaries_count() -> None:
    comparison = seen(PLAN, InProcessAdapter(wrong.healthy), InProcessAdapter(wrong.sign))
    rows = comparison.coverage
    assert [row.group.mode for row in rows] == ["planted-healthy", "planted-sign"]
    y_hat = [s for cell, s in comparison.results.summaries.items() if cell.output == "y_hat"]
    assert sum(row.counts.judged.total() for row in rows) == merged(y_hat).elements


def test_a_footnote_stands_below_for_each_reason_and_has_a_letter_of_its_own() -> None:
    counts = CoverageCounts()
    rows = [
        CoverageRow(Group(f"mode{i}", "float32", "tails"), counts, {"zeros": f"why {i % 30}"})
        for i in range(60)
    ]
    notes = footnotes(rows)
    assert [*notes][:2] == ["why 0", "why 1"]
    assert [*notes.values()][24:30] == ["y", "z", "aa", "ab", "ac", "ad"]
    assert list(shown.below(rows))[26] == "aa  why 26"


@pytest.mark.parametrize("width", [100, 132])
@pytest.mark.parametrize("name", ["numpy", "jax-jit-rowvmap-vectors", LONG])
def test_every_line_of_the_coverage_fits(name: str, width: int) -> None:
    judged = CoverageCounts()
    judged.judged.update(dict.fromkeys(REGIMES, 123_456_789))
    judged.not_judged["zeros"] = 999_999
    row = CoverageRow(Group(name, "bfloat16", "document"), judged, {"zeros": None})
    text = io.StringIO()
    Console(width=width, file=text).print(*shown.tables([row, row], width))
    printed = text.getvalue()
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= width
    assert printed.count("123M") == 2 * (len(REGIMES) - 1)
    assert name in printed


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, ""), (7, "7"), (999, "999"), (1000, "1.0k"), (1999, "1.9k"), (12_345, "12k"), (999_999, "999k"),
     (1_200_000, "1.2M"), (5 * 10**10, "50G")],
)  # fmt: skip
def test_a_count_is_shown_in_four_characters_cut_off(count: int, text: str) -> None:
    assert short(count) == text
    assert len(text) <= 4
