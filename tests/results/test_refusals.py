"""Refusals are counted where they are, and one that depends on values is against the contract."""

from __future__ import annotations

import itertools

import pytest

from crosscheck.inputs import Case, CaseError
from crosscheck.inputs.structured import seed_of
from crosscheck.judging.evaluation import InProcessAdapter, evaluate, judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.results.lines import Answers
from crosscheck.results.record import Results
from crosscheck.results.refusals import LEFT_OUT, Refusals
from crosscheck.results.run_summary import RunSummary
from crosscheck.results.summary import EVERY
from reference.layouts import STRIDED_BY_VALUES
from tests.faulty_adapters import hidden, wrong
from tests.planted_faults import HEALTHY

ORDINARY, SATURATED, LABELS = (
    Case(regime, 0, (8, 2, 3, 2), dtype="float32") for regime in ("ordinary", "saturated_high", "huge_label")
)
ROWS = Case("ordinary", 0, (1025, 3, 2), dtype="float32")


def refusals_of(adapter: wrong.Planted, *cases: Case) -> Refusals:
    found = Refusals()
    for case in cases:
        found.add(case, evaluate(InProcessAdapter(adapter), case.problem()))
    return found


def test_a_refusal_by_shape_is_counted_by_class_of_shapes_and_regime_and_is_no_violation() -> None:
    found = refusals_of(hidden.refuses_many, ORDINARY, ROWS, SATURATED)
    ((refusal, cases),) = found.counted()
    assert (refusal.output, refusal.reason) == (EVERY, "too hard")
    assert cases == {("rows", "ordinary"): 1}
    assert found.by_values() == []


def test_a_refusal_by_values_names_both_cases() -> None:
    (found,) = refusals_of(hidden.refuses_saturated, SATURATED, ORDINARY).by_values()
    assert (found.refused, found.answered) == (SATURATED, ORDINARY)
    assert SATURATED.text in found.sentence
    assert ORDINARY.text in found.sentence
    assert found.sentence.startswith("planted-refuses-saturated: ")


def test_an_output_that_is_left_out_by_values_is_named() -> None:
    (found,) = refusals_of(hidden.leaves_out_grad, ORDINARY, LABELS).by_values()
    assert (found.refusal.output, found.refusal.reason) == ("grad", LEFT_OUT)


def test_an_output_that_an_adapter_never_returns_is_not_listed() -> None:
    found = refusals_of(wrong.healthy, ORDINARY, ROWS)
    assert list(found.counted()) == []  # it has no row_loss


def test_another_layout_or_shape_or_dtype_may_be_refused() -> None:
    other = Case("saturated_high", 0, (8, 2, 3, 2), "strided", "float32")
    assert refusals_of(hidden.refuses_saturated, ORDINARY, other).by_values() == []


@pytest.mark.parametrize("layout", STRIDED_BY_VALUES)
def test_strides_of_0_may_be_refused_where_slices_are_equal(layout: str) -> None:
    alike, apart = (Case("structured", seed_of(X=X), (2, 2, 3, 1), layout) for X in ("ones", "plain"))
    adapter = HEALTHY["refuses_strides"].adapter()
    found = Refusals()
    for case in (alike, apart):
        found.add(case, evaluate(InProcessAdapter(adapter), case.problem()))
    assert len(list(found.counted())) == 1
    assert found.by_values() == []


def test_merged_runs_show_a_refusal_by_values_that_none_of_them_shows() -> None:
    runs = [refusals_of(hidden.refuses_saturated, case) for case in (SATURATED, ORDINARY, ROWS)]
    assert not any(run.faults() for run in runs)
    for order in itertools.permutations(runs):
        whole = Refusals()
        for run in order:
            whole.merge(run.lines())
        (found,) = whole.by_values()
        assert (found.refused.text, found.answered.text) == (SATURATED.text, ORDINARY.text)
        (fault,) = whole.faults()
        assert (fault.who, fault.what) == (hidden.refuses_saturated.name, found.sentence)


def test_a_text_of_no_case_is_refused() -> None:
    line = Answers(adapter="a", output="all", answered=("ordinary:0:0x0:contiguous:float32",), refused={})
    with pytest.raises(CaseError):
        Refusals().merge([line])


def test_a_dtype_that_is_not_listed_is_no_refusal() -> None:
    adapter = wrong.Planted("one", wrong.right, "float64")
    assert refusals_of(adapter, ORDINARY).cases == {}


def test_a_refusal_by_values_fails_a_run_of_pytest() -> None:
    results, adapter = Results(is_measured=False), InProcessAdapter(hidden.refuses_saturated)
    for case in (ORDINARY, SATURATED):
        judge = Judge(case.problem())
        results.add(case, judge, [judge_evaluation(judge, evaluate(adapter, case.problem()))])
    summary = RunSummary.of(results, {})
    assert not summary.is_green
    assert any(SATURATED.text in line for line in summary.lines())
