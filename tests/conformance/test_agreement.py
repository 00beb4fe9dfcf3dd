"""The mission: random X, y and W, and all frameworks agree on ŷ, L and ∂L/∂W."""

from __future__ import annotations

import pytest
from agreement import PINNED, assert_all_agree, explained
from hypothesis import example, given
from hypothesis import strategies as st

from crosscheck.cases import SHAPES_ELEMENTWISE, Literal, parse
from crosscheck.cases.strategies import problems
from crosscheck.panel import Panel
from reference.formats import FORMATS


@pytest.mark.parametrize("dtype", FORMATS)
def test_numpy_torch_and_jax_agree_on_y_hat_loss_and_grad(panel: Panel, dtype: str) -> None:
    drawn = st.sampled_from(SHAPES_ELEMENTWISE).flatmap(lambda shape: problems(FORMATS[dtype], shape))

    @given(case=drawn.map(lambda problem: Literal(dtype, problem.X, problem.y, problem.W)))
    def agree(case: Literal) -> None:
        assert_all_agree(panel, case)

    for text in PINNED:
        case = parse(text)
        if case.dtype == dtype:
            agree = example(case=case)(agree)
    with explained(panel):
        agree()
