"""A mode with a name keeps the metamorphic relations, and the contract, and answers on an empty axis."""

from __future__ import annotations

import numpy as np
import pytest
from relations import RELATIONS, VacuousError

from adapters import NAMED, Spec
from adapters.modes import parse
from crosscheck.inputs import Case
from crosscheck.judging.contract import check_repeatability
from crosscheck.plans.shapes import DOCUMENT, MIXED
from crosscheck.pytest_plugin.matrix_run import MatrixRun
from reference.formats import FORMATS
from reference.types import Outputs, Problem

EMPTY = {"stack": (0, 2, 3, 2), "m": (2, 0, 3, 2), "n": (2, 2, 0, 2), "p": (2, 2, 3, 0)}


def dtype_by_turns(spec: Spec) -> str:
    """One dtype for each mode, so that a relation costs a compiled mode one more program."""
    return tuple(FORMATS)[(NAMED.index(spec.name) if spec.name in NAMED else 0) % len(FORMATS)]


def is_hazard(spec: Spec) -> bool:
    return spec.name in NAMED and parse(spec.name).is_hazard


@pytest.mark.untraced
@pytest.mark.parametrize("relation", RELATIONS)
def test_a_mode_keeps_the_relations_of_the_network(
    matrix: MatrixRun, named_spec: Spec, relation: str
) -> None:
    if is_hazard(named_spec):
        pytest.skip("a hazard is expected to leave the sets that the relations are checked with")
    case = Case("mixed", 1, MIXED, dtype=dtype_by_turns(named_spec))
    try:
        found = RELATIONS[relation].violations(matrix.pool.load(named_spec), case)
    except (VacuousError, NotImplementedError) as reason:
        pytest.skip(str(reason))
    assert found == []


@pytest.mark.untraced
def test_a_mode_gives_the_same_bits_twice_and_nothing_of_another_call(
    matrix: MatrixRun, named_spec: Spec
) -> None:
    case = Case("ordinary", 1, DOCUMENT[0], dtype=dtype_by_turns(named_spec))
    assert check_repeatability(matrix.pool.load(named_spec), case.problem()) == []


def answer_of(shape: tuple[int, ...]) -> Outputs:
    """What the network returns for y = 1 where an axis is empty: sums of nothing are 0, and σ(0) is ½."""
    stack, m, n, p = shape
    y_hat = np.full((stack, m, p), 0.5, np.float32)
    loss, row_loss = np.full((stack,), 0.125 * m * p, np.float32), np.full((stack, m), 0.125 * p, np.float32)
    return Outputs(y_hat, loss, np.zeros((stack, n, p), np.float32), row_loss)


@pytest.mark.untraced
@pytest.mark.parametrize("axis", EMPTY)
def test_a_mode_answers_where_an_axis_is_empty_or_says_why_not(
    matrix: MatrixRun, named_spec: Spec, axis: str
) -> None:
    stack, m, n, p = EMPTY[axis]
    shapes = ((stack, m, n), (stack, m, p), (stack, n, p))
    problem = Problem(*(np.ones(shape, np.float32) for shape in shapes))
    try:
        outputs = matrix.pool.load(named_spec).evaluate(*problem)
    except NotImplementedError as refusal:
        if not str(refusal):
            pytest.fail("it does not say why not")
        return
    for got, want in zip(outputs, answer_of(EMPTY[axis]), strict=True):
        if got is not None:
            np.testing.assert_array_equal(got, want, strict=True)
