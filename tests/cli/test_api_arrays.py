"""What the functions for other people's Python take for an array, and how they refuse the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pytest
from command_line import python

from crosscheck import admissible_sets, compare_adapters, exact_values, judge_outputs, reference_outputs
from crosscheck.inputs import Literal, parse
from crosscheck.judging.judge import Verdict
from reference.formats import FORMATS

ONE: tuple[Any, Any, Any] = ([[1]], [[0.5]], [[2]])


class Tensor:
    """What a tensor of PyTorch is to us: with a graph, perhaps of bfloat16, which NumPy does not get."""

    def __init__(self, array: Any, dtype: str = "torch.float32") -> None:
        self.array, self.dtype = array, dtype

    def detach(self) -> Tensor:
        """Without its graph."""
        return self

    def cpu(self) -> Tensor:
        """From its device."""
        return self

    def float(self) -> Tensor:
        """In float32."""
        return Tensor(self.array.astype(np.float32))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return np.array(self.array, dtype, copy=copy)


class Exchanged:
    """An array that has DLPack only."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class Broken:
    """What says that it turns into an array, and does not."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("on a device that is gone")


HALF = np.array([[0.5, 2.0]], np.float32)


GIVEN: dict[str, Any] = {
    "numbers": [[0.5, 2]],
    "tuples": ((0.5, 2.0),),
    "texts": [["0.5", "2"]],
    "a text": "[[0.5, 0x1p+1]]",
    "decimals": [[Decimal("0.5"), Decimal(2)]],
    "scalars": [[np.float32(0.5), np.int8(2)]],
    "rows": [HALF[0]],
    "an array": HALF,
    "swapped bytes": HALF.astype(">f4"),
    "strides": HALF[:, ::-1].copy()[:, ::-1],
    "a tensor": Tensor(HALF),
    "DLPack": Exchanged(HALF),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_an_array_may_be_lists_decimals_or_what_turns_into_one(given: Any) -> None:
    found = reference_outputs(given, [[1]], [[1], [1]], dtype="float32")
    np.testing.assert_array_equal(found.grad, reference_outputs(HALF, [[1]], [[1], [1]]).grad)


def test_a_tensor_of_bfloat16_is_taken_with_all_its_bits() -> None:
    array = np.array([[0.1]], FORMATS["bfloat16"].dtype)
    found = judge_outputs(Tensor(array, "torch.bfloat16"), [[0]], [[1]], y_hat=[["0.523"]])
    assert found.problem.dtype == "bfloat16"
    assert found.problem.X.tobytes() == array.tobytes()


REAL = """
import jax, jax.numpy as jnp, torch
from crosscheck import judge_outputs

X, y, W = [[0.5, -1.0, 2.0]], [[1.0]], [[0.1], [0.7], [-0.3]]

def on_torch(dtype):
    x, label, w = (torch.tensor(each, dtype=getattr(torch, dtype)) for each in (X, y, W))
    w.requires_grad_(True)
    y_hat = torch.sigmoid(x @ w)
    loss = torch.sum((label - y_hat) ** 2) / 2
    loss.backward()
    return judge_outputs(x, label, w, y_hat=y_hat, loss=loss, grad=w.grad, arithmetic="torch")

def on_jax(dtype):
    with jax.enable_x64(True):
        x, label, w = (jnp.asarray(each, dtype=dtype) for each in (X, y, W))
        loss, grad = jax.value_and_grad(lambda w: jnp.sum((label - jax.nn.sigmoid(x @ w)) ** 2) / 2)(w)
        return judge_outputs(x, label, w, loss=loss, grad=grad, arithmetic="jax")

for dtype in ("float64", "float32", "float16", "bfloat16"):
    for judged in (on_torch(dtype), on_jax(dtype)):
        assert judged.problem.dtype == dtype
        assert judged.within_bounds, str(judged)
