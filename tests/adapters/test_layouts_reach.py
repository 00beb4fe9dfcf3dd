"""Layouts reach PyTorch where it can take them; the columns convention exchanges two axes in any memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from adapters.memory import (
    BufferPool,
    distances,
    from_columns,
    memories_of,
    placed,
    swapped,
    to_columns,
)
from crosscheck.inputs import Case
from reference.formats import FORMATS
from reference.layouts import ALIGNMENT, LAYOUTS, arrange
from reference.types import Array, Outputs, Problem

# With one xdist worker: its fixture takes seconds.
pytestmark = pytest.mark.xdist_group("layouts")

# PyTorch has no negative strides, and no tensor that must not be written. NumPy's broadcast arrays must not
# either, but that is for the sake of their strides, which PyTorch has.
COPIED = ("reversed", "readonly", "broadcast of bytes", "odd_strides of y")
CASES = (*LAYOUTS, "broadcast of bytes", "odd_strides of y")
# For each dtype and layout what became of X, whose slices repeat so that it can be broadcast, or of y.
CODE = """
import json, sys, warnings
import numpy as np
from adapters.pytorch.adapter import array, tensor
from reference.formats import FORMATS
from reference.layouts import arrange
from reference.types import Problem

def arranged(values, layout):
    if layout == "broadcast of bytes":  # whose memory is nobody's to write
        first = np.frombuffer(values[:1].tobytes(), values.dtype).reshape(values[:1].shape)
        return np.broadcast_to(first, values.shape)
    name, _, symbol = layout.partition(" of ")
    return getattr(arrange(Problem(values, values, values), name), symbol or "X")

def reached(layout, dtype):
    bits = np.random.default_rng(0).bytes(5 * 7 * dtype.itemsize)  # every kind of number
    values = np.tile(np.frombuffer(bits, dtype).reshape(1, 5, 1, 7), (3, 1, 1, 1))
    given = arranged(values, layout)
    was_writeable = given.flags.writeable
    got = tensor(given.copy() if sys.argv[1] == "copied" else given)
    return {
        "memory": got.data_ptr() == given.__array_interface__["data"][0],
        "strides": [stride * got.element_size() for stride in got.stride()] == list(given.strides),
        "shape": list(got.shape) == list(given.shape),
        "values": array(got).tobytes() == values.tobytes() and array(got).dtype == dtype,
        "input": given.tobytes() == values.tobytes() and given.flags.writeable == was_writeable,
    }

