"""State: results that depend on calls before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import COMMON, CONTRACT, REPEAT, STATE, THREADS, Array, Evaluate, Fault
from tests.planted_faults.network import gradient, healthy, matmul, sigmoid, transpose

NAMES = (CONTRACT, "call")
BLAS = "https://github.com/OpenMathLib/OpenBLAS/issues/1755"
SAME_W = (
    "float64:X=[[1]]:y=[[0]]:W=[[0x1p-1]]",
    "float64:X=[[3]]:y=[[0]]:W=[[0x1p-1]]",
)
ONE = "ordinary:0:7x3x2:contiguous:{}"
TWO = (ONE, "ordinary:1:7x3x2:contiguous:{}")


def cached(key: Callable[[Array, Array, Array], Any]) -> Callable[[], Evaluate]:
    """Makes the right network, which computes once for every key."""

    def make() -> Evaluate:
        seen: dict[Any, Any] = {}

        def evaluate(X: Array, y: Array, W: Array) -> Any:
            mark = key(X, y, W), X.shape, W.shape, X.dtype
            if mark not in seen:
                seen[mark] = healthy(X, y, W)
            return seen[mark]

        return evaluate

    return make


def counting(wrong: Callable[[int], bool], change: Callable[[Array, int], Array]) -> Callable[[], Evaluate]:
    """Makes the right network with another gradient at some calls, which are counted from 1."""

    def make() -> Evaluate:
        calls = 0

        def evaluate(X: Array, y: Array, W: Array) -> Any:
            nonlocal calls
            calls += 1
            y_hat, loss, G = healthy(X, y, W)
            return y_hat, loss, change(G, calls) if wrong(calls) else G

        return evaluate

    return make


def times(factor: float) -> Callable[[Array, int], Array]:
    return lambda G, _: G * G.dtype.type(factor)


def _late() -> Evaluate:
    last: dict[Any, Any] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        key, found = (X.shape, W.shape, X.dtype), healthy(X, y, W)
        before = last.get(key, found)
        last[key] = found
        return before

    return evaluate


def _accumulating() -> Evaluate:
    sums: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        y_hat, loss, G = healthy(X, y, W)
        key = W.shape, W.dtype
        sums[key] = sums[key] + G if key in sums else G
        return y_hat, loss, sums[key].copy()

    return evaluate


def _one_buffer() -> Evaluate:
    buffers: dict[Any, Any] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        found = healthy(X, y, W)
        kept = buffers.setdefault((X.shape, W.shape, X.dtype), tuple(map(np.array, found)))
        for buffer, new in zip(kept, found, strict=True):
            buffer[...] = new
        return kept

    return evaluate


def _narrowest() -> Evaluate:
    found: list[Any] = []

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        found.append(X.dtype)
        least = min(found, key=lambda dtype: dtype.itemsize)
        outputs = healthy(*(A.astype(least) for A in (X, y, W)))
        return tuple(np.asarray(A).astype(X.dtype) for A in outputs)

    return evaluate


def _stale_weights() -> Evaluate:
    """W is that of the call before if the shapes are equal: a prefetch that comes late."""
    last: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        key = X.shape, W.shape, W.dtype
        used, last[key] = last.get(key, W), W.copy()
        return healthy(X, y, used)

    return evaluate


def _training() -> Evaluate:
    """Its weights have made a step of gradient descent since the call before."""
    step: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        key = W.shape, W.dtype
        moved = W - W.dtype.type(1e-3) * step[key] if key in step else W
        found = healthy(X, y, moved)
        step[key] = np.nan_to_num(found[2])
        return found

    return evaluate


def _running_mean() -> Evaluate:
    """X minus a running mean of X over all calls, as batch normalisation keeps one."""
    means: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        key = X.shape[-1], X.dtype
        mean = means.get(key, np.zeros(X.shape[-1], X.dtype))
        new = np.nan_to_num(np.clip(X, -10, 10)).reshape(-1, X.shape[-1]).mean(0)
        means[key] = (mean * X.dtype.type(0.9) + new * X.dtype.type(0.1)).astype(X.dtype)
        return healthy(X - mean, y, W)

    return evaluate


def _first_rows() -> Evaluate:
    """Keeps the number of rows of the first call for every call."""
    seen: list[int] = []

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        seen.append(X.shape[-2])
        y_hat, loss, G = healthy(X, y, W)
        m = seen[0]
        if X.shape[-2] > m:
            p, t = y_hat[..., :m, :], y[..., :m, :]
            G = gradient(X[..., :m, :], (p - t) * p * (1 - p))
        return y_hat, loss, G

    return evaluate


def _scratch() -> Evaluate:
    """Shares a scratch array between threads that call at once."""
    scratch: dict[str, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        scratch["z"] = matmul(X, W)
        time.sleep(0.0005)
        p = sigmoid(scratch["z"])
        if p.shape != y.shape or p.dtype != y.dtype:
            p = sigmoid(matmul(X, W))
        r = y - p
        return p, (r * r).sum((-2, -1)) * y.dtype.type(0.5), matmul(transpose(X), -r * p * (1 - p))

    return evaluate


FAULTS = [
    Fault("returns_last_call", "Returns what the call before has computed, as one buffer for two does.",
          _late, NAMES, REPEAT, witness=TWO),
    Fault("cached_by_shape", "Computes once for every shape.", cached(lambda *_: 0), NAMES, STATE,
          witness=TWO),
    Fault("cached_by_address", "Computes once for every address of X.", cached(lambda X, _y,
          _W: X.ctypes.data),
          NAMES, STATE, witness=("the same memory",)),
    Fault("cached_by_first_element", "Computes once for every first element of X and W.",
          cached(lambda X, _y, W: (float(X.flat[0]), float(W.flat[0]))), NAMES, STATE,
          witness=("float64:X=[[1,2]]:y=[[0]]:W=[[1],[1]]", "float64:X=[[1,3]]:y=[[0]]:W=[[1],[1]]")),
    Fault("cached_by_weights", "Computes once for the same weights, whatever X is.",
          cached(lambda _X, _y, W: W.tobytes()), NAMES, STATE, witness=SAME_W),
    Fault("cached_without_labels", "Computes once for the same X and W, whatever y is.",
          cached(lambda X, _y, W: (X.tobytes(), W.tobytes())), NAMES, STATE,
          witness=("float64:X=[[1]]:y=[[0]]:W=[[1]]", "float64:X=[[1]]:y=[[1]]:W=[[1]]")),
    Fault("accumulates", "Adds up the gradients of all calls with one shape.", _accumulating, NAMES,
          STATE, witness=TWO),
    Fault("second_call", "Every second call has a gradient off by 10⁻³.",
          counting(lambda n: n % 2 == 0, times(1.001)), NAMES, STATE, witness=TWO),
    Fault("from_tenth_call", "From the tenth call on the gradient is off by 10⁻³.",
          counting(lambda n: n >= 10, times(1.001)), NAMES, STATE, witness=TWO * 5),
    Fault("hundredth_call", "Every hundredth call has a NaN in its gradient.",
          counting(lambda n: n % 100 == 0, lambda G, _: G * np.nan), NAMES, STATE, witness=TWO * 50),
    Fault("thousandth_call", "The gradient of the thousandth call is off by 10⁻³.",
          counting(lambda n: n == 1000, times(1.001)), NAMES, STATE, witness=TWO * 500),
    Fault("first_call", "The gradient of the first call is doubled.", counting(lambda n: n == 1, times(2)),
          NAMES,
          STATE, witness=(ONE,)),
    Fault("counts_calls", "Adds 2⁻⁴⁰ for every call to the gradient.",
          counting(lambda _: True, lambda G, n: G + G.dtype.type(n * 2.0**-40)), NAMES, REPEAT),
    Fault("narrowest_dtype", "Computes in the narrowest dtype of all calls so far.", _narrowest, NAMES,
          STATE, witness=("ordinary:0:7x3x2:contiguous:float32", "ordinary:0:7x3x2:contiguous:float64")),
    Fault("one_buffer", "Returns the same arrays for every call of one shape.", _one_buffer, NAMES,
          REPEAT),
    Fault("stale_weights", "Uses the weights of the call before with these shapes.", _stale_weights,
          NAMES, STATE, witness=TWO),
    Fault("trains", "Its weights move with every call.", _training, NAMES, STATE, witness=TWO),
    Fault("running_mean", "Subtracts a running mean from X.", _running_mean, NAMES, STATE,
          witness=COMMON * 2),
    Fault("rows_of_first_call", "Takes as many rows as the first call had.", _first_rows, NAMES, STATE,
          witness=("ordinary:0:1x3x2:contiguous:{}", "ordinary:1:7x3x2:contiguous:{}")),
    Fault("shared_scratch", "Threads that call at once share a scratch array.", _scratch, NAMES, THREADS,
          reference=BLAS),
]  # fmt: skip
