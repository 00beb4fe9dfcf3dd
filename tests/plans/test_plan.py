"""The plan of a comparison: enough problems for every cell, and simple cases first."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from crosscheck.cases import SHAPES_ELEMENTWISE, SHAPES_STACKED
from crosscheck.plans.core import PROBLEMS, ROUND, CorePlan
from crosscheck.regimes import REGIMES
from reference.formats import FORMATS


@pytest.mark.parametrize("problems", [1, 7, 100, ROUND, ROUND + 1, PROBLEMS])
def test_every_cell_gets_at_least_its_problems(problems: int) -> None:
    plan = CorePlan(problems=problems)
    counts: Counter[tuple[str, str]] = Counter()
    for case in plan:
        counts[case.dtype, case.regime] += case.shape[0]
    unhosted = sum(shape[0] for _, shape in plan.visits if shape[-2] == 1)
    assert set(counts) == set(itertools.product(FORMATS, REGIMES))
    assert {plan.per_cell - count for count in counts.values()} <= {0, unhosted}
    assert problems <= plan.per_cell < problems + ROUND


def test_the_length_of_a_plan_is_its_number_of_cases() -> None:
    plan = CorePlan(problems=2 * ROUND + 5)
    assert len(plan) == len(list(plan)) == len({case.text for case in plan})


def test_the_default_plan_visits_every_shape_of_the_suite() -> None:
    assert {case.shape for case in CorePlan()} == {*SHAPES_ELEMENTWISE, *SHAPES_STACKED}
    assert CorePlan().is_whole


@pytest.mark.parametrize("plan", [CorePlan(regimes=("zeros",)), CorePlan(problems=7)])
def test_a_plan_that_leaves_something_out_says_so(plan: CorePlan) -> None:
    assert not plan.is_whole


def test_the_first_case_is_one_ordinary_problem_of_the_document() -> None:
    first = next(iter(CorePlan()))
    assert (first.regime, first.shape) == ("ordinary", (1, 1, 3, 1))


def test_rounds_have_seeds_of_their_own() -> None:
    seeds = {case.seed for case in CorePlan(problems=3 * ROUND, seed=11, dtypes=("float32",))}
    assert seeds == {11, 12, 13}


def test_a_regime_that_a_shape_cannot_host_is_named_once() -> None:
    assert len(CorePlan(problems=3 * ROUND).unsupported) == 1
    assert "cancelling at 1x1x1x1" in CorePlan().unsupported[0]
