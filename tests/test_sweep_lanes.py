"""The lanes: what their cases are, and that bulk says of them what the engine of a comparison says."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from planted import wrong

from adapters import load
from adapters.errors import AdapterMisbehaved
from crosscheck.accuracy import RESOLUTION, best_known
from crosscheck.cases import Case, parse, take
from crosscheck.cases.sources import CROSSINGS
from crosscheck.comparison.engine import Record
from crosscheck.comparison.plan import ROUND
from crosscheck.comparison.summarise import summarise
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences
from crosscheck.summary import Summary, merged
from crosscheck.sweep import bulk as bulk_module
from crosscheck.sweep import exhaustive, random, tally
from crosscheck.sweep.alike import digest_of
from crosscheck.sweep.bulk import Bulk
from crosscheck.sweep.exhaustive import Exhaustive, intervals
from crosscheck.sweep.lane import Found
from crosscheck.sweep.random import Random
from crosscheck.sweep.regimes import Regimes
from crosscheck.sweep.tally import Exact, Tally
from crosscheck.trial import Direct, run
from reference import network
from reference.admissible import AdmissibleSet
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs, Problem
from reference.ulp import error_in_ulp

SHAPE = (4096, 1, 3, 1)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of few cases."""
    monkeypatch.setattr(random, "NUMBERS", 1)
    monkeypatch.setattr(random, "CASES", 2)
    monkeypatch.setattr(random, "MIXED", 64)


def subjects(*adapters: Any) -> dict[str, Direct]:
    return {adapter.name: Direct(adapter) for adapter in adapters}


def by_output(found: Found, adapter: str, regime: str | None = None) -> dict[str, Summary]:
    """The summaries of an adapter's outputs."""
    there = {c: s for c, s in found.cells.items() if c.adapter == adapter and regime in (None, c.regime)}
    outputs = dict.fromkeys(cell.output for cell in there)
    return {output: merged(s for c, s in there.items() if c.output == output) for output in outputs}


# ------------------------------------------------------------------------------------------ crossing


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


