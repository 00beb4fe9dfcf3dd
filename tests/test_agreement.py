"""The mission: random X, y and W, and all frameworks agree on ŷ, L and ∂L/∂W."""

from __future__ import annotations

import pytest
from agreement import PINNED, assert_all_agree, explained
from hypothesis import example, given
from hypothesis import strategies as st

from crosscheck.cases import SHAPES_ELEMENTWISE, Literal, parse
from crosscheck.cases.strategies import problems
from crosscheck.pool import AdapterPool
from reference.formats import FORMATS


@pytest.mark.parametrize("dtype", FORMATS)
def test_numpy_torch_and_jax_agree_on_y_hat_loss_and_grad(pool: AdapterPool, dtype: str) -> None:
    drawn = st.sampled_from(SHAPES_ELEMENTWISE).flatmap(lambda shape: problems(FORMATS[dtype], shape))

    @given(case=drawn.map(lambda problem: Literal(dtype, problem.X, problem.y, problem.W)))
    def agree(case: Literal) -> None:
        assert_all_agree(pool, case)

    for text in PINNED:
        case = parse(text)
        if case.dtype == dtype:
            agree = example(case=case)(agree)
    with explained(pool):
        agree()
