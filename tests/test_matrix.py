"""The matrix: every mode of every framework on the cases of the plan, with nothing wrong that is unknown."""

from __future__ import annotations

import pytest

from adapters import Spec
from crosscheck.matrix.hearing import Matrix
from crosscheck.matrix.plan import Item


def assert_agrees(matrix: Matrix, spec: Spec, item: Item) -> None:
    """The mode is judged on every case, and every element that lies outside its set is a known difference."""
    for case in item.cases:
        if spec.name in matrix.dead:
            pytest.fail(f"it died earlier: {matrix.dead[spec.name]}", pytrace=False)
        outcome, explained = matrix.hear(spec, case)
        if not explained.is_green:
            pytest.fail(matrix.complaint(spec, case, outcome), pytrace=False)


def test_a_mode_agrees_at_every_shape_in_every_layout_on_every_kind_of_input(
    matrix: Matrix, spec: Spec, named_item: Item
) -> None:
    assert_agrees(matrix, spec, named_item)


def test_a_combination_of_factors_agrees(matrix: Matrix, spec: Spec, combined_item: Item) -> None:
    assert_agrees(matrix, spec, combined_item)
