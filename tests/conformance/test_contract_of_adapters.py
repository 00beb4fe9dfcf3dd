"""Every adapter of the run, in every dtype: the contract beyond values."""

from __future__ import annotations

import pytest
from agreement import assert_keeps_the_contract

from adapters import is_ours
from adapters.effort import effort_for
from crosscheck.inputs import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case
from crosscheck.plans.contract import FOR_OUTSIDE, OTHERS
from crosscheck.plans.shapes import LARGE_DTYPES
from crosscheck.pool import AdapterPool
from reference.formats import FORMATS

# `compare` checks the others at default effort, too.
SHAPES = (
    *SHAPES_ELEMENTWISE,
    *SHAPES_STACKED,
    *(pytest.param(shape, marks=pytest.mark.long) for shape in OTHERS),
    *FOR_OUTSIDE,
)
# `compare` checks the contract in all dtypes, too.
DTYPES = [pytest.param(d, marks=[pytest.mark.long] * (d not in LARGE_DTYPES)) for d in FORMATS]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_adapter_keeps_the_contract(
    pool: AdapterPool, adapter_name: str, dtype: str, shape: tuple[int, ...]
) -> None:
    adapter = pool.adapters.get(adapter_name)  # not there if it crashed while it was loaded
    if adapter is not None and dtype not in adapter.description.dtypes:
        pytest.skip(f"{adapter_name} has no {dtype}")
    if shape in FOR_OUTSIDE and is_ours(adapter_name):
        pytest.skip("for adapters from outside")
    if shape in OTHERS and not effort_for(adapter_name).other_shapes:
        pytest.skip(f"{adapter_name} needs seconds for a new shape")
    assert_keeps_the_contract(
        pool, adapter_name, Case(FOR_OUTSIDE.get(shape, "ordinary"), 0, shape, "contiguous", dtype)
    )