"""


@pytest.mark.long
def test_tensors_and_arrays_of_the_frameworks_are_judged_in_every_dtype() -> None:
    ran = python("-W", "error", "-c", REAL)
    assert ran.returncode == 0, ran.stderr


def test_a_decimal_is_rounded_once_as_the_command_rounds_it_and_the_text_says_so() -> None:
    near_a_tie = "1.00000017881393432617187501"  # float64 drops what lies beyond a tie of float32
    found = judge_outputs([[near_a_tie]], [["0.1"]], [[1]], y_hat=[[0.75]], dtype="float32")
    read = parse(f"float32:X=[[{near_a_tie}]]:y=[[0.1]]:W=[[1]]")
    assert isinstance(read, Literal)
    assert found.problem == read
    assert found.text.splitlines()[-1] == read.taken
    assert read.taken.endswith("; 1 more likewise")


def test_a_float_of_python_is_rounded_as_numpy_rounds_it() -> None:
    tie = 1 + 2.0**-24  # the shortest decimal that Python prints for it lies above it
    found = judge_outputs([[tie]], [[0.1]], [[1]], y_hat=[[0.75]], dtype="float32")
    assert [found.problem.X.item(), found.problem.y.item()] == [
        float(np.float32(tie)),
        float(np.float32(0.1)),
    ]
    assert found.problem.taken == ""


@pytest.mark.parametrize(
    ("dtype", "X", "want"),
    [
        (None, [[1]], "float64"),
        ("float16", [[1]], "float16"),
        (None, np.ones((1, 1), np.float32), "float32"),
        (None, np.ones((1, 1), np.int64), "float64"),
        ("bfloat16", np.ones((1, 1), np.uint8), "bfloat16"),
    ],
)
def test_the_dtype_is_that_of_the_arrays_or_the_one_asked_for(dtype: str | None, X: Any, want: str) -> None:
    assert judge_outputs(X, [[1]], [[0]], y_hat=[[0.5]], dtype=dtype).problem.dtype == want


def test_nan_and_infinities_are_numbers_like_any_other() -> None:
    signalling = np.array([[0x7F800001]], np.uint32).view(np.float32)
    for nan in ([["nan"]], [[float("nan")]], signalling):
        found = judge_outputs([[1]], nan, [["-inf"]], loss=float("nan"), y_hat=[[0]], dtype="float32")
        assert found.verdict is not Verdict.OUTSIDE, found
        assert not judge_outputs([[1]], nan, [[1]], loss=0.5, dtype="float32")


def test_arrays_are_left_as_they_are_and_later_changes_do_not_reach_the_result() -> None:
    X, grad = np.ones((1, 1)), np.full((1, 1), 0.25)
    found = judge_outputs(X, [[0]], [[0]], grad=grad)
    X[:], grad[:] = 7, 7
    assert found.grad is not None
    assert (found.problem.X.item(), found.grad.got.item()) == (1, 0.25)


def error_of(got: Any) -> Any:
    """The errors of a gradient of ONE."""
    return exact_values(*ONE).grad.error_in_ulp(got)


ONES: dict[str, Any] = dict(zip("XyW", ONE, strict=True))
values, sets, judge = (partial(each, **ONES) for each in (exact_values, admissible_sets, judge_outputs))
TWO_WEIGHTS = [[1], [1]]
# By name: the function, the arguments that it is given instead of good ones, and what is said of them.
REFUSED: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "no output": (judge, {}, r"nothing to judge; give any of y_hat, loss, grad, row_loss"),
    "shape of an output": (judge, {"grad": [0.1]}, r"grad has shape \(1,\), want \(1, 1\) for this X, y"),
    "shape of the loss": (judge, {"loss": [[0.1]]}, r"loss has shape \(1, 1\), want \(\)"),
    "vectors": (values, {"X": [1]}, r"X has shape \(1,\); use two axes or more"),
    "shapes": (values, {"X": [[1, 2]]}, r"shapes X \(1, 2\), y .* do not fit"),
    "nothing": (values, {"X": np.ones((0, 1))}, r"none of length 0"),
    "ragged": (values, {"X": [[1], [1, 2]]}, r"X is not a rectangular nested list"),
    "no number": (values, {"X": [["one"]]}, r"X holds 'one', which is no number; use hex"),
    "two numbers": (values, {"X": [["1,2"]]}, r"X holds '1,2', which is no number"),
    "truth": (values, {"y": [[True]]}, r"y holds True, which is no number"),
    "truths": (values, {"y": np.array([[True]])}, r"y has dtype bool; use one of float64"),
    "complex": (values, {"y": [[1j]]}, r"y holds 1j, which is no number"),
    "object": (values, {"W": object()}, r"W is of type object; use a nested list or an array"),
    "a broken array": (
        values,
        {"W": Broken()},
        r"W does not turn into a NumPy array: TypeError: on a device",
    ),
    "None": (values, {"y": None}, r"y is of type NoneType; use a nested list or an array"),
    "dtype": (values, {"dtype": "float8"}, r"unknown dtype 'float8'; .* did you mean 'float"),
    "other dtype": (
        values,
        {"X": HALF, "W": TWO_WEIGHTS, "dtype": "float16"},
        r"X has dtype float32, not the float16 that was asked for; convert it first",
    ),
    "two dtypes": (
        judge,
        {"X": HALF, "W": TWO_WEIGHTS, "y_hat": np.ones((1, 1))},
        r"several dtypes: X float32, y_hat float64; convert them to the one that was computed in",
    ),
    "too large": (values, {"X": [["1e39"]], "dtype": "float32"}, r"beyond the largest float32"),
    "too large a float": (values, {"X": [[1e39]], "dtype": "float32"}, r"1e\+39, beyond"),
    "hexadecimal": (
        values,
        {"X": [["0x1.000001p+0"]], "dtype": "float16"},
        r"X\[0, 0\] is 0x1.000001p\+0, which is no float16",
    ),
    "claim": (sets, {"arithmetic": {"flushes": True}}, r"arithmetic is not .*; it has .* flush"),
    "value of a claim": (sets, {"arithmetic": {"kappa": 0}}, r"kappa is 0, want at least 1"),
    "shape of got": (error_of, {"got": [1]}, r"got has shape \(1,\), want \(1, 1\)"),
    "dtype of got": (error_of, {"got": HALF}, r"got has dtype float32, not the float64"),
    "compared dtype": (compare_adapters, {"dtypes": ["float"]}, r"unknown dtype 'float'; use one of"),
    "a text for a list": (
        compare_adapters,
        {"dtypes": "float32"},
        r"dtypes is 'float32'; use a list of names",
    ),
    "compared regime": (compare_adapters, {"regimes": ["odd"]}, r"unknown regime 'odd'; use one of ordinary"),
    "seconds": (compare_adapters, {"timeout": math.nan}, r"timeout is nan; use a number of seconds"),
    "problems": (compare_adapters, {"problems": 0}, r"problems is 0; use 1 or more"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_a_value_error_of_one_clear_line(name: str) -> None:
    function, given, why = REFUSED[name]
    with pytest.raises(ValueError, match=why) as refused:
        function(**given)
    assert "\n" not in str(refused.value)
