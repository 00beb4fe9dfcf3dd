"""One element of an output: its exact value."""

from __future__ import annotations

import numpy as np
import pytest

from crosscheck.explain.element import Element
from crosscheck.inputs import Case
from crosscheck.judging.judge import Judge
from reference import oracle
from reference.formats import FORMATS


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("output", ["y_hat", "loss", "row_loss", "grad"])
@pytest.mark.parametrize(
    ("regime", "shape"),
    [("ordinary", (5, 3, 2)), ("non_finite", (2, 5, 3, 2)), ("overflow", (2, 2, 5, 3, 2))],
)
def test_the_exact_value_of_an_element_is_that_of_the_whole_problem(
    regime: str, shape: tuple[int, ...], output: str, dtype: str
) -> None:
    judge = Judge(Case(regime, 2, shape, dtype=dtype).problem())
    whole = getattr(oracle.evaluate(*judge.problem), output)
    for index in np.ndindex(whole.shape):
        ball = Element(judge, output, index).ball
        found, want = (oracle.to_floats(np.array(each, dtype=object)) for each in (ball, whole[index]))
        assert np.array_equal(found, want, equal_nan=True), index
