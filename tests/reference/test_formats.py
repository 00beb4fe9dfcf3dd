"""The formats against what NumPy and ml_dtypes say of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from reference.formats import FORMATS, format_of


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_the_numbers_of_its_dtype(name: str) -> None:
    format = FORMATS[name]
    known = ml_dtypes.finfo(format.dtype)  # type: ignore[no-untyped-call]
    assert format_of(np.zeros(1, format.dtype)) is format
    assert format.precision == known.nmant + 1
    assert format.e_min == known.minexp
    assert format.largest == float(known.max)
    assert format.least_normal == float(known.smallest_normal)
    assert format.least_subnormal == float(known.smallest_subnormal)
    assert 2 * format.u == float(known.eps)


def test_another_dtype_is_refused_by_its_name_with_the_formats_that_there_are() -> None:
    sentence = "^dtype int64 is not a format of the suite; use one of float64, float32, float16, bfloat16$"
    with pytest.raises(TypeError, match=sentence):
        format_of(np.zeros(1, np.int64))
