"""The exhaustive sweep has every value once, and its errors are those of the oracle."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sweeps import by_output, in_process

from adapters import load
from crosscheck.inputs import Case
from crosscheck.judging.accuracy import RESOLUTION, exact_values
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.measure import summarise
from crosscheck.results.summary import Cell, Summary, add
from crosscheck.sweep import error_statistics, exhaustive
from crosscheck.sweep.error_statistics import ErrorStatistics, Part, ReferenceValues, well_conditioned
from crosscheck.sweep.exhaustive import Exhaustive, intervals
from crosscheck.sweep.job import ShardResult
from reference import network
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs
from tests.faulty_adapters import wrong


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_intervals_have_every_pattern_once(dtype: str) -> None:
    found = intervals(FORMATS[dtype])
    assert found[0].start == 0
    assert found[-1].stop == 1 << 8 * FORMATS[dtype].dtype.itemsize
    assert all(before.stop == after.start for before, after in itertools.pairwise(found))


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_intervals_of_16_bits_have_together_what_all_values_have(dtype: str) -> None:
    kind, there = Exhaustive((dtype,)), in_process(load("numpy"), load("torch"), load("jax-jit"))
    shards = [kind.run(shard, there) for shard in range(len(kind))]
    cells: dict[Cell, Summary] = {}
    for shard in shards:
        assert not shard.faults
        add(cells, shard.cells)
    found = ShardResult(sum(shard.problems for shard in shards), cells)
    assert found.problems == 3 * 2**16
    for name in there:
        every = by_output(found, name).values()
        assert {summary.problems for summary in every} == {3 * 2**16}
        assert sum(summary.wrong_elements for summary in every) == 0
    case = Case("every", 0, (1 << 16, 1, 1, 1), dtype=dtype)  # the first shard's, at once
    judge = Judge(case.problem())
    values = exact_values(judge)
    for name, adapter in there.items():
        parts = by_output(shards[0], name)
        for cell, whole in summarise(case, judge, evaluate_and_judge(adapter, judge), values).items():
            if cell.output in parts:
                part = parts[cell.output]
                assert (part.lost_to_zero, part.undefined) == (whole.lost_to_zero, whole.undefined)
                assert part.error is not None
                assert whole.error is not None
                assert abs(part.error.value - whole.error.value) <= 2 * RESOLUTION


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_losses_of_rows_are_judged_where_they_are_others(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
        found = Exhaustive((dtype,)).run(3, in_process(Odd(name, wrong.right)))
        by = by_output(found, f"planted-{name}")
        assert by["row_loss"].wrong_elements > 0
        assert set(by) == ({"row_loss"} if name == "odd-alone" else {"y_hat", "loss", "row_loss"})


def test_error_statistics_say_what_the_oracle_says() -> None:
    """Of values all over float32, the saturated ones included."""
    format = FORMATS["float32"]
    for seed in (0x3F80_0000, 0x4180_0000, 0x42A0_0000, 0xC2B0_0000, 0x8000_0000, 0x0000_0001, 0xC43A_0000):
        case = Case("every", seed, (512, 1, 1, 1), dtype="float32")
        judge = Judge(case.problem())
        outcome = evaluate_and_judge(InProcessAdapter(load("numpy")), judge)
        want = summarise(case, judge, outcome, exact_values(judge))
        for output in exhaustive.MEASURED:
            (exact,) = [summary for cell, summary in want.items() if cell.output == output]
            counted = ErrorStatistics()
            one = ReferenceValues(getattr(judge.centers, output), format)
            narrow = well_conditioned(judge, outcome.description.arithmetic["float32"], {output: one})[output]
            part = Part(judge, outcome.description.arithmetic["float32"], output, case.text, 0, "any")
            counted.add(getattr(outcome.outputs, output), one, part, narrow)
            found = counted.summary()
            worst, wanted_worst = found.well_conditioned_error, exact.well_conditioned_error
            assert found.well_conditioned == sum(found.well_conditioned_errors.values()) == narrow.sum()
            assert found.well_conditioned <= exact.well_conditioned
            if found.well_conditioned == exact.well_conditioned > 0:
                assert worst is not None
                assert wanted_worst is not None
                assert abs(worst.value - wanted_worst.value) <= one.bound + RESOLUTION
            assert found.error is not None
            assert exact.error is not None
            bound = ReferenceValues(getattr(judge.centers, output), format).bound
            assert abs(found.error.value - exact.error.value) <= bound + RESOLUTION
            assert found.problems == exact.problems == 512
            nearest = sum(n for key, n in found.errors.items() if key == "zero" or int(key) < -1)
            wanted = sum(n for key, n in exact.errors.items() if key == "zero" or int(key) < -1)
            assert abs(nearest - wanted) <= found.ties


@pytest.mark.long
@pytest.mark.parametrize("changed", [{}, {"flush": True}, {"forward": True}, {"flush": True, "kappa": 64.0}])
def test_what_counts_as_well_conditioned_is_so_by_the_full_set(changed: dict[str, Any]) -> None:
    """And little else is: of all values but those of a few binades at the limit."""
    claims = replace(default_arithmetic(FORMATS["float32"]), **changed)
    count = missed = 0
    for seed in range(0, 2**32, 2**32 // 1024):
        judge = Judge(Case("every", seed, (64, 1, 1, 1), dtype="float32").problem())
        exact = {
            n: ReferenceValues(getattr(judge.centers, n), FORMATS["float32"]) for n in exhaustive.MEASURED
        }
        full = judge.sets(claims)
        for name, narrow in well_conditioned(judge, claims, exact).items():
            want = full[name].well_conditioned(FORMATS["float32"])
            assert not (narrow & ~want).any()
            count += want.sum()
            missed += (want & ~narrow).sum()
    assert missed < count / 100


def test_a_tie_is_counted_where_the_reference_leaves_it_open() -> None:
    exact = ReferenceValues(np.array([[[1.0]], [[1.0]], [[1.0]]]), FORMATS["float32"])
    ulp = 2.0**-23
    got = np.array([[[1.0]], [[1.0 + ulp / 2]], [[1.0 + ulp]]])  # in float64, which can hold a half
    exact.nearest = exact.nearest.astype(np.float64)
    counted = ErrorStatistics()
    judge = Judge(Case("every", 0, (3, 1, 1, 1), dtype="float32").problem())
    part = Part(judge, default_arithmetic(FORMATS["float32"]), "y_hat", "case", 0, "any")
    counted.add(got, exact, part, np.zeros(got.shape, np.bool_))
    found = counted.summary()
    assert (found.ties, found.errors, found.error and found.error.value) == (
        1,
        {"zero": 1, "-1": 1, "0": 1},
        1.0,
    )


def test_the_reference_of_error_statistics_is_as_good_as_it_says() -> None:
    """Its error of every output, from the oracle, in ulp of float32."""
    for seed in (0x3F80_0000, 0x4180_0000, 0x4288_0000, 0xC180_0000, 0xC280_0000):
        judge = Judge(Case("every", seed, (256, 1, 1, 1), dtype="float32").problem())
        values = exact_values(judge)
        for output in exhaustive.MEASURED:
            exact = ReferenceValues(getattr(judge.centers, output), judge.format)
            off = np.abs((values[output].hi - exact.value) + values[output].lo) * exact.inverse
            assert np.nanmax(off) <= exact.bound


@pytest.mark.long
def test_float32_agrees_in_a_shard_and_its_problems_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "SHARD", 2**18)
    kind = Exhaustive(("float32",))
    shard = 0x4180_0000 // 2**18  # from 16 on
    found = kind.run(shard, in_process(load("numpy"), load("torch")))
    assert not found.faults
    for name in ("numpy", "torch"):
        for summary in by_output(found, name).values():
            assert summary.problems == found.problems == 2**18
            assert sum(summary.errors.values()) == 2**18
    assert {cell.regime for cell in found.cells} == {"saturated_high 16 17"}


@pytest.mark.long
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
    found = Exhaustive(("float32",)).run(shard, in_process(Off()))
    assert by_output(found, "off")[output].wrong_elements == 1
    (fault,) = found.faults
    assert fault.what.startswith(f"{output} in float32: 1 of ")
    assert "[0x1.4cccccp+0]" in fault.what
    assert error_statistics.ROUNDINGS == 16


def test_what_is_lost_to_zero_is_counted_in_float32_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "SHARD", 2**18)
    shard = 0xC2B2_0000 // 2**18  # z = -89: exp overflows, though σ is no zero
    kind = Exhaustive(("float32",))
    found = by_output(kind.run(shard, in_process(load("numpy"))), "numpy")["y_hat"]
    assert found.lost_to_zero == sum(
        int(np.count_nonzero((got == 0) & (np.float32(1) / (1 + np.exp(-W.astype(np.float64))) != 0)))
        for W in [Case("every", shard * 2**18, (2**18, 1, 1, 1), dtype="float32").problem().W]
        for got in [load("numpy").evaluate(np.ones_like(W), np.zeros_like(W), W).y_hat]
    )
