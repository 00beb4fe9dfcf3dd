"""Bound to a layout of memory, or writing to the inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crosscheck.inputs.structured import seed_of
from tests.planted_faults.fault import CONTRACT, INPUTS, LAYOUT, LAYOUTS, Array, Evaluate, Fault
from tests.planted_faults.network import delta_of, gradient, half_squares, healthy

NAMES = (LAYOUT, CONTRACT, "if the arrays are", "changes its input")
FORTRAN = "https://github.com/numpy/numpy-quaddtype/issues/89"
NEGATIVE = "https://github.com/pydata/numexpr/issues/63"
ZERO = "https://github.com/rust-ndarray/ndarray/pull/173"
RELAXED = "https://github.com/cupy/cupy/pull/5205"
CASE = "ordinary:0:16x7x3x2:{}:{{}}"
SMALL = ("ordinary:0:2x7x2x1:contiguous:{}",)
EQUAL_ROWS = seed_of(X="equal_rows")


def laid_out(layout: str) -> tuple[str, ...]:
    """A witness in a layout."""
    return (CASE.format(layout),)


def reading(read: Callable[[Array], Array], which: str = "XyW") -> Callable[[], Evaluate]:
    """Reads some inputs in its own way."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        X, y, W = (read(A) if name in which else A for A, name in zip((X, y, W), "XyW", strict=True))
        return healthy(X, y, W)

    return lambda: evaluate


def wrong_if(condition: Callable[[Array, Array, Array], bool]) -> Callable[[], Evaluate]:
    """Has a gradient off by an eighth where a condition on the memory of the inputs holds."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        y_hat, loss, G = healthy(X, y, W)
        return y_hat, loss, G * G.dtype.type(1.125) if condition(X, y, W) else G

    return lambda: evaluate


def writing(write: Callable[[Array, Array, Array, Any], None]) -> Callable[[], Evaluate]:
    """Writes to its inputs afterwards, where it can."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        outputs = healthy(X, y, W)
        if X.flags.writeable and y.flags.writeable and W.flags.writeable:
            write(X, y, W, outputs)
        return outputs

    return lambda: evaluate


def ignoring_strides(A: Array) -> Array:
    """The numbers that follow each other in memory, if no stride is negative."""
    if A.flags.c_contiguous or min(A.strides, default=0) < 0 or 0 in A.strides:
        return A
    steps = np.cumprod([A.itemsize, *A.shape[:0:-1]])[::-1]
    return np.lib.stride_tricks.as_strided(A, A.shape, tuple(map(int, steps)))


def in_memory_order(A: Array) -> Array:
    """The numbers in the order of memory, whatever the strides are."""
    return np.ravel(A, order="K").reshape(A.shape)


def forwards(A: Array) -> Array:
    """Negative strides taken for positive ones along the last axis."""
    return A[..., ::-1] if A.ndim and A.strides[-1] < 0 else A


def _step(X: Array, y: Array, W: Array, outputs: Any) -> None:
    del X, y
    W -= outputs[2]


def _residual(X: Array, y: Array, W: Array, outputs: Any) -> None:
    del X, W
    y -= outputs[0]


def _clean(X: Array, y: Array, W: Array, outputs: Any) -> None:
    del y, W, outputs
    X[~np.isfinite(X)] = 0


def _refusing(X: Array, y: Array, W: Array) -> Any:
    if not (X.flags.writeable and W.flags.writeable and y.flags.writeable):
        raise ValueError("buffer source array is read-only")
    return healthy(X, y, W)


def _fortran(A: Array) -> bool:
    return A.shape[-1] > 1 and A.shape[-2] > 1 and A.strides[-2] == A.itemsize


def _padded(A: Array) -> bool:
    rows = A.shape[-2] > 1 and A.shape[-1] > 1
    return rows and A.strides[-1] == A.itemsize and A.strides[-2] > A.shape[-1] * A.itemsize


def _expanded(A: Array) -> bool:
    return A.ndim > 2 and A.shape[0] > 1 and A.strides[0] == 0


