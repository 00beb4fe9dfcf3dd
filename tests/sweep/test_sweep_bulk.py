"""The bulk judge says what the engine of a comparison says; equal bits get one verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sweeps import SHAPE

from adapters import load
from adapters.errors import AdapterMisbehaved
from crosscheck.accuracy import exact_values
from crosscheck.cases import Case
from crosscheck.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.results.measure import summarise
from crosscheck.results.summary import Summary, merged
from crosscheck.sweep import bulk as bulk_module
from crosscheck.sweep.bulk import BulkJudge
from crosscheck.sweep.result_groups import digest_of
from reference.admissible import AdmissibleSet
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Outputs


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks in a case, of which the last one is smaller."""
    monkeypatch.setattr(bulk_module, "BLOCK", 6 * 1000)


@pytest.mark.usefixtures("blocks")
def test_bulk_counts_what_the_engine_counts() -> None:
    adapter = InProcessAdapter(load("numpy"))
    bulk = BulkJudge({"numpy": adapter.description})
    want: list[Summary] = []
    for seed in range(3):
        case = Case("crossed", seed, SHAPE, dtype="float32")
        judge = Judge(case.problem())
        outcome = evaluate_and_judge(adapter, judge)
        assert outcome.outputs is not None
        assert bulk.judge(case, judge.problem, {"numpy": outcome.outputs}) == {}
        want += [
            s
            for c, s in summarise(case, judge, outcome, exact_values(judge, 0)).items()
            if c.output == "grad"
        ]
    (found,) = [summary for cell, summary in bulk.summaries().items() if cell.output == "grad"]
    whole = merged(want)
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
    case = Case("crossed", 5, SHAPE, dtype="float32")
    judge = Judge(case.problem())
    said = InProcessAdapter(load("numpy")).description
    outcome = evaluate_and_judge(InProcessAdapter(load("numpy")), judge)
    assert outcome.outputs is not None
    assert outcome.outputs.grad is not None
    grad = outcome.outputs.grad.copy()
    full = judge.sets(said.arithmetic["float32"])["grad"]
    grad[3333, 2, 0] = full.center[3333, 2, 0] + 0.95 * full.radius[3333, 2, 0]
    bulk = BulkJudge({"numpy": said})
    assert bulk.judge(case, judge.problem, {"numpy": outcome.outputs._replace(grad=grad)}) == {}
    (found,) = [summary for cell, summary in bulk.summaries().items() if cell.output == "grad"]
    assert found.share is not None
    assert found.share.place == (3333, 2, 0)
    assert 0.9 < found.share.value <= 1


def test_the_same_bits_under_the_same_claims_get_one_verdict_and_all_its_counts() -> None:
    case = Case("crossed", 5, SHAPE, dtype="float32")
    judge = Judge(case.problem())
    said = InProcessAdapter(load("numpy")).description
    wide = dataclasses.replace(said.arithmetic["float32"], kappa=9.0)
    twins = {
        "first": dataclasses.replace(said, name="first", arithmetic={"float32": wide}),
        "second": dataclasses.replace(said, name="second", arithmetic={"float32": wide}),
        "narrow": dataclasses.replace(said, name="narrow"),
    }
    outputs = evaluate_and_judge(InProcessAdapter(load("numpy")), judge).outputs
    assert outputs is not None
    assert outputs.y_hat is not None
    y_hat = outputs.y_hat.copy()
    full = judge.sets(wide)["y_hat"]
    y_hat[77] = full.center[77] + 0.95 * full.radius[77]
    bulk = BulkJudge(twins)
    same = outputs._replace(y_hat=y_hat)
    assert bulk.judge(case, judge.problem, dict.fromkeys(twins, same)) == {"narrow": [77]}
    found = {(cell.adapter, cell.output): summary for cell, summary in bulk.summaries().items()}
    for output in Outputs._fields:
        assert found["first", output] == found["second", output]
    for name in twins:
        worst = found[name, "y_hat"].share
        assert worst is not None
        assert worst.place == (77, 0, 0)