# -------------------------------------------------------------------------------------- random, bulk


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks in a case, of which the last one is smaller."""
    monkeypatch.setattr(bulk_module, "BLOCK", 6 * 1000)


@pytest.mark.usefixtures("blocks")
def test_bulk_counts_what_the_engine_counts() -> None:
    adapter = load("numpy")
    subject, bulk = Direct(adapter), Bulk({"numpy": Direct(adapter).description})
    want: list[Summary] = []
    for seed in range(3):
        case = Case("crossed", seed, SHAPE, dtype="float32")
        judge = Judge(case.problem())
        outcome = run(subject, judge)
        assert outcome.outputs is not None
        assert bulk.hear(case, judge.problem, {"numpy": outcome.outputs}) == {}
        want += [
            s for c, s in summarise(case, judge, outcome, best_known(judge, 0)).items() if c.output == "grad"
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


@pytest.mark.usefixtures("blocks")
def test_the_suspects_of_bulk_have_the_largest_shares() -> None:
    """A number that is almost out gets the close look, wherever it stands."""
    case = Case("crossed", 5, SHAPE, dtype="float32")
    judge = Judge(case.problem())
    said = Direct(load("numpy")).description
    outcome = run(Direct(load("numpy")), judge)
    assert outcome.outputs is not None
    assert outcome.outputs.grad is not None
    grad = outcome.outputs.grad.copy()
    full = judge.sets(said.arithmetic["float32"])["grad"]
    grad[3333, 2, 0] = full.center[3333, 2, 0] + 0.95 * full.radius[3333, 2, 0]
    bulk = Bulk({"numpy": said})
    assert bulk.hear(case, judge.problem, {"numpy": outcome.outputs._replace(grad=grad)}) == {}
    (found,) = [summary for cell, summary in bulk.summaries().items() if cell.output == "grad"]
    assert found.share is not None
    assert found.share.place == (3333, 2, 0)
    assert 0.9 < found.share.value <= 1


def test_the_same_bits_under_the_same_claims_get_one_verdict_and_all_its_counts() -> None:
    case = Case("crossed", 5, SHAPE, dtype="float32")
    judge = Judge(case.problem())
    said = Direct(load("numpy")).description
    wide = dataclasses.replace(said.arithmetic["float32"], kappa=9.0)
    twins = {
        "first": dataclasses.replace(said, name="first", arithmetic={"float32": wide}),
        "second": dataclasses.replace(said, name="second", arithmetic={"float32": wide}),
        "narrow": dataclasses.replace(said, name="narrow"),
    }
    outputs = run(Direct(load("numpy")), judge).outputs
    assert outputs is not None
    assert outputs.y_hat is not None
    y_hat = outputs.y_hat.copy()
    full = judge.sets(wide)["y_hat"]
    y_hat[77] = full.center[77] + 0.95 * full.radius[77]
    bulk = Bulk(twins)
    same = outputs._replace(y_hat=y_hat)
    assert bulk.hear(case, judge.problem, dict.fromkeys(twins, same)) == {"narrow": [77]}
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
    subject = Direct(load("numpy"))
    outputs = subject.evaluate(*case.problem())
    assert outputs.grad is not None
    grad = outputs.grad.copy()
    grad[[3, 2345, 4000]] *= 1.5
    bulk = Bulk(dict.fromkeys(["first", "second"], subject.description))
    found = bulk.hear(case, case.problem(), dict.fromkeys(["first", "second"], outputs._replace(grad=grad)))
    assert {name: places.tolist() for name, places in found.items()} == {
        "first": [3, 2345, 4000],
        "second": [3, 2345, 4000],
    }


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_bulk_counts_equal_bits_where_there_are_zeros_and_nan(dtype: str) -> None:
    case = Case("mixed", 5, (128, 2, 3, 2), dtype=dtype)
    judge = Judge(case.problem())
    outcome = run(Direct(load("numpy")), judge)
    assert outcome.outputs is not None
    bulk = Bulk({"numpy": outcome.description})
    bulk.hear(case, judge.problem, {"numpy": outcome.outputs})
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


def test_results_whose_nan_have_other_bits_have_the_same_mark() -> None:
    case = Case("mixed", 5, (128, 2, 3, 2))
    subject = Direct(load("numpy"))
    outputs = subject.evaluate(*case.problem())
    assert outputs.grad is not None
    other = outputs.grad.copy()
    other.view(np.uint64)[np.isnan(other)] ^= np.uint64(1 << 63)
    marks = set[int]()
    for grad in (outputs.grad, other):
        bulk = Bulk({"numpy": subject.description})
        bulk.hear(case, case.problem(), {"numpy": outputs._replace(grad=grad)})
        marks |= {summary.bits for cell, summary in bulk.summaries().items() if cell.output == "grad"}
    assert other.tobytes() != outputs.grad.tobytes()
    assert len(marks) == 1


@pytest.mark.parametrize("lacks", ["row_loss", "everything"])
def test_an_adapter_whose_outputs_come_and_go_misbehaves(lacks: str) -> None:
    case = Case("crossed", 5, SHAPE)
    subject = Direct(load("numpy"))
    outputs = subject.evaluate(*case.problem())
    less = {} if lacks == "everything" else {"numpy": outputs._replace(row_loss=None)}
    bulk = Bulk({"numpy": subject.description})
    bulk.hear(case, case.problem(), {"numpy": outputs})
    with pytest.raises(AdapterMisbehaved, match="for some cases of a kind and not for others") as caught:
        bulk.hear(dataclasses.replace(case, seed=6), case.problem(), less)
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
    subject = Direct(load("numpy"))
    outputs = subject.evaluate(*case.problem())
    assert outputs.row_loss is not None
    wrong_loss = outputs._replace(row_loss=outputs.row_loss * np.float32(1.5))
    bulk = Bulk({"numpy": subject.description})
    assert bulk.hear(case, case.problem(), {"numpy": wrong_loss})["numpy"].size


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


# ----------------------------------------------------------------------------------------- regimes


def test_a_round_of_regimes_has_the_cells_of_a_comparison() -> None:
    narrow = wrong.Planted("narrow", wrong.right, "float64")
    there = subjects(load("numpy"), load("torch-literal"), narrow)
    lane = Regimes(1, ("float32",), ("ordinary", "saturated_low"))
    record = Record(known=KnownDifferences.of_checkout())
    for case in lane.cases(0):
        judge = Judge(case.problem())
        record.hear(case, judge, [run(subject, judge) for subject in there.values()])
    found = lane.run(0, there)
    assert not found.faults
    assert found.cells == record.summaries
    assert any(summary.known for summary in found.cells.values())


def test_a_round_of_regimes_tells_what_is_wrong_with_its_smallest_case() -> None:
    found = Regimes(1, ("float64",), ("ordinary",)).run(0, subjects(wrong.missing_one_minus))
    (fault,) = {fault for fault in found.faults if fault.what.startswith("grad")}
    assert fault.who == wrong.missing_one_minus.name
    assert "replay: " in fault.what
    assert "float64:X=[[" in fault.what
    assert by_output(found, fault.who)["grad"].wrong_elements > 0


def test_rounds_of_regimes_differ_in_seed_and_dtype() -> None:
    lane = Regimes(2 * ROUND, ("float64", "float32"), seed=7)
    assert len(lane) == 4
    seen = [{(case.seed, case.dtype) for case in lane.cases(shard)} for shard in range(len(lane))]
    assert seen == [{(7, "float64")}, {(7, "float32")}, {(8, "float64")}, {(8, "float32")}]
    assert lane.problems(0) == sum(case.shape[0] for case in lane.cases(0))


# -------------------------------------------------------------------------------------- exhaustive


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_intervals_have_every_pattern_once(dtype: str) -> None:
    found = intervals(FORMATS[dtype])
    assert found[0].start == 0
    assert found[-1].stop == 1 << 8 * FORMATS[dtype].dtype.itemsize
    assert all(before.stop == after.start for before, after in itertools.pairwise(found))


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_intervals_of_16_bits_have_together_what_all_values_have(dtype: str) -> None:
    lane, there = Exhaustive((dtype,)), subjects(load("numpy"), load("torch"), load("jax-jit"))
    shards = [lane.run(shard, there) for shard in range(len(lane))]
    found = Found.merged(shards)
    assert not found.faults
    assert found.problems == 3 * 2**16
    for name in there:
        every = by_output(found, name).values()
        assert {summary.problems for summary in every} == {3 * 2**16}
        assert sum(summary.wrong_elements for summary in every) == 0
    case = Case("every", 0, (1 << 16, 1, 1, 1), dtype=dtype)  # the first shard's, at once
    judge = Judge(case.problem())
    best = best_known(judge)
    for name, subject in there.items():
        parts = by_output(shards[0], name)
        for cell, whole in summarise(case, judge, run(subject, judge), best).items():
            if cell.output in parts:
                part = parts[cell.output]
                assert (part.lost_to_zero, part.undefined) == (whole.lost_to_zero, whole.undefined)
                assert part.error is not None
                assert whole.error is not None
                assert abs(part.error.value - whole.error.value) <= 2 * RESOLUTION


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_losses_of_rows_are_judged_where_they_are_not_the_losses(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exhaustive, "SHARD", 2**10)
    monkeypatch.setattr(exhaustive, "CASE", 2**10)

    class Odd(wrong.Planted):
        def evaluate(self, X: Array, y: Array, W: Array) -> Any:
            made = {"row_loss": network.evaluate(X, y, W).row_loss * X.dtype.type(1.5)}
            return (
                made
                if self.name.endswith("alone")
                else {**dict(zip(("y_hat", "loss"), super().evaluate(X, y, W), strict=False)), **made}
            )

    for name in ("odd", "odd-alone"):
        found = Exhaustive((dtype,)).run(3, subjects(Odd(name, wrong.right)))
        by = by_output(found, f"planted-{name}")
        assert by["row_loss"].wrong_elements > 0
        assert set(by) == ({"row_loss"} if name == "odd-alone" else {"y_hat", "loss", "row_loss"})


def test_a_tally_says_what_the_oracle_says() -> None:
    """Of values all over float32, the saturated ones included."""
    format = FORMATS["float32"]
    for seed in (0x3F80_0000, 0x4180_0000, 0x42A0_0000, 0xC2B0_0000, 0x8000_0000, 0x0000_0001, 0xC43A_0000):
        case = Case("every", seed, (512, 1, 1, 1), dtype="float32")
        judge = Judge(case.problem())
        outcome = run(Direct(load("numpy")), judge)
        want = summarise(case, judge, outcome, best_known(judge))
        for output in exhaustive.MEASURED:
            (exact,) = [summary for cell, summary in want.items() if cell.output == output]
            counted = Tally(judged=True)
            counted.hear(
                getattr(outcome.outputs, output), Exact(getattr(judge.centers, output), format), case.text, 0
            )
            found = counted.summary("any")
            assert found.error is not None
            assert exact.error is not None
            own = Exact(getattr(judge.centers, output), format).own
            assert abs(found.error.value - exact.error.value) <= own + RESOLUTION
            assert found.problems == exact.problems == 512
            nearest = sum(n for key, n in found.errors.items() if key == "zero" or int(key) < -1)
            wanted = sum(n for key, n in exact.errors.items() if key == "zero" or int(key) < -1)
            assert abs(nearest - wanted) <= found.ties


def test_a_tie_is_counted_where_the_reference_leaves_it_open() -> None:
    exact = Exact(np.array([[[1.0]], [[1.0]], [[1.0]]]), FORMATS["float32"])
    ulp = 2.0**-23
    got = np.array([[[1.0]], [[1.0 + ulp / 2]], [[1.0 + ulp]]])  # in float64, which can hold a half
    exact.nearest = exact.nearest.astype(np.float64)
    counted = Tally(judged=True)
    counted.hear(got, exact, "case", 0)
    found = counted.summary("any")
    assert (found.ties, found.errors, found.error and found.error.value) == (
        1,
        {"zero": 1, "-1": 1, "0": 1},
        1.0,
    )


def test_the_reference_of_a_tally_is_as_good_as_it_says() -> None:
    """Its error of every output, from the oracle, in ulp of float32."""
    for seed in (0x3F80_0000, 0x4180_0000, 0x4288_0000, 0xC180_0000, 0xC280_0000):
        judge = Judge(Case("every", seed, (256, 1, 1, 1), dtype="float32").problem())
        best = best_known(judge)
        for output in exhaustive.MEASURED:
            exact = Exact(getattr(judge.centers, output), judge.format)
            off = np.abs((best[output].hi - exact.value) + best[output].lo) * exact.inverse
            assert np.nanmax(off) <= exact.own


@pytest.mark.usefixtures("little")
def test_float32_agrees_in_a_shard_and_its_problems_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "SHARD", 2**18)
    lane = Exhaustive(("float32",))
    shard = 0x4180_0000 // 2**18  # from 16 on
    found = lane.run(shard, subjects(load("numpy"), load("torch")))
    assert not found.faults
    for name in ("numpy", "torch"):
        for summary in by_output(found, name).values():
            assert summary.problems == found.problems == 2**18
            assert sum(summary.errors.values()) == 2**18
    assert {cell.regime for cell in found.cells} == {"saturated_high 16 17"}


@pytest.mark.parametrize("output", exhaustive.MEASURED)
def test_one_wrong_number_of_float32_is_found(monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.setattr(exhaustive, "SHARD", 2**18)

    class Off:
        name, framework, version, dtypes = "off", "numpy", "1", ("float32",)

        def evaluate(self, X: Any, y: Any, W: Any) -> Outputs:
            got = load("numpy").evaluate(X, y, W)
            bad = getattr(got, output).copy()
            bad[W.ravel() == np.float32(1.3)] *= np.float32(1 + 2**-15)
            return got._replace(**{output: bad})

    shard = int(np.array(1.3, np.float32).view(np.uint32)) // 2**18
    found = Exhaustive(("float32",)).run(shard, subjects(Off()))
    assert by_output(found, "off")[output].wrong_elements == 1
    (fault,) = found.faults
    assert fault.what.startswith(f"{output} in float32: 1 of ")
    assert "[0x1.4cccccp+0]" in fault.what
    assert tally.ROUNDINGS == 16


@pytest.mark.usefixtures("little")
def test_a_number_that_nothing_bounds_does_not_hide_the_worst_of_a_mixed_stack() -> None:
    found = Random(1, ("float32",)).run(0, subjects(load("numpy")))
    for summary in by_output(found, "numpy", "mixed").values():
        assert summary.share is not None
        assert 0 < summary.share.value <= 1
        assert summary.elements - summary.unknown >= 4


def test_what_is_lost_to_zero_is_counted_in_float32_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "SHARD", 2**18)
    shard = 0xC2B2_0000 // 2**18  # z = -89: exp overflows, though σ is no zero
    lane = Exhaustive(("float32",))
    found = by_output(lane.run(shard, subjects(load("numpy"))), "numpy")["y_hat"]
    assert found.lost_to_zero == sum(
        int(np.count_nonzero((got == 0) & (np.float32(1) / (1 + np.exp(-W.astype(np.float64))) != 0)))
        for W in [Case("every", shard * 2**18, (2**18, 1, 1, 1), dtype="float32").problem().W]
        for got in [load("numpy").evaluate(np.ones_like(W), np.zeros_like(W), W).y_hat]
    )


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