def _odd_stride(A: Array) -> bool:
    return A.shape[-2] == 1 and A.strides[-2] != A.shape[-1] * A.itemsize and A.strides[-1] == A.itemsize


def _summed(X: Array, y: Array, W: Array) -> Any:
    """The gradient with respect to the one network that an expanded W has, expanded."""
    y_hat, loss, G = healthy(X, y, W)
    return y_hat, loss, np.broadcast_to(G.sum(0), G.shape).copy() if _expanded(W) else G


def _in_place(X: Array, y: Array, W: Array) -> Any:
    """Uses the memory of y for ŷ where nothing forbids it, and puts y back only for short rows."""
    if not y.flags.writeable or y.strides[-1] != y.itemsize:
        return healthy(X, y, W)
    outputs = healthy(X, y, W)
    if y.shape[-2] > 4:
        y[...] = outputs[0]
    return outputs


def _tall(X: Array, y: Array, W: Array) -> Any:
    """The loss lacks the last of 64 or more rows of labels in Fortran order."""
    y_hat, loss, G = healthy(X, y, W)
    if y.shape[-2] >= 64 and _fortran(y):
        loss = half_squares(y[..., :-1, :], y_hat[..., :-1, :])
    return y_hat, loss, G


def _networks_in_memory_order(A: Array) -> Array:
    """The networks in the order of memory, if the first of two stack axes is the inner one there."""
    is_inner = A.ndim == 4 and min(A.shape[:2]) > 1 and A.strides[0] < A.strides[1]
    return A.swapaxes(0, 1).reshape(A.shape) if is_inner else A


def _single(A: Array) -> Array:
    return A.astype(np.float32).astype(A.dtype)


def _one_row(X: Array, y: Array, W: Array) -> Any:
    """The gradient of the first row alone, where a stride of 0 repeats the rows of X."""
    y_hat, loss, G = healthy(X, y, W)
    if X.shape[-2] > 1 and X.strides[-2] == 0:
        p, t = y_hat[..., :1, :], y[..., :1, :]
        G = gradient(X[..., :1, :], delta_of(t, p, p))
    return y_hat, loss, G


def _gradient_in_weights(X: Array, y: Array, W: Array) -> Any:
    y_hat, loss, G = healthy(X, y, W)
    if not W.flags.writeable:
        return y_hat, loss, G
    W[...] = G
    return y_hat, loss, W


def not_in_c_order(A: Array) -> bool:
    """Whether only this array is not in C order."""
    return not A.flags.c_contiguous


