"""Not judged: the elements whose set holds all that the output can be; a constant is within no other set."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from admissible_sets import CLAIMS, arithmetic, problem
from agreement import DisagreementError, assert_all_agree

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import AXES, OUTPUTS, Judge, Verdict, flat
from crosscheck.pool import AdapterPool
from crosscheck.results.known import in_regimes
from crosscheck.results.measure import summarise
from crosscheck.results.rows import NOT_JUDGED, OUTSIDE, WITHIN_BOUNDS, Row, merge_outputs, rows
from crosscheck.sweep.bulk import BulkJudge
from reference import bounds, unjudged
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS
from reference.types import Array, Bool, Outputs, Problem
from reference.units import Units
from tests.faulty_adapters import wrong

SHAPES = ((512, 1, 3, 1), (64, 7, 3, 2), (24, 2, 33, 1), (4, 40, 2, 30), (64, 1, 1, 1))
DOCUMENT = Path(__file__).parents[2] / "docs" / "accuracy.md"


def without(one: AdmissibleSet, low: float, high: float) -> Bool:
    """Where a hole takes something out of an interval."""
    return any_hole(one, lambda a, b: (a < high) & (b > low))


def nothing_finite(one: AdmissibleSet) -> Bool:
    """Where no finite number is admissible."""
    return any_hole(one, lambda a, b: (a == -np.inf) & (b == np.inf))


def gap(one: AdmissibleSet) -> Bool:
    """Where a hole lies between two values that are admissible."""
    return any_hole(one, lambda a, b: np.isfinite(a) & np.isfinite(b))


def any_hole(one: AdmissibleSet, meets: Callable[[Array, Array], Bool]) -> Bool:
    """Where one that is not empty meets a condition on its ends."""
    return np.asarray(
        np.logical_or.reduce(
            [np.zeros(one.center.shape, bool), *((a < b) & meets(a, b) for a, b in one.holes)]
        )
    )


def holds_everything(one: AdmissibleSet, dtype: str, *, of_y_hat: Mapping[str, AdmissibleSet]) -> Bool:
    """The rule as docs/accuracy.md states it, from the ends of the set; without NaN that must come."""
    every, largest = of_y_hat["y_hat"], FORMATS[dtype].largest
    free = (every.lo <= 0) & (every.hi >= 1)
    found: Array
    if one is every:
        found = free & ~without(one, 0, 1)
    elif one is of_y_hat["grad"]:
        found = (one.lo <= -largest) & (one.hi >= largest) & ~without(one, -largest, largest)
        found |= free.all(-2, keepdims=True) & ~nothing_finite(one) & ~gap(one)
    else:
        axes = (-1,) if one is of_y_hat["row_loss"] else (-2, -1)
        found = np.isfinite(one.center) & (free.all(axes) & ~gap(one) | ((one.lo <= 0) & (one.hi == np.inf)))
    return np.asarray(found & ~one.must)


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("dtype", FORMATS)
def test_what_the_judge_does_not_judge_is_what_holds_everything(dtype: str, claim: str) -> None:
    claims, left = arithmetic(dtype, **CLAIMS[claim]), 0
    for shape in SHAPES:
        narrow = unjudged.judged(shape, Units.of(FORMATS[dtype], claims))
        for regime in REGIMES:
            if REGIMES[regime].unsupported(shape, FORMATS[dtype]):
                continue
            judge = Judge(Case(regime, 5, shape, dtype=dtype).problem())
            sets = bounds.admissible(judge.problem, judge.format, claims)
            for name, judged in judge.judged(claims).items():
                want = ~holds_everything(sets[name], dtype, of_y_hat=sets) & narrow[name]
                np.testing.assert_array_equal(judged, want, f"{regime} {shape} {name}")
                np.testing.assert_array_equal(sets[name].judged, want, f"{regime} {shape} {name}")
                left += int(np.sum(~judged))
    assert left > 0


def test_no_network_without_doubt_costs_a_full_set(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge(Case("ordinary", 5, (4096, 1, 3, 1), dtype="float32").problem())
    monkeypatch.setattr(bounds, "admissible", None)
    assert all(judged.all() for judged in judge.judged(arithmetic("float32")).values())


def constant(given: Problem, value: float) -> Outputs:
    """The value for every element of every output."""
    centers = Judge(given).centers
    return Outputs(*(np.full(a.shape, value, given.X.dtype) for a in centers))


@pytest.mark.parametrize("value", [0.123, 0.5, 1.0])
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_constant_is_within_bounds_in_no_regime(dtype: str, regime: str, value: float) -> None:
    judge = Judge(Case(regime, 5, (512, 1, 3, 1), dtype=dtype).problem())
    found = judge.judge(constant(judge.problem, value), arithmetic(dtype))
    assert {n: j.verdict for n, j in found.items() if j.verdict is Verdict.WITHIN_BOUNDS} == {}


def test_an_element_that_must_be_nan_is_judged_whatever_else_its_network_holds() -> None:
    judge, claims = Judge(problem([[np.inf, 1]], [[np.nan]], [[1], [2]])), arithmetic("float32")
    assert [name for name, judged in judge.judged(claims).items() if judged.all()] == [*OUTPUTS]


def shares(dtype: str, shape: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """The share of elements that are not judged, by regime and output."""
    found: dict[str, dict[str, float]] = {}
    for regime in REGIMES:
        judged = Judge(Case(regime, 1, shape, dtype=dtype).problem()).judged(arithmetic(dtype))
        found[regime] = {name: 1 - float(np.mean(flat(judged[name], AXES[name]))) for name in OUTPUTS}
    return found


def test_the_document_says_how_many_elements_are_not_judged() -> None:
    text = DOCUMENT.read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \|((?: [\d.]+ \|){12})$", text, re.MULTILINE)
    stated = {regime: [float(part) for part in parts.split("|")[:-1]] for regime, parts in rows}
    found = {dtype: shares(dtype, (2048, 1, 3, 1)) for dtype in FORMATS}
    want = {
        regime: [
            round(100 * found[dtype][regime][name], 1)
            for dtype in FORMATS
            for name in ("y_hat", "loss", "grad")
        ]
        for regime in REGIMES
    }
    assert stated == want


SHAPES_OF_CASES = [(256, 1, 3, 1), (64, 3, 4, 2)]
# Sums of so many terms in bfloat16 have sets that hold all that ŷ can be.
LONG = Case("ordinary", 1, (2, 2, 64, 1), dtype="bfloat16")


def outcomes(regime: str, dtype: str) -> Iterator[tuple[Case, Judge, Outcome]]:
    """Of the adapter with a constant in this regime, on cases of it."""
    for shape in SHAPES_OF_CASES:
        case = Case(regime, 1, shape, dtype=dtype)
        judge = Judge(case.problem())
        yield case, judge, evaluate_and_judge(InProcessAdapter(wrong.constant_in(regime)), judge)


def row_of(case: Case, judge: Judge, outcome: Outcome) -> Row:
    """What `compare` says about one case."""
    (row,) = merge_outputs(rows(summarise(case, judge, outcome, exact_values(judge, 0))))
    return row


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("regime", REGIMES)
def test_an_output_that_is_constant_in_a_regime_is_outside_or_not_judged(regime: str, dtype: str) -> None:
    for case, judge, outcome in outcomes(regime, dtype):
        for output, judgement in outcome.judgements.items():
            there = in_regimes(judge, output, [regime])
            assert there.any()
            assert not judgement.admissible[there].all() or not judgement.decided[there].any(), output
        assert row_of(case, judge, outcome).verdict in {OUTSIDE, NOT_JUDGED}


@pytest.mark.parametrize("regime", REGIMES)
def test_the_tests_of_pytest_and_the_bulk_judge_reject_a_constant_in_a_regime(regime: str) -> None:
    adapter = InProcessAdapter(wrong.constant_in(regime))
    case, judge, outcome = next(outcomes(regime, "float32"))
    with pytest.raises(DisagreementError):
        assert_all_agree(AdapterPool({"constant": adapter}), case)
    bulk = BulkJudge({"constant": adapter.description})
    assert outcome.outputs is not None
    assert bulk.judge(case, judge.problem, {"constant": outcome.outputs})["constant"].size
    healthy = evaluate_and_judge(InProcessAdapter(wrong.healthy), judge)
    assert row_of(case, judge, healthy).verdict == WITHIN_BOUNDS


def test_where_nothing_is_judged_every_count_says_so() -> None:
    judge, adapter = Judge(LONG.problem()), InProcessAdapter(wrong.healthy)
    outcome = evaluate_and_judge(adapter, judge)
    row = row_of(LONG, judge, outcome)
    assert outcome.outputs is not None
    bulk = BulkJudge({"healthy": adapter.description})
    assert not bulk.judge(LONG, judge.problem, {"healthy": outcome.outputs})
    pool = AdapterPool({"healthy": adapter})
    pool.results(LONG.problem())
    elements = sum(math.prod(getattr(judge.centers, name).shape) for name in AXES if name != "row_loss")
    assert (row.verdict, row.judged, row.summary.not_judged) == (NOT_JUDGED, 0, elements)
    assert sum(summary.not_judged for summary in bulk.summaries().values()) == elements
    assert pool.run_summary.not_judged.total() == elements
    assert pool.run_summary.adapters_without_verdict == ["planted-healthy"]


# In float16 ordinary sums are not far below Ω.
@pytest.mark.parametrize("claim", ["default", "flush"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_no_ordinary_network_needs_a_closer_look(dtype: str, claim: str) -> None:
    judge = Judge(Case("ordinary", 1, (512, 1, 3, 1), dtype=dtype).problem())
    units = Units.of(FORMATS[dtype], arithmetic(dtype, **CLAIMS[claim]))
    rounded, sizes = judge.rounded(units), judge.sizes(units)
    assert not unjudged.doubtful(judge.wide, judge.reference, units, rounded, sizes).size
