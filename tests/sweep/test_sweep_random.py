"""The random sweep and the sweep of regimes: what their cases are, and what is reported of a shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from ledgers import ENVIRONMENT
from msgspec.structs import replace
from sweeps import SHAPE, by_output, in_process

from adapters import load
from adapters.errors import AdapterMisbehaved
from crosscheck.inputs import Case, parse, take
from crosscheck.inputs.sources import CROSSINGS, supported_regimes
from crosscheck.judging.accuracy import RESOLUTION, exact_values
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.plans.core import ROUND
from crosscheck.results.known import KnownDifferences
from crosscheck.results.record import Results
from crosscheck.results.rows import FAILED, rows
from crosscheck.results.summary import Cell, Summary, merged
from crosscheck.sweep import random
from crosscheck.sweep.job import ENCODER, WorkerInfo, differences, header_of
from crosscheck.sweep.random import Random
from crosscheck.sweep.regimes import Regimes
from reference.formats import FORMATS
from reference.types import Array, Problem
from reference.ulp import error_in_ulp
from tests.faulty_adapters import wrong


def whole(*dtypes: str) -> Random:
    """A sweep with one full shard for each dtype."""
    return Random(Random(1).problems_per_shard, dtypes)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of few cases."""
    monkeypatch.setattr(random, "NUMBERS", 1)
    monkeypatch.setattr(random, "CASES", 2)
    monkeypatch.setattr(random, "MIXED", 64)


def crossings(seeds: range) -> Iterator[Problem]:
    return (Case("crossed", seed, SHAPE).problem() for seed in seeds)


def as_json(cells: Mapping[Cell, Summary]) -> dict[Cell, bytes]:
    """The summaries as workers send them."""
    return {cell: ENCODER.encode(summary) for cell, summary in cells.items()}


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
    found = whole("float32").run(0, in_process(load("numpy")))
    for output, summary in by_output(found, "numpy", "crossed").items():
        assert summary.error is not None
        judge = Judge(parse(summary.error.case).problem())
        outcome = evaluate_and_judge(InProcessAdapter(load("numpy")), judge)
        got = np.asarray(getattr(outcome.outputs, output))[summary.error.place]
        one = Judge(take(parse(summary.error.case), summary.error.place[0]).problem())
        values = exact_values(one)[output]
        inner = summary.error.place[1:]
        error = error_in_ulp(got, values.hi[inner], values.lo[inner], judge.format)
        # an exact value may be off by that much, the sweep's and this one
        assert abs(error - summary.error.value) <= 2 * RESOLUTION


@pytest.mark.long
def test_who_changes_a_problem_in_the_middle_of_a_shard_is_heard() -> None:
    class Late(wrong.Planted):
        calls = 0

        def evaluate(self, X: Array, y: Array, W: Array) -> Any:
            self.calls += 1
            if self.calls == random.CASES // 2:
                W[..., -1, -1, -1] += 1
            return super().evaluate(X, y, W)

    (*_, last), _ = whole("float64").cases(0)
    before = last.problem()
    with pytest.raises(AdapterMisbehaved, match="changed its input in place"):
        whole("float64").run(0, in_process(Late("late", wrong.right)))
    assert np.array_equal(before.W, last.problem().W)


@pytest.mark.usefixtures("little")
def test_what_lies_outside_is_counted_and_told_once_with_its_smallest_case() -> None:
    planted = wrong.missing_one_minus
    found = whole("float64").run(0, in_process(load("numpy"), planted))
    faults = {fault for fault in found.faults if fault.what.startswith("grad")}
    assert {fault.who for fault in faults} == {planted.name}
    assert sorted(fault.what.split(" in ")[-1].partition(":")[0] for fault in faults) == ["crossed", "mixed"]
    assert all("replay: " in fault.what and "float64:X=[[" in fault.what for fault in faults)
    mine = by_output(found, planted.name, "crossed")
    outside = sum(
        int(
            (
                ~evaluate_and_judge(InProcessAdapter(planted), Judge(Case("crossed", s, SHAPE).problem()))
                .judgements["grad"]
                .admissible
            ).sum()
        )
        for s in range(2)
    )
    assert mine["grad"].wrong_elements == outside > 0
    assert mine["y_hat"].wrong_elements == 0
    assert all(summary.wrong_elements == 0 for summary in by_output(found, "numpy").values())


