"""The plan of a comparison: enough problems for every cell, and simple cases first."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from crosscheck.inputs import SHAPES_ELEMENTWISE, SHAPES_STACKED
from crosscheck.inputs.regimes import REGIMES
from crosscheck.plans.core import PROBLEMS, ROUND, core_cases, core_plan, problems_per_cell, rounds
from crosscheck.plans.covering import covering_cases
from crosscheck.plans.plan import Plan
from reference.formats import FORMATS


@pytest.mark.parametrize("problems", [1, 7, 100, ROUND, ROUND + 1, 2 * PROBLEMS])
def test_every_cell_gets_at_least_its_problems(problems: int) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for case in core_cases(tuple(FORMATS), tuple(REGIMES), problems):
        counts[case.dtype, case.regime] += case.shape[0]
    unhosted = sum(shape[0] for shapes in rounds(problems) for shape in shapes if shape[-2] == 1)
    most = problems_per_cell(problems)
    assert set(counts) == set(itertools.product(FORMATS, REGIMES))
    assert {most - count for count in counts.values()} <= {0, unhosted}
    assert problems <= most < problems + ROUND


def test_a_plan_has_each_of_its_cases_once() -> None:
    plan, cases = core_plan(problems=2 * ROUND + 5), core_cases(tuple(FORMATS), tuple(REGIMES), 2 * ROUND + 5)
    assert list(plan.cases) == [*cases, *covering_cases(tuple(FORMATS))]
    assert len(plan.cases) == len({case.text for case in plan.cases})


def test_the_default_plan_visits_every_shape_of_the_suite() -> None:
    assert {case.shape for case in core_plan().cases} > {*SHAPES_ELEMENTWISE, *SHAPES_STACKED}
    assert core_plan().is_whole


@pytest.mark.parametrize("plan", [core_plan(regimes=("zeros",)), core_plan(problems=7)])
def test_a_plan_that_leaves_something_out_says_so(plan: Plan) -> None:
    assert not plan.is_whole


def test_the_first_case_is_one_ordinary_problem_of_the_document() -> None:
    first = next(iter(core_plan().cases))
    assert (first.regime, first.shape) == ("ordinary", (1, 1, 3, 1))


def test_rounds_have_seeds_of_their_own() -> None:
    seeds = {case.seed for case in core_cases(("float32",), tuple(REGIMES), 3 * ROUND, 11)}
    assert seeds == {11, 12, 13}


def test_a_regime_that_a_shape_cannot_host_is_named_once() -> None:
    assert len(core_plan(problems=3 * ROUND).unsupported) == 1
    assert "cancelling at 1x1x1x1" in core_plan().unsupported[0]
