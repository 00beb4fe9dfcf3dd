"""A layout moves the numbers in memory and changes none of them."""

from __future__ import annotations

import numpy as np
import pytest

from crosscheck.inputs import Case
from reference.formats import FORMATS
from reference.layouts import HUGE, LAYOUTS, arrange
from reference.types import Array, Problem


def problem(dtype: str, shape: tuple[int, ...] = (4, 2, 3, 5)) -> Problem:
    """Every kind of number, NaN included."""
    return Case("non_finite", 5, shape, dtype=dtype).problem()


def assert_same_bytes(got: Problem, want: Problem) -> None:
    """Equal shapes, dtypes and bits."""
    for array, wanted in zip(got, want, strict=True):
        assert (array.shape, array.dtype) == (wanted.shape, wanted.dtype)
        assert array.tobytes() == wanted.tobytes()


def strides(array: Array) -> tuple[int, ...]:
    """The strides in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


@pytest.mark.parametrize("shape", [(4, 2, 3, 5), (2, 3, 5), (2, 2, 1, 3, 1), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_a_copy_of_every_bit(layout: str, dtype: str, shape: tuple[int, ...]) -> None:
    given = problem(dtype, shape)
    got = arrange(given, layout)
    assert_same_bytes(got, given)
    assert not any(np.shares_memory(new, old) for new in got for old in given)


# By layout, the strides in elements of X [4, 2, 3], y [4, 2, 5] and W [4, 3, 5].
IN_ORDER = ((6, 3, 1), (10, 5, 1), (15, 5, 1))
STRIDES = {
    "contiguous": IN_ORDER,
    "transposed": ((6, 1, 2), (10, 1, 2), (15, 1, 3)),
    "strided": ((12, 6, 2), (20, 10, 2), (30, 10, 2)),
    "reversed": ((-6, -3, -1), (-10, -5, -1), (-15, -5, -1)),
    "readonly": IN_ORDER,
    "broadcast": IN_ORDER,
    "offset8": IN_ORDER,
    "offset32": IN_ORDER,
    "transposed_X": ((6, 1, 2), (10, 5, 1), (15, 5, 1)),
    "transposed_W": ((6, 3, 1), (10, 5, 1), (15, 1, 3)),
    "padded": ((10, 5, 1), (14, 7, 1), (21, 7, 1)),
    "table": ((16, 8, 1), (16, 8, 1), (15, 5, 1)),
    "odd_strides": IN_ORDER,
}


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_has_its_strides(layout: str, dtype: str) -> None:
    assert tuple(map(strides, arrange(problem(dtype), layout))) == STRIDES[layout]


def test_slices_that_repeat_are_broadcast_with_stride_zero() -> None:
    repeated = Problem(*(np.full((5, 3, 2), np.nan, dtype=np.float32) for _ in range(3)))
    got = arrange(repeated, "broadcast")
    assert [array.strides for array in got] == [(0, 8, 4)] * 3
    assert_same_bytes(got, repeated)


def test_slices_that_differ_in_the_sign_of_zero_are_not_broadcast() -> None:
    signs = Problem(*(np.array([[[0.0]], [[-0.0]]]) for _ in range(3)))
    assert all(
        array.strides[0] != 0 for layout in ("broadcast", "odd_strides") for array in arrange(signs, layout)
    )


@pytest.mark.parametrize("dtype", FORMATS)
def test_odd_strides_are_zero_where_rows_or_columns_repeat_and_huge_or_negative_where_none_is_used(
    dtype: str,
) -> None:
    row = np.array([[1, -0.0, np.nan]], FORMATS[dtype].dtype)
    given = Problem(np.repeat(row, 2, 0), np.repeat(row[:, :2].T, 1, 1), np.repeat(row.T, 4, 1))
    got = arrange(given._replace(y=given.y[:, :1]), "odd_strides")
    assert tuple(map(strides, got)) == ((0, 1), (1, -HUGE), (1, 0))
    assert_same_bytes(got, given)
    assert strides(arrange(given._replace(X=row, W=row.T), "odd_strides").X) == (HUGE, 1)
    assert not got.X.flags.writeable
    assert got.y.flags.writeable


PHASES = {"contiguous": 0, "readonly": 0, "transposed": 0, "odd_strides": 0, "offset8": 8, "offset32": 32}


@pytest.mark.parametrize(("layout", "remainder"), PHASES.items())
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_layout_has_its_alignment(layout: str, remainder: int, dtype: str) -> None:
    assert {array.ctypes.data % 64 for array in arrange(problem(dtype), layout)} == {remainder}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_readonly_and_repeated_arrays_refuse_writes(layout: str) -> None:
    for array in arrange(problem("float32"), layout):
        assert array.flags.writeable == (layout != "readonly")


def test_the_gaps_of_a_strided_array_hold_nan() -> None:
    got = arrange(Problem(*(np.ones((2, 3)) for _ in range(3))), "strided").X
    gaps = np.lib.stride_tricks.as_strided(got, (2, 6), (got.strides[0], got.itemsize))[:, 1::2]
    assert np.isnan(gaps).all()


@pytest.mark.parametrize("columns", [1, 2, 7, 8])
@pytest.mark.parametrize("dtype", FORMATS)
def test_padded_rows_have_an_odd_length_begin_at_the_second_column_and_lie_among_nan(
    dtype: str, columns: int
) -> None:
    ones = np.ones((3, columns), FORMATS[dtype].dtype)
    got = arrange(Problem(ones, ones, ones), "padded").X
    length = strides(got)[0]
    assert length % 2 == 1
    assert got.ctypes.data % 64 == got.itemsize
    gap = np.lib.stride_tricks.as_strided(
        got[:, -1], (2, length - columns + 1), (got.strides[0], got.itemsize)
    )
    assert np.isnan(gap[:, 1:].astype(np.float64)).all()


@pytest.mark.parametrize("shape", [(4, 2, 3, 5), (7, 3, 1)], ids=str)
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_table_holds_x_and_y_side_by_side_and_then_w(dtype: str, shape: tuple[int, ...]) -> None:
    given = problem(dtype, shape)
    X, y, W = arrange(given, "table")
    assert X.base is y.base is W.base
    rows = np.concatenate([given.X, given.y], -1)
    table = np.lib.stride_tricks.as_strided(X, rows.shape, X.strides)
    assert table.tobytes() == rows.tobytes()
    start = X.ctypes.data
    assert (y.ctypes.data - start, W.ctypes.data - start) == (given.X.shape[-1] * X.itemsize, rows.nbytes)


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"layout 'sideways' is unknown; use one of contiguous, .*table"):
        arrange(problem("float64"), "sideways")
