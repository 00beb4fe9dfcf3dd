"""What a comparison finds at default effort: faults at some sizes, in some memory, at some values."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import crosscheck

from crosscheck.compare.session import compare
from crosscheck.exit_codes import ExitCode
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.plans.core import core_plan
from crosscheck.plans.plan import cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from tests.faulty_adapters import hidden, wrong

HIDDEN = {name: each for name, each in vars(hidden).items() if isinstance(each, wrong.Planted)}
HEALTHY = ("refuses_many",)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """The default comparison of all of them in float32."""
    adapters = {name: InProcessAdapter(each) for name, each in HIDDEN.items()}
    plan = core_plan(("float32",), names=list(adapters))
    with AdapterPool(adapters, strict=True) as pool:
        results = compare(cases_of(plan.cases, pool.adapters), pool, lambda _: None, measured=plan.measured)
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


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("rows_from_16384", ExitCode.FAILED),
        ("leaves_out_grad", ExitCode.FAILED),
        ("refuses_many", ExitCode.PASSED),
    ],
)
def test_the_command_says_so(tmp_path: Path, name: str, code: ExitCode) -> None:
    target = f"tests.faulty_adapters.hidden:{name}"
    options = ["--only", "numpy", "--dtype", "float32", "--coverage", "--journal", str(tmp_path)]
    found = crosscheck("compare", "--adapter", target, *options)
    assert (found.returncode, found.stderr) == (code, "")
    assert ("refuses by values" in found.stdout) == (name == "leaves_out_grad")
    assert ("too hard (" in found.stdout) == (name == "refuses_many")