FAULTS = [
    Fault("ignores_strides", "Reads numbers that follow each other in memory.", reading(ignoring_strides),
          NAMES,
          LAYOUTS, witness=laid_out("strided")),
    Fault("memory_order", "Reads the numbers in the order of memory: Fortran order for C order.",
          reading(in_memory_order), NAMES, LAYOUTS, witness=laid_out("transposed"), reference=FORTRAN),
    Fault("labels_in_memory_order", "Reads the labels in the order of memory.", reading(in_memory_order, "y"),
          NAMES, LAYOUTS, witness=laid_out("transposed")),
    Fault("weights_in_memory_order", "Reads the weights in the order of memory.", reading(in_memory_order,
          "W"),
          NAMES, LAYOUTS, witness=laid_out("transposed"), reference=FORTRAN),
    Fault("negative_strides", "Takes negative strides of the last axis for positive ones.", reading(forwards,
          "X"),
          NAMES, LAYOUTS, witness=laid_out("reversed"), reference=NEGATIVE),
    Fault("unaligned_by_8", "Is off where X begins 8 bytes after a multiple of 16.",
          wrong_if(lambda X, _y, _W: X.ctypes.data % 16 == 8), NAMES, LAYOUTS, witness=laid_out("offset8")),
    Fault("unaligned_by_32", "Is off where X begins 32 bytes after a multiple of 64.",
          wrong_if(lambda X, _y, _W: X.ctypes.data % 64 == 32), NAMES, LAYOUTS, witness=laid_out("offset32")),
    Fault("only_X_in_fortran_order", "Is off where X alone is in Fortran order.",
          wrong_if(lambda X, _y, W: _fortran(X) and not _fortran(W)), NAMES, LAYOUTS,
          witness=laid_out("transposed_X")),
    Fault("only_W_in_fortran_order", "Is off where W alone is in Fortran order.",
          wrong_if(lambda X, _y, W: _fortran(W) and not _fortran(X)), NAMES, LAYOUTS,
          witness=laid_out("transposed_W")),
    Fault("padded_rows", "Is off where the rows of X have a gap between them.",
          wrong_if(lambda X, _y, _W: _padded(X)), NAMES, LAYOUTS, witness=laid_out("padded")),
    Fault("expanded_weights", "Adds up the gradients where one W serves the stack by a stride of 0.",
          lambda: _summed, NAMES, LAYOUTS, witness=laid_out("broadcast"), reference=ZERO),
    Fault("odd_stride_of_one_row", "Is off where the axis of one row has a stride of its own.",
          wrong_if(lambda X, _y, _W: _odd_stride(X)), NAMES, LAYOUTS,
          witness=("ordinary:0:16x1x3x2:odd_strides:{}",),
          reference=RELAXED),
    Fault("columns_of_one_array", "Is off where X and y are columns of one array.",
          wrong_if(lambda X, y, _W: np.may_share_memory(X, y)), NAMES, LAYOUTS, witness=laid_out("table")),
    Fault("not_contiguous", "Is off where X is not in C order.", wrong_if(lambda X, _y,
          _W: not_in_c_order(X)),
          NAMES, LAYOUTS, witness=laid_out("transposed")),
    Fault("makes_a_step", "Makes a step of gradient descent in W.", writing(_step), NAMES, INPUTS),
    Fault("residual_in_place", "Leaves the residual in y.", writing(_residual), NAMES, INPUTS),
    Fault("cleans_inputs", "Replaces what is not finite in X by 0.", writing(_clean), NAMES, INPUTS,
          witness=("non_finite:0:16x7x3x2:contiguous:{}",)),
    Fault("predictions_in_labels", "Leaves ŷ in y, from five rows on.", lambda: _in_place, NAMES, INPUTS),
    Fault("refuses_read_only", "Raises ValueError for inputs that are read-only.", lambda: _refusing,
          ("read-only", *NAMES), LAYOUTS, witness=laid_out("readonly")),
    Fault("tall_labels_in_fortran_order", "From 64 rows on the loss lacks the last if y is in Fortran order.",
          lambda: _tall, NAMES, LAYOUTS, witness=("ordinary:0:64x3x2:transposed:{}",)),
    Fault("networks_in_memory_order", "Takes the networks of X in the order of memory.",
          reading(_networks_in_memory_order, "X"), NAMES, LAYOUTS,
          witness=("ordinary:0:2x3x2x3x1:contiguous:{}",)),
    Fault("unaligned_in_float32", "Reads X as float32 where it begins at an odd address.",
          reading(lambda A: A if A.flags.aligned else _single(A), "X"), NAMES, LAYOUTS, dtypes=("float64",),
          witness=SMALL),
    Fault("read_only_labels_in_float32", "Reads labels that are read-only as float32.",
          reading(lambda A: A if A.flags.writeable else _single(A), "y"), NAMES, LAYOUTS, dtypes=("float64",),
          witness=laid_out("readonly")),
    Fault("row_repeated_by_stride", "Where a stride of 0 repeats the rows of X, one has a gradient.",
          lambda: _one_row, NAMES, LAYOUTS, witness=(f"structured:{EQUAL_ROWS}:16x16x16:odd_strides:{{}}",)),
    Fault("gradient_in_weights", "Returns the gradient in the memory of W.", lambda: _gradient_in_weights,
          NAMES, INPUTS),
]  # fmt: skip
