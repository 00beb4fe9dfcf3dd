"""A failing stack is shrunk to the smallest problem that still fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck.explain.shrink import shrink_shape
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from tests.faulty_adapters import wrong


def shape_of(case: Case | Literal) -> tuple[int, ...]:
    """``(*stack, m, n, p)``."""
    problem = case.problem()
    return (*problem.X.shape, problem.W.shape[-1])


def fails(adapter: InProcessAdapter, case: Case | Literal, output: str) -> bool:
    """Whether the output disagrees."""
    return output in evaluate_and_judge(adapter, Judge(case.problem())).disagreeing


def where(condition: Any) -> Any:
    """A gradient whose sign is wrong in the problems for which the condition on X holds."""

    def evaluate(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        return y_hat, loss, np.where(condition(X), -grad, grad)

    return InProcessAdapter(wrong.Planted("conditional", evaluate))


def large(X: Any) -> Any:
    """Problems in which an input is above 4."""
    return (X > 4).any((-2, -1), keepdims=True)


@pytest.mark.parametrize("dtype", wrong.ALL)
def test_a_fault_everywhere_is_shrunk_to_one_number_of_each_array(dtype: str) -> None:
    case = Case("ordinary", 3, (16, 7, 3, 2), dtype=dtype)
    small = shrink_shape(InProcessAdapter(wrong.sign), case, "grad")
    assert shape_of(small) == (1, 1, 1)
    assert fails(InProcessAdapter(wrong.sign), small, "grad")


def test_one_failing_problem_is_found_in_its_stack_and_keeps_what_it_needs() -> None:
    case = Case("ordinary", 3, (64, 4, 5, 2))
    adapter = where(large)
    inside = evaluate_and_judge(adapter, Judge(case.problem())).judgements["grad"].admissible
    problem = int(np.flatnonzero(~inside.all((-2, -1)))[0])
    small = shrink_shape(adapter, case, "grad", problem)
    assert shape_of(small) == (1, 1, 1)
    assert float(small.problem().X.max()) > 4
    assert fails(adapter, small, "grad")


def test_what_needs_two_inputs_keeps_two() -> None:
    case = Case("ordinary", 3, (16, 3, 5, 2))
    assert shape_of(shrink_shape(InProcessAdapter(wrong.transposed), case, "grad"))[-2] == 2


def test_what_fails_only_in_the_stack_is_given_back_whole() -> None:
    def by_size(X: Any) -> Any:
        return np.full((*X.shape[:-2], 1, 1), X.size >= 16 * 3)

    case = Case("ordinary", 3, (16, 1, 3, 1))
    assert shrink_shape(where(by_size), case, "grad") is case


def test_what_fails_in_half_a_stack_is_cut_to_that() -> None:
    def by_size(X: Any) -> Any:
        return np.full((*X.shape[:-2], 1, 1), X.shape[0] >= 4 if X.ndim > 2 else False)

    case = Case("ordinary", 3, (16, 1, 1, 1))
    assert shape_of(shrink_shape(where(by_size), case, "grad")) == (4, 1, 1, 1)


@pytest.mark.parametrize(("needs_layout", "layout"), [(True, "strided"), (False, "contiguous")])
def test_the_simplest_layout_that_fails_stays(needs_layout: bool, layout: str) -> None:
    def evaluate(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        return y_hat, loss, -grad if not (needs_layout and X.flags.c_contiguous) else grad

    case = Case("ordinary", 3, (16, 2, 3, 2), "strided")
    assert shrink_shape(InProcessAdapter(wrong.Planted("laid-out", evaluate)), case, "grad").layout == layout


def test_no_more_evaluations_than_allowed() -> None:
    calls = []

    def counting(X: Any, y: Any, W: Any) -> Any:
        calls.append(X.shape)
        return wrong.scaled(-1)(X, y, W)

    shrink_shape(
        InProcessAdapter(wrong.Planted("counting", counting)),
        Case("ordinary", 3, (16, 7, 3, 2)),
        "grad",
        max_evaluations=3,
    )
    assert len(calls) == 3
