"""The sweep of regimes has the cells of a comparison."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sweeps import by_output, in_process

from adapters import load
from crosscheck.comparison.plan import ROUND
from crosscheck.evaluation import evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.results.known import KnownDifferences
from crosscheck.results.record import Results
from crosscheck.results.summary import Cell, Summary
from crosscheck.sweep.job import ENCODER
from crosscheck.sweep.regimes import Regimes
from tests.faulty_adapters import wrong


def as_json(cells: Mapping[Cell, Summary]) -> dict[Cell, bytes]:
    """The summaries as workers send them."""
    return {cell: ENCODER.encode(summary) for cell, summary in cells.items()}


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
    assert len(Regimes(1, ("float64",), ("ordinary",)).cases(0)) == 1