@pytest.mark.long
@pytest.mark.usefixtures("little")
def test_known_differences_speak_against_nobody() -> None:
    found = whole("float32").run(0, in_process(load("torch-literal")))
    outside = [summary for summary in found.cells.values() if summary.wrong_elements]
    assert outside
    assert all(summary.wrong_elements == summary.known_elements for summary in outside)
    assert not found.faults


@pytest.mark.usefixtures("little")
def test_a_cell_that_an_adapter_does_not_have_says_why() -> None:
    found = whole("float64").run(
        0, in_process(load("numpy"), wrong.Planted("narrow", wrong.right, "float32"))
    )
    (why,) = {reason for s in found.cells.values() for reason in s.unsupported}
    assert why == "planted-narrow has no float64"


def test_whole_shards_have_their_cases_whatever_the_number_of_problems() -> None:
    small, large = whole("float64", "float32"), Random(10**9)
    assert len(small) == 2
    assert list(small.cases(1)) == list(large.cases(1))
    seen = [case.text for shard in range(4) for cases in large.cases(shard) for case in cases]
    assert len(set(seen)) == len(seen)


def problems(kind: Random, shard: int) -> int:
    """How many problems the cases of a shard have."""
    return sum(case.shape[0] for cases in kind.cases(shard) for case in cases)


@pytest.mark.parametrize("size", [(1, 3, 1), (1, 1, 1), (7, 64, 3)])
@pytest.mark.parametrize(
    "count", [11, 4095, 4096, 4108, 100_000, 266_240, 10**6, 8_392_703, 8_392_704, 8_392_705, 10**8]
)
def test_a_sweep_has_the_problems_that_were_asked_for(count: int, size: tuple[int, int, int]) -> None:
    kind = Random(count, ("float64", "float16"), size, seed=3)
    shards = range(len(kind))
    assert sum(map(kind.problems, shards[::2])) == count
    assert sum(map(kind.problems, shards[1::2])) == count
    for shard in {0, 1, len(kind) - 2, len(kind) - 1}:
        assert problems(kind, shard) == kind.problems(shard)
    texts = [case.text for shard in shards[-4:] for cases in kind.cases(shard) for case in cases]
    assert len(set(texts)) == len(texts)


def test_fewer_problems_than_regimes_are_one_of_each_regime() -> None:
    regimes = len(supported_regimes((1, 1, 3, 1), FORMATS["float32"]))
    for count in range(1, regimes + 1):
        assert [each.shape[0] for each in next(Random(count, ("float32",)).cases(0))] == [regimes]


def test_a_plan_with_whole_shards_only_is_told_from_one_that_runs_what_was_asked_for() -> None:
    info = WorkerInfo(suite="0", known="0" * 64, environment=ENVIRONMENT, descriptions={})
    now = header_of(Random(100_000), info, "")
    assert now.sweep is not None
    then = {"least" if name == "count" else name: value for name, value in now.sweep.settings.items()}
    said = differences(replace(now, sweep=replace(now.sweep, settings=then)), now)
    assert said == ["setting count: - -> 100000", "setting least: 100000 -> -"]


@pytest.mark.usefixtures("little")
def test_the_last_shard_is_judged_like_any_other() -> None:
    kind = Random(2 * 4096 + 17, ("float64",))
    found = kind.run(len(kind) - 1, in_process(load("numpy"), wrong.missing_one_minus))
    assert found.problems == 2 * 4096 + 17
    assert {s.problems for s in by_output(found, "numpy", "crossed").values()} == {2 * 4096}
    assert {s.problems for s in by_output(found, "numpy", "mixed").values()} == {17}
    assert {fault.who for fault in found.faults} == {wrong.missing_one_minus.name}


@pytest.mark.usefixtures("little")
def test_a_number_that_nothing_bounds_does_not_hide_the_worst_of_a_mixed_stack() -> None:
    found = whole("float32").run(0, in_process(load("numpy")))
    for summary in by_output(found, "numpy", "mixed").values():
        assert summary.share is not None
        assert 0 < summary.share.value <= 1
        assert summary.elements - summary.unknown >= 4


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    ("adapter", "said"),
    [(wrong.raises, "raised ValueError"), (wrong.mutates_input, "changed its input")],
    ids=["raises", "changes"],
)
def test_who_breaks_the_contract_ends_the_shard_and_is_named(adapter: wrong.Planted, said: str) -> None:
    with pytest.raises(AdapterMisbehaved, match=said) as found:
        whole("float32").run(0, in_process(adapter))
    assert found.value.adapter == adapter.name
    if adapter is wrong.raises:
        (note,) = found.value.__notes__
        assert "check crossed:0:4096x1x3x1:contiguous:float32" in note


