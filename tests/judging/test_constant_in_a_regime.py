"""An adapter with a constant in one regime is never green there, and nothing is where nothing is judged."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from agreement import DisagreementError, assert_all_agree

from crosscheck.accuracy import exact_values
from crosscheck.cases import Case
from crosscheck.evaluation import InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judge import AXES, Judge
from crosscheck.pool import AdapterPool
from crosscheck.regimes import REGIMES
from crosscheck.results.known import in_regimes
from crosscheck.results.measure import summarise
from crosscheck.results.rows import NOT_JUDGED, OUTSIDE, WITHIN_BOUNDS, Row, merge_outputs, rows
from crosscheck.sweep.bulk import BulkJudge
from reference.formats import FORMATS
from tests.faulty_adapters import wrong

SHAPES = [(256, 1, 3, 1), (64, 3, 4, 2)]
# Sums of so many terms in bfloat16 have sets that hold all that ŷ can be.
LONG = Case("ordinary", 1, (2, 2, 64, 1), dtype="bfloat16")


def outcomes(regime: str, dtype: str) -> Iterator[tuple[Case, Judge, Outcome]]:
    """Of the adapter with a constant in this regime, on cases of it."""
    for shape in SHAPES:
        case = Case(regime, 1, shape, dtype=dtype)
        judge = Judge(case.problem())
        yield case, judge, evaluate_and_judge(InProcessAdapter(wrong.constant_in(regime)), judge)


def row_of(case: Case, judge: Judge, outcome: Outcome) -> Row:
    """What `compare` says about one case."""
    (row,) = merge_outputs(rows(summarise(case, judge, outcome, exact_values(judge, 0))))
    return row


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("regime", REGIMES)
def test_every_output_that_is_constant_in_a_regime_is_outside_or_not_judged_there(
    regime: str, dtype: str
) -> None:
    for _, judge, outcome in outcomes(regime, dtype):
        for output, judgement in outcome.judgements.items():
            there = in_regimes(judge, output, [regime])
            assert there.any()
            assert not judgement.admissible[there].all() or not judgement.decided[there].any(), output


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("regime", REGIMES)
def test_the_table_of_a_constant_in_a_regime_is_not_green(regime: str, dtype: str) -> None:
    verdicts = {row_of(*each).verdict for each in outcomes(regime, dtype)}
    assert verdicts <= {OUTSIDE, NOT_JUDGED}


@pytest.mark.parametrize("regime", REGIMES)
def test_the_tests_of_pytest_reject_a_constant_in_a_regime(regime: str) -> None:
    pool = AdapterPool()
    pool.adapters["constant"] = InProcessAdapter(wrong.constant_in(regime))
    with pytest.raises(DisagreementError):
        assert_all_agree(pool, Case(regime, 1, SHAPES[0], dtype="float32"))


@pytest.mark.parametrize("regime", REGIMES)
def test_the_bulk_judge_rejects_a_constant_in_a_regime(regime: str) -> None:
    adapter = InProcessAdapter(wrong.constant_in(regime))
    bulk = BulkJudge({"constant": adapter.description})
    case, judge, outcome = next(outcomes(regime, "float32"))
    assert outcome.outputs is not None
    assert bulk.judge(case, judge.problem, {"constant": outcome.outputs})["constant"].size


@pytest.mark.parametrize("regime", REGIMES)
def test_the_same_adapter_without_the_constant_is_green(regime: str) -> None:
    case = Case(regime, 1, SHAPES[0], dtype="float32")
    judge = Judge(case.problem())
    assert (
        row_of(case, judge, evaluate_and_judge(InProcessAdapter(wrong.healthy), judge)).verdict
        == WITHIN_BOUNDS
    )


def test_where_nothing_is_judged_every_count_says_so() -> None:
    judge, adapter = Judge(LONG.problem()), InProcessAdapter(wrong.healthy)
    outcome = evaluate_and_judge(adapter, judge)
    row = row_of(LONG, judge, outcome)
    assert outcome.outputs is not None
    bulk = BulkJudge({"healthy": adapter.description})
    assert not bulk.judge(LONG, judge.problem, {"healthy": outcome.outputs})
    pool = AdapterPool()
    pool.adapters["healthy"] = adapter
    pool.results(LONG.problem())
    elements = sum(math.prod(getattr(judge.centers, name).shape) for name in AXES if name != "row_loss")
    assert (row.verdict, row.judged, row.summary.not_judged) == (NOT_JUDGED, 0, elements)
    assert sum(summary.not_judged for summary in bulk.summaries().values()) == elements
    assert pool.run_summary.not_judged.total() == elements
    assert pool.run_summary.adapters_without_verdict == ["planted-healthy"]
