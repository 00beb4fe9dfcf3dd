"""The random lane: what crossed cases are, and what is told of a shard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from planted import wrong
from sweeps import SHAPE, by_output, subjects

from adapters import load
from adapters.errors import AdapterMisbehaved
from crosscheck.accuracy import RESOLUTION, best_known
from crosscheck.cases import Case, parse, take
from crosscheck.cases.sources import CROSSINGS
from crosscheck.judge import Judge
from crosscheck.sweep import random
from crosscheck.sweep.random import Random
from crosscheck.trial import Direct, run
from reference.types import Array, Problem
from reference.ulp import error_in_ulp


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of few cases."""
    monkeypatch.setattr(random, "NUMBERS", 1)
    monkeypatch.setattr(random, "CASES", 2)
    monkeypatch.setattr(random, "MIXED", 64)


def crossings(seeds: range) -> Iterator[Problem]:
    return (Case("crossed", seed, SHAPE).problem() for seed in seeds)


def test_crossed_cases_have_the_same_numbers_and_never_the_same_problem() -> None:
    seen: set[bytes] = set()
    first, *_ = crossings(range(1))
    for problem in crossings(range(CROSSINGS)):
        assert np.array_equal(problem.X, first.X)
        assert np.array_equal(np.sort(problem.W, axis=0), np.sort(first.W, axis=0))
        seen |= {
            b"".join(arrays) for arrays in zip(*(map(np.ndarray.tobytes, a) for a in problem), strict=True)
        }
    assert len(seen) == CROSSINGS * SHAPE[0]


def test_the_seed_after_the_last_crossing_has_other_numbers() -> None:
    last, after = crossings(range(CROSSINGS - 1, CROSSINGS + 1))
    assert not np.isin(after.W, last.W).all()


def test_crossed_problems_are_ordinary_because_their_scales_fit() -> None:
    (problem,) = crossings(range(7, 8))
    z = np.matmul(problem.X, problem.W)
    assert np.mean((np.abs(z) > 2.0**-20) & (np.abs(z) < 40)) > 0.9


@pytest.mark.usefixtures("little")
def test_the_worst_of_bulk_is_where_it_says() -> None:
    found = Random(1, ("float32",)).run(0, subjects(load("numpy")))
    for output, summary in by_output(found, "numpy", "crossed").items():
        assert summary.error is not None
        judge = Judge(parse(summary.error.case).problem())
        outcome = run(Direct(load("numpy")), judge)
        got = np.asarray(getattr(outcome.outputs, output))[summary.error.place]
        one = Judge(take(parse(summary.error.case), summary.error.place[0]).problem())
        best = best_known(one)[output]
        inner = summary.error.place[1:]
        error = error_in_ulp(got, best.hi[inner], best.lo[inner], judge.format)
        # a best known value may be off by that much, the lane's and this one
        assert abs(error - summary.error.value) <= 2 * RESOLUTION


def test_who_changes_a_problem_in_the_middle_of_a_shard_is_heard() -> None:
    class Late(wrong.Planted):
        calls = 0

        def evaluate(self, X: Array, y: Array, W: Array) -> Any:
            self.calls += 1
            if self.calls == random.CASES // 2:
                W[..., -1, -1, -1] += 1
            return super().evaluate(X, y, W)

    (*_, last), _ = Random(1, ("float64",)).cases(0)
    before = last.problem()
    with pytest.raises(AdapterMisbehaved, match="changed its input in place"):
        Random(1, ("float64",)).run(0, subjects(Late("late", wrong.right)))
    assert np.array_equal(before.W, last.problem().W)


@pytest.mark.usefixtures("little")
def test_what_lies_outside_is_counted_and_told_once_with_its_smallest_case() -> None:
    planted = wrong.missing_one_minus
    found = Random(1, ("float64",)).run(0, subjects(load("numpy"), planted))
    faults = {fault for fault in found.faults if fault.what.startswith("grad")}
    assert {fault.who for fault in faults} == {planted.name}
    assert sorted(fault.what.split(" in ")[-1].partition(":")[0] for fault in faults) == ["crossed", "mixed"]
    assert all("replay: " in fault.what and "float64:X=[[" in fault.what for fault in faults)
    mine = by_output(found, planted.name, "crossed")
    outside = sum(
        int(
            (
                ~run(Direct(planted), Judge(Case("crossed", s, SHAPE).problem()))
                .judgements["grad"]
                .admissible
            ).sum()
        )
        for s in range(2)
    )
    assert mine["grad"].wrong_elements == outside > 0
    assert mine["y_hat"].wrong_elements == 0
    assert all(summary.wrong_elements == 0 for summary in by_output(found, "numpy").values())


@pytest.mark.usefixtures("little")
def test_known_differences_speak_against_nobody() -> None:
    found = Random(1, ("float32",)).run(0, subjects(load("torch-literal")))
    outside = [summary for summary in found.cells.values() if summary.wrong_elements]
    assert outside
    assert all(summary.wrong_elements == summary.known_elements for summary in outside)
    assert not found.faults


@pytest.mark.usefixtures("little")
def test_a_cell_that_an_adapter_does_not_have_says_why() -> None:
    found = Random(1, ("float64",)).run(
        0, subjects(load("numpy"), wrong.Planted("narrow", wrong.right, "float32"))
    )
    (why,) = {reason for s in found.cells.values() for reason in s.unsupported}
    assert why == "planted-narrow has no float64"


def test_shards_have_their_cases_whatever_the_number_of_problems() -> None:
    small, large = Random(1), Random(10**9)
    assert len(small) == 2
    assert len(large) * large.problems(0) >= 2 * 10**9
    assert list(small.cases(1)) == list(large.cases(1))
    seen = [case.text for shard in range(4) for cases in large.cases(shard) for case in cases]
    assert len(set(seen)) == len(seen)


@pytest.mark.usefixtures("little")
def test_a_number_that_nothing_bounds_does_not_hide_the_worst_of_a_mixed_stack() -> None:
    found = Random(1, ("float32",)).run(0, subjects(load("numpy")))
    for summary in by_output(found, "numpy", "mixed").values():
        assert summary.share is not None
        assert 0 < summary.share.value <= 1
        assert summary.elements - summary.unknown >= 4


class _Bad:
    """An adapter that breaks the contract in its own way."""

    framework, version, dtypes = "planted", "1", ("float32",)

    def __init__(self, name: str) -> None:
        self.name = name

    def evaluate(self, X: Any, y: Any, W: Any) -> Any:
        if self.name == "raises":
            raise ValueError("no")
        X *= 2
        return load("numpy").evaluate(X, y, W)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    ("name", "said"), [("raises", "raised ValueError"), ("changes", "changed its input")]
)
def test_an_adapter_that_breaks_the_contract_ends_the_shard_and_is_named(name: str, said: str) -> None:
    with pytest.raises(AdapterMisbehaved, match=said) as found:
        Random(1, ("float32",)).run(0, subjects(_Bad(name)))
    assert found.value.adapter == name
    if name == "raises":
        (note,) = found.value.__notes__
        assert "check crossed:0:4096x1x3x1:contiguous:float32" in note
