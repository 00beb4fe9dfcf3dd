"""Every value of the 16-bit formats as z, with y = 0, ½ and 1, through the core adapters."""

from __future__ import annotations

import pytest
from agreement import assert_all_agree, explained

from crosscheck.inputs import Case
from crosscheck.inputs.sources import LABELS
from crosscheck.pool import AdapterPool


@pytest.mark.parametrize("label", range(len(LABELS)), ids=[f"y={y:g}" for y in LABELS])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_value_of_16_bits_agrees(pool: AdapterPool, dtype: str, label: int) -> None:
    case = Case("every", label << 16, (1 << 16, 1, 1, 1), dtype=dtype)
    with explained(pool):
        assert_all_agree(pool, case)
