"""The mission: random X, y and W, and all frameworks agree on ŷ, L and ∂L/∂W.

Hypothesis draws X, y and W; every adapter evaluates them; each output lies in its admissible set.
"""

from __future__ import annotations

import pytest
from agreement import DisagreementError, explained
from hypothesis import example, given
from hypothesis import strategies as st

from crosscheck.inputs import SHAPES_ELEMENTWISE, Literal, parse
from crosscheck.inputs.strategies import problems
from crosscheck.pool import AdapterPool
from reference.formats import FORMATS


@pytest.mark.untraced
@pytest.mark.parametrize("dtype", FORMATS)
def test_numpy_torch_and_jax_agree_on_y_hat_loss_and_grad(pool: AdapterPool, dtype: str) -> None:
    drawn = st.sampled_from(SHAPES_ELEMENTWISE).flatmap(lambda shape: problems(FORMATS[dtype], shape))

    @given(case=drawn.map(lambda problem: Literal(dtype, problem.X, problem.y, problem.W)))
    def agree(case: Literal) -> None:
        result = pool.results(case.problem())  # every adapter evaluates y_hat, loss and grad of X, y and W
        if not result.is_green:  # an output is outside its admissible set, or an adapter broke the contract
            raise DisagreementError(case, result)

    for text in PINNED:
        case = parse(text)
        if case.dtype == dtype:
            agree = example(case=case)(agree)
    with explained(pool):  # a failure names who is wrong, on the smallest X, y and W
        agree()


# Facts about the pinned versions, one smallest case each: implementations differ here, and all are right.
PINNED = (
    "float32:X=[[[0x1p-127]]]:y=[[[0x0p+0]]]:W=[[[0x1p+127]]]",  # subnormal operands: JAX flushes them
    "float32:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[-0x1.6p+6]]]",  # a subnormal ŷ
    "float32:X=[[[0x1p-149]]]:y=[[[0x0p+0]]]:W=[[[inf]]]",  # subnormal times infinity
    "float32:X=[[[0x1p+127,0x1p+127,-0x1p+127,-0x1p+127]]]:y=[[[0x0p+0]]]:W=[[[0x1p+0],[0x1p+0],[0x1p+0],[0x1p+0]]]",
    "float32:X=[[[0x1p+24,0x1p+0,0x1p+0,0x1p+0,-0x1p+24]]]:y=[[[0x0p+0]]]:W=[[[0x1p+0],[0x1p+0],[0x1p+0],[0x1p+0],[0x1p+0]]]",
    "float32:X=[[[0x1p+0]]]:y=[[[0x1.8p+127]]]:W=[[[0x0p+0]]]",  # 2r overflows
    "float32:X=[[[0x1p+0]]]:y=[[[0x1p-1]]]:W=[[[0x0p+0]]]",  # the sign of a zero gradient
    "float32:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[0x1.1p+4]]]",  # z = 17: all return 0, and all are wrong
    "float64:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[0x1.4p+5]]]",  # the same at z = 40
    "float32:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[-0x1.64p+6]]]",  # z = -89, where the literal form gives NaN
    "float64:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[-0x1.63p+9]]]",  # z = -710, the same
    "float32:X=[[[0x1p-125]]]:y=[[[0x1p+100]]]:W=[[[0x0p+0]]]",  # forward mode underflows before r
    "float16:X=[[[0x1p+0]]]:y=[[[0x1.ffcp+15]]]:W=[[[0x0p+0]]]",  # L overflows
    "bfloat16:X=[[[0x1p+0,0x1p+0,0x1p+0]]]:y=[[[nan]]]:W=[[[0x1p+0],[0x1p+0],[0x1p+0]]]",  # NaN propagates
)
