"""What a comparison finds at default effort: faults at some sizes, in some memory, at some values."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import crosscheck

from crosscheck.exit_codes import ExitCode
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.plans.core import core_plan
from crosscheck.results.comparison import Comparison
from crosscheck.results.record import Results
from tests.faulty_adapters import hidden, wrong

# With one xdist worker: the fixture takes seconds.
pytestmark = [pytest.mark.xdist_group("default effort"), pytest.mark.long, pytest.mark.untraced]

HIDDEN = {name: each for name, each in vars(hidden).items() if isinstance(each, wrong.Planted)}
HEALTHY = ("refuses_many",)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """All of them on the default cases of a comparison in float32; no error is measured."""
    adapters = {name: InProcessAdapter(each) for name, each in HIDDEN.items()}
    plan, results = core_plan(("float32",), names=list(adapters)), Results(is_measured=False)
    for case in plan.cases:
        judge = Judge(case.problem())
        results.add(case, judge, [evaluate_and_judge(adapter, judge) for adapter in adapters.values()])
    return Comparison(plan, [a.description for a in adapters.values()], results, adapters=adapters)


@pytest.mark.parametrize("name", [name for name in HIDDEN if name not in HEALTHY])
def test_a_hidden_fault_is_found(comparison: Comparison, name: str) -> None:
    adapter = HIDDEN[name].name
    refused = {each.refusal.adapter for each in comparison.refused_by_values}
    assert adapter in {*comparison.disagreeing, *refused}
    assert not comparison.is_green


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_adapter_that_refuses_by_shape_passes_and_its_refusals_are_counted(
    comparison: Comparison, name: str
) -> None:
    adapter = HIDDEN[name].name
    assert adapter not in {*comparison.disagreeing, *comparison.failing}
    assert adapter not in {each.refusal.adapter for each in comparison.refused_by_values}
    (cases,) = (c for r, c in comparison.results.refusals.counted() if r.adapter == adapter)
    assert {shapes for shapes, _ in cases} >= {"rows", "axes"}


@pytest.mark.parametrize("name", ["rows_from_16384", "leaves_out_grad"])
def test_the_command_finds_it(tmp_path: Path, name: str) -> None:
    target = f"tests.faulty_adapters.hidden:{name}"
    options = ["--only", "numpy", "--dtype", "float32", "--coverage", "--journal", str(tmp_path)]
    found = crosscheck("compare", "--adapter", target, *options)
    assert (found.returncode, found.stderr) == (ExitCode.FAILED, "")
    assert ("refuses by values" in found.stdout) == (name == "leaves_out_grad")
    assert "unexplained gaps" not in found.stdout
