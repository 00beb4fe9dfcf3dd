"""A claim of a wide accumulator, against a sum that a narrow one cannot keep."""

from __future__ import annotations

import numpy as np
import pytest

from crosscheck.pool import AdapterPool
from reference.formats import FORMATS

# 1, small, −1 over and over: whoever adds in 16 bits, in this order or in a few lanes, loses a small one
# beside each 1. The sum of all is exact in every format. The shape is one that the suite compiles anyway.
SHAPE = (64, 2, 33)
SMALL = {"float16": 2.0**-12, "bfloat16": 2.0**-9}


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.long
def test_who_claims_a_wide_accumulator_loses_no_small_term(
    pool: AdapterPool, adapter_name: str, dtype: str
) -> None:
    adapter = pool.adapters[adapter_name]
    said = adapter.description
    if dtype not in said.dtypes or said.arithmetic[dtype].u_acc is None or not said.traces:
        pytest.skip(f"{adapter_name} makes no such claim, or cannot show z")
    terms = np.resize([1.0, SMALL[dtype], -1.0], SHAPE)
    X = terms.astype(FORMATS[dtype].dtype)
    W = np.ones((64, 33, 1), X.dtype)
    z = adapter.trace(X, np.zeros((64, 2, 1), X.dtype), W)["z"]
    np.testing.assert_array_equal(z.astype(np.float64), np.full((64, 2, 1), terms[0, 0].sum()))


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16])
def test_a_narrow_accumulator_would_lose_it(dtype: str, lanes: int) -> None:
    narrow = FORMATS[dtype].dtype
    terms = np.resize([1.0, SMALL[dtype], -1.0], SHAPE)[0, 0]
    sums = np.zeros(lanes, narrow)
    for j, term in enumerate(terms.astype(narrow)):
        sums[j % lanes] = sums[j % lanes] + term
    total = narrow.type(0)
    for lane in sums:
        total = total + lane
    assert float(total) != terms.sum()
