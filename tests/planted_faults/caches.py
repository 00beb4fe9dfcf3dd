"""What is kept between calls: caches, buffers and counts of calls, for some shapes or some inputs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import COMMON, FORWARD, LOSS, REPEAT, STATE, Array, Evaluate, Fault
from tests.planted_faults.network import (
    delta_of,
    evaluate_with,
    gradient,
    half_squares,
    healthy,
    matmul,
)
from tests.planted_faults.state import NAMES, ONE, counting, times


def recalled(key: Callable[[Array], Any]) -> Callable[[], Evaluate]:
    """Makes the right network, which returns copies of what it has computed for such arrays before."""

    def make() -> Evaluate:
        seen: dict[Any, Any] = {}

        def evaluate(X: Array, y: Array, W: Array) -> Any:
            mark = tuple((A.shape, A.dtype, key(A)) for A in (X, y, W))
            if mark not in seen:
                if len(seen) >= 200:
                    seen.clear()
                seen[mark] = healthy(X, y, W)
            return tuple(map(np.array, seen[mark]))

        return evaluate

    return make


def _by_value() -> Evaluate:
    """Keeps results by the values of small arrays, whatever their dtype."""
    seen: dict[Any, Any] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        if X.size + y.size + W.size > 64:
            return healthy(X, y, W)
        mark = tuple((A.shape, A.astype(np.float64).tobytes()) for A in (X, y, W))
        outputs: Any = seen.setdefault(mark, healthy(X, y, W))
        return tuple(np.array(output, dtype=X.dtype) for output in outputs)

    return evaluate


def _plans() -> Evaluate:
    """Keeps the number of outputs by m·p and n."""
    plans: dict[tuple[int, int], int] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        m, p = y.shape[-2:]
        count = plans.setdefault((m * p, X.shape[-1]), p)
        y_hat, _, grad = healthy(X, y, W)
        return y_hat, half_squares(y[..., :count], y_hat[..., :count]), grad

    return evaluate


def _sum_of(A: Array) -> Any:
    is_moderate = A.size < 1 << 14 and (abs(A) < 1e300).all()
    return math.fsum(A.ravel()) if is_moderate else A.tobytes()


def from_number(
    limit: int, key: Callable[[Array, Array, Array], Any], *, is_distinct: bool = False
) -> Callable[[], Evaluate]:
    """Makes the right network, whose loss lacks the last output from a number of calls with one key on.

    With `is_distinct` the number is that of the keys so far.
    """

    def make() -> Evaluate:
        counts: dict[Any, int] = {}

        def evaluate(X: Array, y: Array, W: Array) -> Any:
            mark = key(X, y, W)
            counts[mark] = counts.get(mark, 0) + 1
            p, loss, G = healthy(X, y, W)
            if (len(counts) if is_distinct else counts[mark]) >= limit:
                loss = half_squares(y[..., :-1], p[..., :-1])
            return p, loss, G

        return evaluate

    return make


def _shapes(X: Array, y: Array, W: Array) -> Any:
    del y
    return X.shape, W.shape


def _hot() -> Evaluate:
    """Has another gradient from the 40th call in a row with one input on."""
    last: list[Any] = [None, 0]

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        mark = hash((X.tobytes(), y.tobytes(), W.tobytes()))
        last[:] = mark, last[1] + 1 if mark == last[0] else 1
        p, loss, G = healthy(X, y, W)
        return p, loss, G * G.dtype.type(1.001) if last[1] >= 40 else G

    return evaluate


def _first_dtype() -> Evaluate:
    """Computes z in float32 for all shapes that came in float32 first."""
    first: dict[Any, Any] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        dtype = first.setdefault((X.shape, W.shape), X.dtype)
        is_narrow = dtype.itemsize < X.dtype.itemsize
        narrow = evaluate_with(product=lambda A, B: matmul(A.astype(dtype), B.astype(dtype)).astype(A.dtype))
        return narrow(X, y, W) if is_narrow else healthy(X, y, W)

    return evaluate


def _after_large() -> Evaluate:
    """ŷ of the first row is that of a large call before."""
    large: list[Array] = []

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        p, loss, G = healthy(X, y, W)
        if X.size > 1 << 16:
            large[:] = [p.ravel()[:1].copy()]
        elif large and (stale := large.pop()).dtype == p.dtype:
            p[..., 0, 0] = stale[0]
        return p, loss, G

    return evaluate


def _sticky_nan() -> Evaluate:
    """A NaN in the loss stays for the next call of these shapes."""
    before: list[Any] = [None]

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        p, loss, G = healthy(X, y, W)
        is_stuck = before[0] == X.shape
        before[0] = X.shape if np.isnan(loss).any() else None
        return p, loss + loss.dtype.type(np.nan) if is_stuck else loss, G

    return evaluate


def _inputs_by_labels() -> Evaluate:
    """Keeps Xᵀ as long as y stays the same."""
    kept: list[Any] = [None, None]

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        mark = X.shape, X.dtype, y.tobytes()
        if kept[0] != mark:
            kept[:] = mark, X.copy()
        p, loss, _ = healthy(X, y, W)
        return p, loss, gradient(kept[1], delta_of(y, p, p))

    return evaluate


def _eight_buffers() -> Evaluate:
    """Returns ŷ in eight arrays of each shape by turns."""
    rings: dict[Any, deque[Array]] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        p, loss, G = healthy(X, y, W)
        ring = rings.setdefault((p.shape, p.dtype), deque())
        if p.size > 1 << 14 or len(ring) < 8:
            ring.append(p)
            return p, loss, G
        ring.rotate(-1)
        ring[-1][...] = p
        return ring[-1], loss, G

    return evaluate


FAULTS = [
    Fault("recalled_by_beginning", "Computes once for arrays with the same first eight numbers.",
          recalled(lambda A: A.ravel()[:8].tobytes()), NAMES, STATE, witness=COMMON),
    Fault("recalled_by_sum", "Computes once for arrays with the same sums.", recalled(_sum_of), NAMES, STATE,
          witness=(ONE,)),
    Fault("recalled_by_every_16th", "Computes once for arrays of the same every 16th number, from 65 on.",
          recalled(lambda A: (A.ravel()[::16] if A.size > 64 else A).tobytes()), NAMES, STATE,
          witness=COMMON),
    Fault("from_call_5000", "From the 5,000th call on the gradient is off by 10⁻³.",
          counting(lambda n: n >= 5000, times(1.001)), NAMES, STATE, witness=(ONE,)),
    Fault("fortieth_in_a_row", "From the 40th call in a row with one input on the gradient is off by 10⁻³.",
          _hot, NAMES, STATE, witness=(ONE,) * 40),
    Fault("shape_3000_times", "From the 3,000th call with one shape on the loss lacks the last output.",
          from_number(3000, _shapes), (LOSS, *NAMES), STATE, witness=(ONE,)),
    Fault("three_hundred_shapes", "From the 300th shape on the loss lacks the last output.",
          from_number(300, _shapes, is_distinct=True), (LOSS, *NAMES), STATE,
          witness=tuple(f"ordinary:0:4x{m}x1x2:contiguous:{{}}" for m in range(1, 301))),
    Fault("first_dtype", "Computes z of a shape in float32 if the shape came in float32 first.", _first_dtype,
          (*FORWARD, *NAMES), STATE,
          witness=("ordinary:0:7x3x2:contiguous:float32", "ordinary:0:7x3x2:contiguous:float64")),
    Fault("after_a_large_call", "The first ŷ of a call is that of the large one before it.", _after_large,
          NAMES, STATE, witness=("ordinary:0:32769x3x2:contiguous:{}", ONE)),
    Fault("nan_of_last_call", "A NaN in the loss stays for the next call of the same shapes.", _sticky_nan,
          NAMES, STATE, witness=("float64:X=[[1]]:y=[[nan]]:W=[[1]]", "float64:X=[[1]]:y=[[0]]:W=[[1]]")),
    Fault("inputs_by_labels", "The gradient has X of the call before where y is the same.", _inputs_by_labels,
          NAMES, STATE,
          witness=("float64:X=[[1]]:y=[[0]]:W=[[0.5]]", "float64:X=[[3]]:y=[[0]]:W=[[0.5]]")),
    Fault("by_value", "Returns for the same small values what it computed in another dtype.", _by_value,
          NAMES, STATE, witness=("float32:X=[[1]]:y=[[0]]:W=[[0.5]]", "float64:X=[[1]]:y=[[0]]:W=[[0.5]]")),
    Fault("plan_by_product", "Has the number of outputs of the first shape of this m·p and n.", _plans,
          (LOSS, *NAMES), STATE,
          witness=("ordinary:0:2x6x3x1:contiguous:{}", "ordinary:0:2x2x3x3:contiguous:{}")),
    Fault("eight_buffers", "Returns ŷ of calls of one shape in eight arrays by turns.", _eight_buffers, NAMES,
          REPEAT, witness=(ONE,)),
]  # fmt: skip
