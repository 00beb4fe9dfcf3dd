"""The summary of a run adds up over processes, and says when a run is not green."""

from __future__ import annotations

import pytest

from crosscheck.regimes import REGIMES
from crosscheck.results.run_summary import RunSummary


def run_summary_of(**counts: dict[str, int]) -> RunSummary:
    run_summary = RunSummary()
    run_summary.add(counts)
    return run_summary


def test_accounts_of_several_processes_add_up() -> None:
    one = run_summary_of(problems={"numpy": 2}, not_judged={"numpy bfloat16 loss": 1})
    one.add(run_summary_of(problems={"numpy": 3, "torch": 0}, crashes={"torch: killed": 1}).plain())
    assert list(one.lines()) == [
        "problems: numpy 5, torch 0",
        "not judged: numpy bfloat16 loss, 1 numbers: their sets hold all that they can be",
        "died: torch: killed",
    ]


def test_a_regime_that_nothing_fell_into_is_reported_beside_the_others() -> None:
    first = run_summary_of(regimes={"ordinary": 1200, "zeros": 7})
    first.add(run_summary_of(regimes={"ordinary": 34}).plain())
    counts = {**dict.fromkeys(REGIMES, "0"), "ordinary": "1,234", "zeros": "7"}
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    assert list(first.lines())[-1] == f"judged elements of ŷ by regime: {told}"


@pytest.mark.parametrize(
    ("run_summary", "is_green"),
    [
        (run_summary_of(), True),
        (run_summary_of(answered={"numpy": 1}, judged={"numpy": 1}), True),
        (run_summary_of(answered={"numpy": 1}), False),
        (run_summary_of(answered={"numpy": 1}, judged={"torch": 1}), False),
        (run_summary_of(crashes={"numpy: killed": 1}), False),
        (run_summary_of(no_verdict={"numpy: gave no answer": 1}), False),
        (run_summary_of(answered={"numpy": 1}, judged={"numpy": 1}, tried_again={"numpy: slow": 1}), True),
    ],
    ids=["nothing asked", "judged", "without a verdict", "another judged", "dead", "late", "late once"],
)
def test_a_run_with_a_crash_or_without_a_verdict_is_not_green(
    run_summary: RunSummary, is_green: bool
) -> None:
    assert run_summary.is_green is is_green
