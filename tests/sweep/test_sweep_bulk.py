"""The bulk judge says what the engine of a comparison says; equal bits get one verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sweeps import SHAPE

from adapters import load
from crosscheck.inputs import Case
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.measure import summarise
from crosscheck.results.summary import Summary, merged
from crosscheck.sweep import bulk as bulk_module
from crosscheck.sweep.bulk import BulkJudge
from crosscheck.sweep.result_groups import digest_of
from reference.admissible import AdmissibleSet
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Outputs

NUMPY = InProcessAdapter(load("numpy"))
CASE = Case("crossed", 5, SHAPE)
NARROW = Case("crossed", 5, SHAPE, dtype="float32")


def numpy_outputs(case: Case) -> Outputs:
    """NumPy's outputs, in arrays that a test may change."""
    return Outputs(*map(np.array, NUMPY.evaluate(*case.problem())))


def summary_of(bulk: BulkJudge, output: str) -> Summary:
    """What the bulk judge counted of an output, of its only adapter."""
    (found,) = [summary for cell, summary in bulk.summaries().items() if cell.output == output]
    return found


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks in a case, of which the last one is smaller."""
    monkeypatch.setattr(bulk_module, "BLOCK", 6 * 1000)


@pytest.mark.usefixtures("blocks")
def test_bulk_counts_what_the_engine_counts() -> None:
    bulk = BulkJudge({"numpy": NUMPY.description})
    want: list[Summary] = []
    for seed in range(3):
        case = Case("crossed", seed, SHAPE, dtype="float32")
        judge = Judge(case.problem())
        outcome = evaluate_and_judge(NUMPY, judge)
        assert outcome.outputs is not None
        assert bulk.judge(case, judge.problem, {"numpy": outcome.outputs}) == {}
        there = summarise(case, judge, outcome, exact_values(judge, 0))
        want += [summary for cell, summary in there.items() if cell.output == "grad"]
    found, whole = summary_of(bulk, "grad"), merged(want)
    for name in ("problems", "elements", "wrong_problems", "not_judged", "cases"):
        assert getattr(found, name) == getattr(whole, name)
    assert found.equal == whole.equal > 0.3 * whole.elements
    assert found.error is not None
    assert whole.error is not None
    assert 0 < found.error.value <= whole.error.value
    assert found.elements > found.unknown > 0.9 * found.elements


@pytest.mark.usefixtures("blocks")
def test_the_candidates_of_bulk_have_the_largest_shares() -> None:
    """A number that is almost out gets the close look, wherever it stands."""
    judge, outputs = Judge(NARROW.problem()), numpy_outputs(NARROW)
    full = judge.sets(NUMPY.description.arithmetic["float32"])["grad"]
    assert outputs.grad is not None
    outputs.grad[3333, 2, 0] = full.center[3333, 2, 0] + 0.95 * full.radius[3333, 2, 0]
    bulk = BulkJudge({"numpy": NUMPY.description})
    assert bulk.judge(NARROW, judge.problem, {"numpy": outputs}) == {}
    share = summary_of(bulk, "grad").share
    assert share is not None
    assert share.place == (3333, 2, 0)
    assert 0.9 < share.value <= 1


def test_the_same_bits_under_the_same_claims_get_one_verdict_and_all_its_counts() -> None:
    judge, said = Judge(NARROW.problem()), NUMPY.description
    wide = dataclasses.replace(said.arithmetic["float32"], kappa=9.0)
    twins = {
        "first": dataclasses.replace(said, name="first", arithmetic={"float32": wide}),
        "second": dataclasses.replace(said, name="second", arithmetic={"float32": wide}),
        "narrow": dataclasses.replace(said, name="narrow"),
    }
    outputs, full = numpy_outputs(NARROW), judge.sets(wide)["y_hat"]
    assert outputs.y_hat is not None
    outputs.y_hat[77] = full.center[77] + 0.95 * full.radius[77]
    bulk = BulkJudge(twins)
    assert bulk.judge(NARROW, judge.problem, dict.fromkeys(twins, outputs)) == {"narrow": [77]}
    found = {(cell.adapter, cell.output): summary for cell, summary in bulk.summaries().items()}
    for output in Outputs._fields:
        assert found["first", output] == found["second", output]
    for name in twins:
        worst = found[name, "y_hat"].share
        assert worst is not None
        assert worst.place == (77, 0, 0)


@pytest.mark.usefixtures("blocks")
def test_twins_that_are_wrong_are_both_told_and_where() -> None:
    twins, places, outputs = ("first", "second"), [3, 2345, 4000], numpy_outputs(CASE)
    assert outputs.grad is not None
    outputs.grad[places] *= 1.5
    bulk = BulkJudge(dict.fromkeys(twins, NUMPY.description))
    found = bulk.judge(CASE, CASE.problem(), dict.fromkeys(twins, outputs))
    assert {name: there.tolist() for name, there in found.items()} == dict.fromkeys(twins, places)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_bulk_counts_equal_bits_where_there_are_zeros_and_nan(dtype: str) -> None:
    case = Case("mixed", 5, (128, 2, 3, 2), dtype=dtype)
    judge = Judge(case.problem())
    outputs, bulk = numpy_outputs(case), BulkJudge({"numpy": NUMPY.description})
    bulk.judge(case, judge.problem, {"numpy": outputs})
    for cell, summary in bulk.summaries().items():
        got, want = (np.ravel(getattr(of, cell.output)) for of in (outputs, judge.nearest))
        pairs = list(zip(got, want, strict=True))
        same = [g.tobytes() == w.tobytes() or (np.isnan(g) and np.isnan(w)) for g, w in pairs]
        assert summary.equal == sum(same)
        assert sum(same) != sum(bool(g == w) for g, w in pairs)  # else nothing is told apart


def test_one_nan_is_like_another_in_a_digest() -> None:
    numbers = np.array([1.0, np.nan, -0.0])
    other = numbers.copy()
    other.view(np.uint64)[1] ^= np.uint64((1 << 63) | 5)
    assert digest_of(numbers, some_nan=True) == digest_of(other, some_nan=True)
    assert digest_of(numbers, some_nan=True) != digest_of(np.abs(numbers), some_nan=True)
    assert digest_of(numbers, some_nan=True) != digest_of(np.nan_to_num(numbers))
    assert digest_of(np.abs(numbers)) != digest_of(numbers)


def test_results_whose_nan_have_other_bits_have_the_same_hash() -> None:
    case = Case("mixed", 5, (128, 2, 3, 2))
    one, other = numpy_outputs(case), numpy_outputs(case)
    assert one.grad is not None
    assert other.grad is not None
    other.grad.view(np.uint64)[np.isnan(other.grad)] ^= np.uint64(1 << 63)
    hashes = set[int]()
    for outputs in (one, other):
        bulk = BulkJudge({"numpy": NUMPY.description})
        bulk.judge(case, case.problem(), {"numpy": outputs})
        hashes.add(summary_of(bulk, "grad").bits)
    assert other.grad.tobytes() != one.grad.tobytes()
    assert len(hashes) == 1


@pytest.mark.parametrize("lacks", ["row_loss", "everything"])
def test_of_an_adapter_whose_outputs_come_and_go_those_that_are_there_count(lacks: str) -> None:
    twins = {name: dataclasses.replace(NUMPY.description, name=name) for name in ("whole", "parts")}
    bulk, alone = BulkJudge(twins), BulkJudge({"parts": twins["parts"]})
    for seed in range(3):
        case = dataclasses.replace(CASE, seed=seed)
        outputs = numpy_outputs(case)
        results = dict.fromkeys(twins, outputs)
        if seed == 1:
            del results["parts"]
            if lacks == "row_loss":
                results["parts"] = outputs._replace(row_loss=None)
        bulk.judge(case, case.problem(), results)
        if seed != 1:
            alone.judge(case, case.problem(), {"parts": outputs})
    found = {(cell.adapter, cell.output): summary for cell, summary in bulk.summaries().items()}
    for output in Outputs._fields:
        there = output != "row_loss" and lacks == "row_loss"
        assert found["whole", output].problems == 3 * SHAPE[0]
        assert found["parts", output].problems == (3 if there else 2) * SHAPE[0]
        if there:
            assert found["parts", output] == found["whole", output]
    want = summary_of(alone, "row_loss")
    got = found["parts", "row_loss"]
    for name in ("problems", "elements", "not_judged", "unknown", "equal", "cases", "bits", "error", "share"):
        assert getattr(got, name) == getattr(want, name)


@pytest.mark.parametrize("claims", [{}, {"u_sum": 2.0**-53}, {"rescaled_mean": True}, {"forward": True}])
def test_the_loss_of_the_only_row_has_the_set_of_the_loss(claims: dict[str, Any]) -> None:
    arithmetic = dataclasses.replace(default_arithmetic(FORMATS["float32"]), **claims)
    sets = Judge(Case("mixed", 5, (64, 1, 3, 2), dtype="float32").problem()).sets(arithmetic)
    row, whole = sets["row_loss"].mapped(np.squeeze), sets["loss"].mapped(np.squeeze)
    for name in AdmissibleSet._fields:
        assert np.array_equal(getattr(row, name), getattr(whole, name), equal_nan=True), name


def test_the_loss_of_the_only_row_is_judged_where_it_is_not_the_loss() -> None:
    bulk, outputs = BulkJudge({"numpy": NUMPY.description}), numpy_outputs(NARROW)
    assert outputs.row_loss is not None
    outputs.row_loss[...] *= np.float32(1.5)
    assert bulk.judge(NARROW, NARROW.problem(), {"numpy": outputs})["numpy"].size
