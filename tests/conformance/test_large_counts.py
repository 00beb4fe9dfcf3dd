"""torch.nn.MSELoss is a mean: its count, and the gradient by its count, leave the range of float16."""

from __future__ import annotations

import pytest

from adapters import spec_of
from adapters.modes import parse
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.pytest_plugin.matrix_run import MatrixRun


# Where count and count/2 leave the range of float16, and 2/count its normal numbers.
@pytest.mark.long
@pytest.mark.parametrize("rows", [2**15 + 1, 65520, 2**17 + 1])
@pytest.mark.parametrize("regime", ["ordinary", "zeros"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_mean_of_many_squares_is_judged_and_right(
    matrix: MatrixRun, frameworks: frozenset[str], dtype: str, regime: str, rows: int
) -> None:
    if "torch" not in frameworks:
        pytest.skip("torch is left out")
    judge = Judge(Case(regime, 0, (rows, 1, 1), dtype=dtype).problem())
    outcome = evaluate_and_judge(matrix.pool.load(spec_of(parse("torch-module"))), judge)
    assert outcome.failure is None
    assert outcome.disagreeing == ()
    assert outcome.judgements["grad"].judged.all()
