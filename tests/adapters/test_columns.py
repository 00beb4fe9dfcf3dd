"""The columns convention is the same numbers with two axes exchanged, there and back, in whatever memory."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.memory import from_columns, swapped, to_columns
from crosscheck.inputs import Case
from reference.formats import FORMATS
from reference.layouts import ALIGNMENT, LAYOUTS, arrange
from reference.types import Array, Outputs, Problem

VIEWED = ("transposed", "strided", "reversed", "readonly")


def problem(dtype: str = "float64", shape: tuple[int, ...] = (4, 2, 3, 5)) -> Problem:
    """Every kind of number, NaN included; no two axes have one length."""
    return Case("non_finite", 5, shape, dtype=dtype).problem()


def outputs_with(y_hat: Array | None) -> Outputs:
    return Outputs(y_hat, np.ones(4), np.ones((4, 3, 5)), np.ones((4, 2)))


def assert_swapped(got: Array, want: Array) -> None:
    """The same bits, at indices whose last two are exchanged."""
    assert (got.shape, got.dtype) == ((*want.shape[:-2], want.shape[-1], want.shape[-2]), want.dtype)
    assert got.swapaxes(-1, -2).tobytes() == want.tobytes()


@pytest.mark.parametrize("shape", [(2, 3, 5), (4, 2, 3, 5), (2, 4, 2, 3, 5), (4, 1, 3, 1)], ids=str)
@pytest.mark.parametrize("dtype", FORMATS)
def test_samples_become_the_columns_of_x_and_y_and_w_stays(dtype: str, shape: tuple[int, ...]) -> None:
    given = problem(dtype, shape)
    got = to_columns(given)
    assert_swapped(got.X, given.X)
    assert_swapped(got.y, given.y)
    assert got.W is given.W


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FORMATS)
def test_what_goes_there_comes_back_bit_for_bit(dtype: str, layout: str) -> None:
    y = arrange(problem(dtype).y, layout)
    got = from_columns(outputs_with(to_columns(problem(dtype)._replace(y=y)).y)).y_hat
    assert got is not None
    assert (got.shape, got.dtype, got.tobytes()) == (y.shape, y.dtype, y.tobytes())


def test_only_y_hat_has_samples_to_move() -> None:
    given = outputs_with(np.ones((4, 5, 2)))
    got = from_columns(given)
    assert all(a is b for a, b in zip(got[1:], given[1:], strict=True))
    assert from_columns(without := outputs_with(None)) is without


@pytest.mark.parametrize("layout", ["contiguous", "offset8"])
def test_what_came_contiguous_is_contiguous_memory_of_its_own(layout: str) -> None:
    X = arrange(problem().X, layout)
    got = swapped(X)
    assert got.flags.c_contiguous
    assert got.flags.writeable
    assert not np.shares_memory(got, X)


@pytest.mark.parametrize("shape", [(4, 2, 3, 5), (4, 1, 3, 1)], ids=str)
@pytest.mark.parametrize(("layout", "offset"), [("contiguous", 0), ("offset8", 8)])
@pytest.mark.parametrize("dtype", FORMATS)
def test_what_came_contiguous_begins_where_it_began_after_a_boundary(
    dtype: str, layout: str, offset: int, shape: tuple[int, ...]
) -> None:
    X = arrange(problem(dtype, shape).X, layout)
    got = swapped(X)
    assert got.ctypes.data % ALIGNMENT == X.ctypes.data % ALIGNMENT == offset
    assert not np.shares_memory(got, X)


@pytest.mark.parametrize("layout", VIEWED)
def test_any_other_layout_reaches_the_framework_as_a_view_of_the_same_memory(layout: str) -> None:
    X = arrange(problem().X, layout)
    got = swapped(X)
    assert np.shares_memory(got, X)
    assert got.strides == (*X.strides[:-2], X.strides[-1], X.strides[-2])
    assert got.flags.writeable == X.flags.writeable


def test_a_broadcast_stack_stays_broadcast() -> None:
    repeated = arrange(np.ones((5, 2, 3)), "broadcast")
    assert swapped(repeated).strides == (0, 8, 24)