@pytest.mark.usefixtures("blocks")
def test_twins_that_are_wrong_are_both_told_and_where() -> None:
    case = Case("crossed", 5, SHAPE)
    adapter = InProcessAdapter(load("numpy"))
    outputs = adapter.evaluate(*case.problem())
    assert outputs.grad is not None
    grad = outputs.grad.copy()
    grad[[3, 2345, 4000]] *= 1.5
    bulk = BulkJudge(dict.fromkeys(["first", "second"], adapter.description))
    found = bulk.judge(case, case.problem(), dict.fromkeys(["first", "second"], outputs._replace(grad=grad)))
    assert {name: places.tolist() for name, places in found.items()} == {
        "first": [3, 2345, 4000],
        "second": [3, 2345, 4000],
    }


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_bulk_counts_equal_bits_where_there_are_zeros_and_nan(dtype: str) -> None:
    case = Case("mixed", 5, (128, 2, 3, 2), dtype=dtype)
    judge = Judge(case.problem())
    outcome = evaluate_and_judge(InProcessAdapter(load("numpy")), judge)
    assert outcome.outputs is not None
    bulk = BulkJudge({"numpy": outcome.description})
    bulk.judge(case, judge.problem, {"numpy": outcome.outputs})
    for cell, summary in bulk.summaries().items():
        got, want = (np.ravel(getattr(of, cell.output)) for of in (outcome.outputs, judge.nearest))
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
    adapter = InProcessAdapter(load("numpy"))
    outputs = adapter.evaluate(*case.problem())
    assert outputs.grad is not None
    other = outputs.grad.copy()
    other.view(np.uint64)[np.isnan(other)] ^= np.uint64(1 << 63)
    hashes = set[int]()
    for grad in (outputs.grad, other):
        bulk = BulkJudge({"numpy": adapter.description})
        bulk.judge(case, case.problem(), {"numpy": outputs._replace(grad=grad)})
        hashes |= {summary.bits for cell, summary in bulk.summaries().items() if cell.output == "grad"}
    assert other.tobytes() != outputs.grad.tobytes()
    assert len(hashes) == 1


@pytest.mark.parametrize("lacks", ["row_loss", "everything"])
def test_an_adapter_whose_outputs_come_and_go_misbehaves(lacks: str) -> None:
    case = Case("crossed", 5, SHAPE)
    adapter = InProcessAdapter(load("numpy"))
    outputs = adapter.evaluate(*case.problem())
    less = {} if lacks == "everything" else {"numpy": outputs._replace(row_loss=None)}
    bulk = BulkJudge({"numpy": adapter.description})
    bulk.judge(case, case.problem(), {"numpy": outputs})
    with pytest.raises(AdapterMisbehaved, match="for some cases of a kind and not for others") as caught:
        bulk.judge(dataclasses.replace(case, seed=6), case.problem(), less)
    assert "crossed:6:" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("claims", [{}, {"u_sum": 2.0**-53}, {"rescaled_mean": True}, {"forward": True}])
def test_the_loss_of_the_only_row_has_the_set_of_the_loss(claims: dict[str, Any]) -> None:
    arithmetic = dataclasses.replace(default_arithmetic(FORMATS["float32"]), **claims)
    sets = Judge(Case("mixed", 5, (64, 1, 3, 2), dtype="float32").problem()).sets(arithmetic)
    row, whole = sets["row_loss"].mapped(np.squeeze), sets["loss"].mapped(np.squeeze)
    for name in AdmissibleSet._fields:
        assert np.array_equal(getattr(row, name), getattr(whole, name), equal_nan=True), name


def test_the_loss_of_the_only_row_is_judged_where_it_is_not_the_loss() -> None:
    case = Case("crossed", 5, SHAPE, dtype="float32")
    adapter = InProcessAdapter(load("numpy"))
    outputs = adapter.evaluate(*case.problem())
    assert outputs.row_loss is not None
    wrong_loss = outputs._replace(row_loss=outputs.row_loss * np.float32(1.5))
    bulk = BulkJudge({"numpy": adapter.description})
    assert bulk.judge(case, case.problem(), {"numpy": wrong_loss})["numpy"].size