warnings.simplefilter("error")
pairs = [(name, layout) for name in FORMATS for layout in sys.argv[2:]]
json.dump({f"{name}-{layout}": reached(layout, FORMATS[name].dtype) for name, layout in pairs}, sys.stdout)
"""


def reached(how: str) -> dict[str, dict[str, bool]]:
    """What became of every layout in a process that may import torch."""
    command = [sys.executable, "-c", CODE, how, *CASES]
    found: Any = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


@pytest.fixture(scope="module")
def ours() -> dict[str, dict[str, bool]]:
    return reached("ours")


def problem(dtype: str = "float64", shape: tuple[int, ...] = (4, 2, 3, 5)) -> Problem:
    """Every kind of number, NaN included; no two axes have one length."""
    return Case("non_finite", 5, shape, dtype=dtype).problem()


@pytest.mark.long
@pytest.mark.parametrize("layout", CASES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_layout_reaches_torch(ours: dict[str, dict[str, bool]], dtype: str, layout: str) -> None:
    found = ours[f"{dtype}-{layout}"]
    if layout in COPIED:
        assert not found.pop("memory")
        found.pop("strides")
    assert all(found.values()), found


@pytest.mark.long
def test_a_copy_is_found_in_every_layout_that_can_be_taken() -> None:
    found = reached("copied")
    assert [name for name, facts in found.items() if facts["memory"]] == []
    assert {name.partition("-")[2] for name, facts in found.items() if not facts["strides"]} == {
        *("transposed", "transposed_X", "strided", "reversed", "padded", "table"),
        *("broadcast", "broadcast of bytes", "odd_strides", "odd_strides of y"),
    }


@pytest.mark.parametrize("shape", [(4, 2, 3, 5), (1, 1, 3, 1), (7, 3, 2)], ids=str)
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_child_places_arrays_as_they_lie_here(layout: str, dtype: str, shape: tuple[int, ...]) -> None:
    given = arrange(problem(dtype, shape), layout)
    memories = memories_of(given)
    got = placed(BufferPool(), memories, distances(given), FORMATS[dtype].dtype)
    assert memories_of(Problem(**got)) == {name: m._replace(writeable=True) for name, m in memories.items()}
    assert (len(distances(given)) > 1) == (layout == "table")
    for name, distance in distances(given).items():
        assert got[name].ctypes.data - got["X"].ctypes.data == distance


def test_what_lies_far_apart_in_one_array_is_no_block() -> None:
    table = np.ones((1000, 8))
    assert distances(Problem(table[:2, :3], table[:2, 3:4], table[4:7, :1])) == {"X": 0}
    assert distances(Problem(table, table, table)) == {"X": 0, "y": 0, "W": 0}


@pytest.mark.parametrize("layout", ["strided", "padded"])
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_gaps_of_an_array_hold_nan_in_the_child(layout: str, dtype: str) -> None:
    given = arrange(problem(dtype, (7, 3, 2)), layout)
    X = placed(BufferPool(), memories_of(given), distances(given), FORMATS[dtype].dtype)["X"]
    X[...] = 1
    span = np.lib.stride_tricks.as_strided(X, (X.strides[0] // X.itemsize,), (X.itemsize,))
    assert np.isnan(span.astype(np.float64)).sum() == span.size - X.shape[1]


VIEWED = ("transposed", "strided", "reversed", "readonly", "transposed_X", "padded", "table")


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
    given = arrange(problem(dtype), layout)
    y, got = given.y, from_columns(outputs_with(to_columns(given).y)).y_hat
    assert got is not None
    assert (got.shape, got.dtype, got.tobytes()) == (y.shape, y.dtype, y.tobytes())


def test_only_y_hat_has_samples_to_move() -> None:
    given = outputs_with(np.ones((4, 5, 2)))
    got = from_columns(given)
    assert all(a is b for a, b in zip(got[1:], given[1:], strict=True))
    assert from_columns(without := outputs_with(None)) is without


@pytest.mark.parametrize("shape", [(4, 2, 3, 5), (4, 1, 3, 1)], ids=str)
@pytest.mark.parametrize(("layout", "offset"), [("contiguous", 0), ("offset8", 8), ("offset32", 32)])
@pytest.mark.parametrize("dtype", FORMATS)
def test_what_came_contiguous_is_memory_of_its_own_that_begins_as_far_after_a_boundary(
    dtype: str, layout: str, offset: int, shape: tuple[int, ...]
) -> None:
    X = arrange(problem(dtype, shape), layout).X
    got = swapped(X)
    assert got.flags.c_contiguous
    assert got.flags.writeable
    assert got.ctypes.data % ALIGNMENT == X.ctypes.data % ALIGNMENT == offset
    assert not np.shares_memory(got, X)


@pytest.mark.parametrize("layout", VIEWED)
def test_any_other_layout_reaches_the_framework_as_a_view_of_the_same_memory(layout: str) -> None:
    X = arrange(problem(), layout).X
    got = swapped(X)
    assert np.shares_memory(got, X)
    assert got.strides == (*X.strides[:-2], X.strides[-1], X.strides[-2])
    assert got.flags.writeable == X.flags.writeable


def test_a_broadcast_stack_stays_broadcast() -> None:
    repeated = arrange(Problem(*(np.ones((5, 2, 3)) for _ in range(3))), "broadcast").X
    assert swapped(repeated).strides == (0, 8, 24)


def test_odd_strides_of_axes_of_length_1_stay() -> None:
    X, y, _ = arrange(problem(shape=(4, 1, 3, 1)), "odd_strides")
    for array in (X, y):
        assert swapped(array).strides == (array.strides[0], array.strides[2], array.strides[1])
        assert np.shares_memory(swapped(array), array)