class Raising(wrong.Planted):
    """Raises for every case, or only where some z is infinite."""

    def __init__(self, name: str, *, is_special: bool) -> None:
        super().__init__(name, wrong.right)
        self._is_special, self.calls = is_special, 0

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """Raise, or return the closed form's outputs."""
        self.calls += 1
        with np.errstate(all="ignore"):
            if not self._is_special or np.isinf(np.matmul(X, W)).any():
                raise ValueError("the planted message")
        return super().evaluate(X, y, W)


@pytest.mark.long
@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("kind", [whole("float32"), Regimes(ROUND, ("float32",))], ids=["random", "regimes"])
def test_in_a_careful_attempt_who_raises_has_a_fault_and_the_others_have_their_results(kind: Any) -> None:
    never, sometimes = Raising("never", is_special=False), Raising("sometimes", is_special=True)
    found = kind.run(0, in_process(never, load("numpy"), sometimes), careful=True)
    alone = kind.run(0, in_process(load("numpy")))
    assert as_json(alone.cells).items() <= as_json(found.cells).items()
    assert {fault.who for fault in found.faults} == {never.name, sometimes.name}
    assert all("raised ValueError: the planted message; replay: " in fault.what for fault in found.faults)
    there = {row.adapter: row for row in rows(found.cells) if row.verdict == FAILED}
    assert there.keys() == {never.name, sometimes.name}
    assert never.calls == 1
    asked = merged(summary for cell, summary in found.cells.items() if cell.adapter == never.name)
    assert asked.problems + asked.not_run == kind.problems(0)
    assert by_output(found, sometimes.name)["grad"].problems  # from before it raised


@pytest.mark.long
def test_a_round_of_regimes_has_the_cells_of_a_comparison() -> None:
    narrow = wrong.Planted("narrow", wrong.right, "float64")
    there = in_process(load("numpy"), load("torch-literal"), narrow)
    kind = Regimes(ROUND, ("float32",), ("ordinary", "saturated_low"))
    results = Results(known=KnownDifferences.shipped())
    for case in kind.cases(0):
        judge = Judge(case.problem())
        results.add(case, judge, [evaluate_and_judge(adapter, judge) for adapter in there.values()])
    found = kind.run(0, there)
    assert not found.faults
    assert as_json(found.cells) == as_json(results.summaries)  # where NaN equals NaN
    assert any(summary.known for summary in found.cells.values())


def test_a_round_of_regimes_tells_what_is_wrong_with_its_smallest_case() -> None:
    found = Regimes(ROUND, ("float64",), ("ordinary",)).run(0, in_process(wrong.missing_one_minus))
    (fault,) = {fault for fault in found.faults if fault.what.startswith("grad")}
    assert fault.who == wrong.missing_one_minus.name
    assert "replay: " in fault.what
    assert "float64:X=[[" in fault.what
    assert by_output(found, fault.who)["grad"].wrong_elements > 0


def test_rounds_of_regimes_differ_in_seed_and_dtype() -> None:
    kind = Regimes(2 * ROUND, ("float64", "float32"), seed=7)
    assert len(kind) == 4
    seen = [{(case.seed, case.dtype) for case in kind.cases(shard)} for shard in range(len(kind))]
    assert seen == [{(7, "float64")}, {(7, "float32")}, {(8, "float64")}, {(8, "float32")}]
    assert kind.problems(0) == sum(case.shape[0] for case in kind.cases(0))


def test_the_last_round_of_regimes_has_no_more_cases_than_were_asked_for() -> None:
    kind = Regimes(2 * ROUND + 5, ("float64",), ("ordinary",))
    assert [kind.problems(shard) for shard in range(len(kind))] == [ROUND, ROUND, 7]
    assert kind.problems(2) == sum(case.shape[0] if len(case.shape) == 4 else 1 for case in kind.cases(2))
    assert len(list(Regimes(1, ("float64",), ("ordinary",)).cases(0))) == 1
