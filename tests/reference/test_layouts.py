"""A layout moves the numbers in memory and changes none of them."""

from __future__ import annotations

import numpy as np
import pytest

from crosscheck.inputs import Case
from reference.formats import FORMATS
from reference.layouts import LAYOUTS, arrange
from reference.types import Array


def _array(dtype: str) -> Array:
    """Every kind of number, NaN included."""
    return Case("non_finite", 5, (4, 2, 3, 2), dtype=dtype).problem().X


def assert_same_bytes(got: Array, want: Array) -> None:
    """Equal shape, dtype and bits."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_a_copy_of_every_bit(layout: str, dtype: str) -> None:
    array = _array(dtype)
    got = arrange(array, layout)
    assert_same_bytes(got, array)
    assert not np.shares_memory(got, array)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(
    ("layout", "strides"),
    [
        ("contiguous", (6, 3, 1)),
        ("transposed", (6, 1, 2)),
        ("strided", (12, 6, 2)),
        ("reversed", (-6, -3, -1)),
        ("readonly", (6, 3, 1)),
        ("broadcast", (6, 3, 1)),
        ("offset8", (6, 3, 1)),
    ],
)
def test_a_layout_has_its_strides(layout: str, strides: tuple[int, ...], dtype: str) -> None:
    got = arrange(_array(dtype), layout)
    assert tuple(stride // got.itemsize for stride in got.strides) == strides


def test_slices_that_repeat_are_broadcast_with_stride_zero() -> None:
    repeated = np.full((5, 3, 2), np.nan, dtype=np.float32)
    got = arrange(repeated, "broadcast")
    assert got.strides == (0, 8, 4)
    assert_same_bytes(got, repeated)


def test_slices_that_differ_in_the_sign_of_zero_are_not_broadcast() -> None:
    assert arrange(np.array([[[0.0]], [[-0.0]]]), "broadcast").strides[0] != 0


@pytest.mark.parametrize(("layout", "remainder"), [("contiguous", 0), ("readonly", 0), ("offset8", 8)])
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_layout_has_its_alignment(layout: str, remainder: int, dtype: str) -> None:
    assert arrange(_array(dtype), layout).ctypes.data % 64 == remainder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_readonly_and_repeated_arrays_refuse_writes(layout: str) -> None:
    assert arrange(_array("float32"), layout).flags.writeable == (layout != "readonly")


def test_the_gaps_of_a_strided_array_hold_nan() -> None:
    got = arrange(np.ones((2, 3)), "strided")
    gaps = np.lib.stride_tricks.as_strided(got, (2, 6), (got.strides[0], got.itemsize))[:, 1::2]
    assert np.isnan(gaps).all()


def test_a_single_problem_has_every_layout() -> None:
    array = np.arange(6.0).reshape(2, 3)
    for layout in LAYOUTS:
        assert_same_bytes(arrange(array, layout), array)


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"layout 'sideways' is unknown; use one of contiguous, .*offset8"):
        arrange(np.ones((1, 1)), "sideways")
