"""The lane of regimes has the cells of a comparison."""

from __future__ import annotations

import pytest
from planted import wrong
from sweeps import by_output, subjects

from adapters import load
from crosscheck.comparison.engine import Record
from crosscheck.comparison.plan import ROUND
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences
from crosscheck.sweep.regimes import Regimes
from crosscheck.trial import run


@pytest.mark.long
def test_a_round_of_regimes_has_the_cells_of_a_comparison() -> None:
    narrow = wrong.Planted("narrow", wrong.right, "float64")
    there = subjects(load("numpy"), load("torch-literal"), narrow)
    lane = Regimes(ROUND, ("float32",), ("ordinary", "saturated_low"))
    record = Record(known=KnownDifferences.shipped())
    for case in lane.cases(0):
        judge = Judge(case.problem())
        record.hear(case, judge, [run(subject, judge) for subject in there.values()])
    found = lane.run(0, there)
    assert not found.faults
    assert found.cells == record.summaries
    assert any(summary.known for summary in found.cells.values())


def test_a_round_of_regimes_tells_what_is_wrong_with_its_smallest_case() -> None:
    found = Regimes(ROUND, ("float64",), ("ordinary",)).run(0, subjects(wrong.missing_one_minus))
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


def test_the_last_round_of_regimes_has_no_more_cases_than_were_asked_for() -> None:
    lane = Regimes(2 * ROUND + 5, ("float64",), ("ordinary",))
    assert [lane.problems(shard) for shard in range(len(lane))] == [ROUND, ROUND, 7]
    assert lane.problems(2) == sum(case.shape[0] if len(case.shape) == 4 else 1 for case in lane.cases(2))
    assert len(Regimes(1, ("float64",), ("ordinary",)).cases(0)) == 1
