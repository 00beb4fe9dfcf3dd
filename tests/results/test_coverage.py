"""The coverage: what was judged is counted by place, every gap has its reason, and one without is a fault."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from adapters import NAMED
from adapters.modes import parse
from crosscheck.cases import Case
from crosscheck.cases import parse as case_of
from crosscheck.comparison.matrix import (
    BY_TURNS,
    HAZARD,
    LARGE_ONLY,
    MISSED,
    NO_STACK,
    ONE_EACH,
    Gap,
    MatrixPlan,
    reason_for_gap,
)
from crosscheck.comparison.plan import CorePlan
from crosscheck.evaluation import CheckedAdapter, InProcessAdapter, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.matrix.shapes import CLASSES, shape_class
from crosscheck.regimes import REGIMES
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

PLAN = CorePlan(dtypes=("float32",), regimes=("ordinary", "zeros"), problems=7)
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


def seen(plan: CorePlan, *adapters: CheckedAdapter) -> Comparison:
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


class WithGap(CorePlan):
    """A plan with a class of shapes for which it has no case, and no reason."""

    def classes(self, name: str) -> tuple[str, ...]:
        """Its own, and another."""
        return (*super().classes(name), "tails")

    def reason_not_hit(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Its own shapes hold few problems; the others should hold every regime."""
        return None if shapes == "tails" else super().reason_not_hit(name, dtype, shapes, regime)


WITH_GAP = WithGap(dtypes=("float32",), problems=7)

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
        ((8192, 1, 3, 1), "other"),
        ((1, 3, 1), "document"),
    ],
    ids=str,
)
def test_a_shape_with_many_rows_counts_as_rows_wherever_it_comes_from(
    shape: tuple[int, ...], name: str
) -> None:
    assert shape_class(shape) == name


# -------------------------------------------------------------------------------------------- reasons

EVERY = frozenset(REGIMES)


@pytest.mark.parametrize(
    ("mode", "gap", "now", "ever", "want"),
    [
        ("jax-jit", Gap("float32", "tails", "zeros"), {"mixed"}, EVERY, None),
        ("jax-jit", Gap("float32", "rows", "zeros"), {"zeros"}, EVERY, None),
        ("jax-jit", Gap("float32", "rows", "zeros"), {"ordinary"}, EVERY, BY_TURNS),
        ("jax-jit", Gap("float32", "tails", "zeros"), (), {"mixed"}, BY_TURNS),
        ("jax-jit", Gap("float16", "rows", "zeros"), (), (), LARGE_ONLY),
        ("jax-jit", Gap("float32", "rows", "zeros"), (), (), None),
        ("jax-jit-tanh", Gap("float32", "stacks", "zeros"), (), {"mixed"}, HAZARD),
        ("torch-module", Gap("float32", "stacks", "zeros"), (), (), NO_STACK),
        ("torch-module", Gap("float32", "rows", "zeros"), (), (), None),
        ("", Gap("float32", "rows", "zeros"), {"ordinary"}, {"ordinary"}, ONE_EACH),
    ],
)
def test_a_gap_of_the_plan_has_its_reason_or_none(
    mode: str, gap: Gap, now: Any, ever: Any, want: str | None
) -> None:
    assert reason_for_gap(parse(mode) if mode else None, gap, now, ever) == want


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("thorough", [False, True])
def test_the_plan_gives_a_mode_every_regime_everywhere_or_a_reason(name: str, thorough: bool) -> None:
    plan = MatrixPlan((name,), thorough=thorough)
    now, _ = plan._regimes
    bare = [
        (dtype, shapes, regime)
        for dtype in FORMATS
        for shapes in CLASSES
        for regime in REGIMES
        if plan.reason_not_planned(name, dtype, shapes, regime) is None
        and now.get((name, dtype, shapes), frozenset()).isdisjoint({regime, "mixed"})
    ]
    assert bare == []


def test_a_turn_that_misses_a_regime_by_chance_is_told_from_a_plan_that_has_none() -> None:
    plan = MatrixPlan(("jax-jit",), ("jax-jit-vmap-columns",))
    assert plan.reason_not_hit("jax-jit", "float32", "tails", "zeros") == MISSED
    assert plan.reason_not_hit("jax-jit", "float16", "rows", "zeros") is None
    assert plan.reason_not_hit("jax-jit-vmap-columns", "float32", "document", "zeros") is None


def test_a_regime_that_was_not_asked_for_and_one_that_few_problems_miss_are_told_apart() -> None:
    (row,) = seen(PLAN, InProcessAdapter(wrong.healthy)).coverage
    assert row.reasons["overflow"] == "left out by --regime"
    assert PLAN.reason_not_hit("", "float32", "other", "zeros") is not None
    assert CorePlan().reason_not_hit("", "float32", "other", "zeros") is None


def test_a_run_that_was_interrupted_has_that_for_a_reason() -> None:
    (row,) = coverage_rows(Coverage(), CorePlan(dtypes=("float32",)), {"numpy": "numpy"}, interrupted=True)
    assert set(row.reasons.values()) == {INTERRUPTED}


# ------------------------------------------------------------------------- the table and the verdict


def test_a_gap_that_nothing_explains_is_a_fault_and_no_agreement() -> None:
    comparison = seen(WITH_GAP, InProcessAdapter(wrong.healthy))
    assert faults(comparison.coverage) == [f"planted-healthy float32 tails: {', '.join(REGIMES)}"]
    assert not comparison.is_green
    text = io.StringIO()
    show(comparison, Console(width=100, file=text, highlight=False))
    assert " ?  nothing explains planted-healthy float32 tails: ordinary" in text.getvalue()
    assert "Not all within bounds (unexplained gaps in the coverage: 1)" in text.getvalue()


def test_a_gap_is_no_fault_where_nobody_asks_for_the_coverage() -> None:
    comparison = seen(WITH_GAP, InProcessAdapter(wrong.healthy))
    comparison.with_coverage = False
    assert comparison.is_green


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
    text = table_text([row, row], width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert text.count("123M") == 2 * (len(REGIMES) - 1)
    assert name in text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, ""), (7, "7"), (999, "999"), (1000, "1.0k"), (1999, "1.9k"), (12_345, "12k"), (999_999, "999k"),
     (1_200_000, "1.2M"), (5 * 10**10, "50G")],
)  # fmt: skip
def test_a_count_is_shown_in_four_characters_cut_off(count: int, text: str) -> None:
    assert short(count) == text
    assert len(text) <= 4
