"""The corpus of planted faults: each is one, and healthy adapters pass."""

from __future__ import annotations

from importlib import import_module

import pytest
from witnesses import problem_of, shown_by

from adapters import load_outside
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.contract import contract_violations
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from reference.formats import FORMATS
from tests.planted_faults import FAMILIES, FAULTS, HEALTHY
from tests.planted_faults.fault import Fault

DETECTABLE = [fault for fault in FAULTS.values() if not fault.undetectable]
ADMISSIBLE = [fault for fault in FAULTS.values() if fault.undetectable]
EVERYWHERE = ((16, 7, 3, 2), (2, 3, 33, 1), (20, 3, 2))


def test_every_fault_has_a_name_of_its_own_and_says_what_it_does() -> None:
    written = [f for family in FAMILIES for f in import_module(f"tests.planted_faults.{family}").FAULTS]
    assert len({f.name for f in written} | set(HEALTHY)) == len(written) + len(HEALTHY)
    assert len(FAULTS) >= 120
    assert len(HEALTHY) >= 25
    for fault in (*FAULTS.values(), *HEALTHY.values()):
        assert fault.name.isidentifier()
        assert fault.what.endswith(".")
        assert set(fault.dtypes) <= set(FORMATS)
        assert fault.names or fault.undetectable or fault.family == "healthy"
        assert fault.reference is None or fault.reference.startswith("https://github.com/")


@pytest.mark.parametrize("name", [next(iter(FAULTS)), next(iter(HEALTHY))])
def test_each_is_an_adapter_from_outside_by_its_name(name: str) -> None:
    first, second = (load_outside(f"tests.planted_faults:{name}") for _ in range(2))
    assert first.name == f"planted-{name}"
    assert first is not second


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("fault", DETECTABLE, ids=lambda fault: fault.name)
def test_a_fault_shows_on_its_witness(fault: Fault) -> None:
    assert shown_by(fault)


@pytest.mark.parametrize("fault", ADMISSIBLE, ids=lambda fault: fault.name)
def test_what_cannot_be_detected_is_admissible(fault: Fault) -> None:
    for text in fault.cases():
        problem = problem_of(text, fault.dtypes[0])
        assert not evaluate_and_judge(InProcessAdapter(fault.adapter()), Judge(problem)).disagreeing


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("fault", HEALTHY.values(), ids=lambda fault: fault.name)
def test_a_healthy_adapter_is_within_bounds_and_keeps_the_contract(fault: Fault) -> None:
    for dtype in fault.dtypes:
        adapter = InProcessAdapter(fault.adapter())
        for shape in EVERYWHERE:
            for regime in REGIMES:
                judge = Judge(Case(regime, 3, shape, dtype=dtype).problem())
                outcome = evaluate_and_judge(adapter, judge)
                assert outcome.is_green, (regime, outcome)
                assert set(outcome.judgements) >= {"y_hat", "loss", "grad"}
        assert not contract_violations(adapter, Case("ordinary", 3, EVERYWHERE[0], dtype=dtype).problem())
