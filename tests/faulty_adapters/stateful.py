"""Adapters that keep something between calls, share memory, or take sizes of 0 in another way.

Those of `FAULTY` break the contract, each in one way; their results are right where that does not interfere.
Those of `HEALTHY` keep it, in ways that look suspicious.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .wrong import Array, Planted, Result, forward, half_squares, product, right, turned

Evaluate = Callable[[Array, Array, Array], Any]


def gradient(X: Array, y: Array, y_hat: Array) -> Array:
    """∂L/∂W from ŷ."""
    return product(turned(X), (y_hat - y) * y_hat * (1 - y_hat))


def wrong_from(call: int) -> Evaluate:
    """Right for some calls; from that one on the loss is doubled."""
    calls = 0

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        nonlocal calls
        calls += 1
        y_hat, loss, grad = right(X, y, W)
        return y_hat, loss * (2 if calls >= call else 1), grad

    return evaluate


def cached(key_of: Callable[[Array], Any]) -> Evaluate:
    """The weights of an earlier call, as a layer that prepares them once has them, by a key."""
    prepared: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        return right(X, y, prepared.setdefault((W.shape, W.dtype, key_of(W)), W.copy()))

    return evaluate


def memoised_by(part_of: Callable[[Array], bytes]) -> Evaluate:
    """What was found before for arrays of the same shapes that agree in this part of their numbers."""
    found: dict[Any, Result] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        key = tuple((array.shape, array.dtype, part_of(array)) for array in (X, y, W))
        y_hat, loss, grad = found.setdefault(key, right(X, y, W))
        return y_hat.copy(), loss.copy(), grad.copy()

    return evaluate


def wrong_after(repetitions: int) -> Evaluate:
    """Doubles the loss once the same numbers came so often in a row, as a compiler that waits does."""
    last, count = b"", 0

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        nonlocal last, count
        numbers = X.tobytes() + W.tobytes()
        last, count = numbers, count + 1 if numbers == last else 1
        y_hat, loss, grad = right(X, y, W)
        return y_hat, loss * (2 if count >= repetitions else 1), grad

    return evaluate


def ring(buffers: int) -> Evaluate:
    """ŷ in the memory of the call that was so many calls before."""
    kept: dict[Any, list[Array]] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        there = kept.setdefault((y_hat.shape, y_hat.dtype), [])
        if len(there) == buffers:
            buffer = there.pop(0)
            buffer[...] = y_hat
            y_hat = buffer
        there.append(y_hat)
        return y_hat, loss, grad

    return evaluate


def of_the_largest() -> Evaluate:
    """The first ŷ of a call after a large one is that of the large one."""
    kept: list[Any] = []

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        found = right(X, y, W)
        if kept and found[0].size and X.size < 2**16:
            found[0][..., 0, 0] = kept.pop()
        if X.size > 2**16:
            kept[:] = [found[0].reshape(-1)[0]]
        return found

    return evaluate


def for_some_numbers(one_of: int) -> Evaluate:
    """Doubles the gradient for one of so many inputs, whichever these are."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        is_one = zlib.crc32(X.tobytes() + W.tobytes()) % one_of == 0
        return y_hat, loss, grad * grad.dtype.type(2 if is_one else 1)

    return evaluate


def where(is_there: Callable[[Array, Array, Array], bool]) -> Evaluate:
    """Doubles the loss where the arrays lie in memory in some way."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        return y_hat, loss * (2 if is_there(X, y, W) else 1), grad

    return evaluate


def after_nothing() -> Evaluate:
    """Adds to what a call without rows has left in the gradient."""
    left: list[int] = []

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        found = grad + grad.dtype.type(1) if left else grad
        left[:] = [] if X.shape[-2] else [1]
        return y_hat, loss, found

    return evaluate


def skipping_zeros(X: Array, y: Array, W: Array) -> Result:
    """Takes 0·∞ for 0 where most of X is 0, as a sparse product does."""
    is_sparse = X.size and (X == 0).mean() > 0.5
    return right(X, y, np.where(np.isfinite(W), W, 0) if is_sparse else W)


def forward_once() -> Evaluate:
    """ŷ of an earlier call with the same weights."""
    kept: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        key = X.shape, W.dtype, W.tobytes()
        y_hat = kept.setdefault(key, forward(X, W)).copy()
        return y_hat, half_squares(y, y_hat), gradient(X, y, y_hat)

    return evaluate


def accumulating() -> Evaluate:
    """Gradients that are added to those of the call before, if that was for the same weights."""
    last: list[Array] = []

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        kept = last and last[0].shape == W.shape and last[0].dtype == W.dtype and np.array_equal(last[0], W)
        total = grad + last[1] if kept else grad
        last[:] = [W.copy(), total.copy()]
        return y_hat, loss, total

    return evaluate


def one_buffer() -> Evaluate:
    """The gradients of all calls of one shape in one memory."""
    buffers: dict[Any, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        buffer = buffers.setdefault((grad.shape, grad.dtype), grad)
        buffer[...] = grad
        return y_hat, loss, buffer

    return evaluate


def clearing() -> Evaluate:
    """Sets the ŷ that the call before has returned to zero."""
    last: list[Array] = []

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        for array in last:
            array[...] = 0
        found = right(X, y, W)
        last[:] = [found[0]]
        return found

    return evaluate


def in_the_input(X: Array, y: Array, W: Array) -> Result:
    """ŷ where the labels are, if that is nothing new to them."""
    y_hat, loss, grad = right(X, y, W)
    return y if np.array_equal(y, y_hat) else y_hat, loss, grad


def shared_scratch() -> Evaluate:
    """Keeps X where other threads put theirs."""
    scratch: dict[str, Array] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        scratch["X"] = X
        time.sleep(1e-4)
        found = scratch["X"]
        return right(found if found.shape == X.shape else X, y, W)

    return evaluate


def narrow_after(dtype: str) -> Evaluate:
    """In the precision of the narrowest dtype so far."""
    narrowed = False

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        nonlocal narrowed
        narrowed = narrowed or X.dtype == dtype
        if not narrowed or X.dtype != np.float64:
            return right(X, y, W)
        y_hat, loss, grad = right(*(array.astype(np.float32) for array in (X, y, W)))
        return y_hat.astype(X.dtype), loss.astype(X.dtype), grad.astype(X.dtype)

    return evaluate


def one_bit_after_another_shape() -> Evaluate:
    """Right, with the last bit of the gradient by the number of shapes so far."""
    shapes: set[Any] = set()

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        shapes.add(X.shape)
        y_hat, loss, grad = right(X, y, W)
        return y_hat, loss, grad if len(shapes) % 2 else np.nextafter(grad, grad.dtype.type(0))

    return evaluate


def mean_times_count(X: Array, y: Array, W: Array) -> Result:
    """L as the mean of squares times their count, which is NaN for no rows."""
    y_hat, _, grad = right(X, y, W)
    squares = y.dtype.type(0.5) * (y - y_hat) ** 2
    count = y.dtype.type(squares.shape[-1] * squares.shape[-2])
    return y_hat, squares.sum((-2, -1)) / count * count if not count else half_squares(y, y_hat), grad


def one_for_nothing(X: Array, y: Array, W: Array) -> Result:
    """A loss of 1 where there are no rows."""
    y_hat, loss, grad = right(X, y, W)
    return y_hat, loss if X.shape[-2] else np.ones_like(loss), grad


def halved_where_they_overlap(X: Array, y: Array, W: Array) -> Result:
    """Half of the gradient where X and W share memory."""
    y_hat, loss, grad = right(X, y, W)
    return y_hat, loss, grad * grad.dtype.type(0.5 if np.may_share_memory(X, W) else 1)


def at_least_one(X: Array, y: Array, W: Array) -> Result:
    """One loss even for a stack of no networks."""
    y_hat, loss, grad = right(X, y, W)
    return y_hat, loss if loss.size else np.zeros(1, loss.dtype), grad


def raising_if_busy() -> Evaluate:
    """Raises where two threads meet."""
    busy = threading.Lock()

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        if not busy.acquire(blocking=False):
            raise RuntimeError("busy")
        try:
            time.sleep(1e-4)
            return right(X, y, W)
        finally:
            busy.release()

    return evaluate


def for_large(rows: int, evaluate: Evaluate) -> Evaluate:
    """That fault from so many rows on."""
    return lambda X, y, W: evaluate(X, y, W) if X.shape[-2] >= rows else right(X, y, W)


def memoised(*, copies: bool) -> Evaluate:
    """What was found before for the same numbers, or copies of it."""
    found: dict[Any, Result] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        key = tuple((array.shape, array.dtype, array.tobytes()) for array in (X, y, W))
        known = found.setdefault(key, right(X, y, W))
        return tuple(array.copy() for array in known) if copies else known

    return evaluate


def largest_first(X: Array, y: Array, W: Array) -> Result:
    """Refuses what has no elements, as code does that takes the largest one."""
    X.max()
    return right(X, y, W)


def counting_only() -> Evaluate:
    """Keeps a count that nothing depends on."""
    calls: list[int] = []

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        calls.append(X.size)
        return right(X, y, W)

    return evaluate


class OneCaller(Planted):
    """Cannot be called by two threads at once, and says so."""

    max_callers = 1


def planted(name: str) -> Planted:
    """A new adapter of `FAULTY` or `HEALTHY`, which has kept nothing yet."""
    kind = OneCaller if name == "one-caller" else Planted
    return kind(name, {**FAULTY, **HEALTHY}[name]())


FAULTY: dict[str, Callable[[], Evaluate]] = {
    **{f"wrong-from-{call}": partial(wrong_from, call) for call in (2, 10, 100, 1000)},
    "weights-by-identity": lambda: cached(id),
    "weights-by-address": lambda: cached(lambda W: W.ctypes.data),
    "weights-once": lambda: cached(lambda _: 0),
    "forward-once": forward_once,
    "accumulating": accumulating,
    "one-buffer": one_buffer,
    "clearing": clearing,
    "same-objects": lambda: memoised(copies=False),
    "in-the-input": lambda: in_the_input,
    "shared-scratch": shared_scratch,
    "raising-if-busy": raising_if_busy,
    "narrow-after-float16": lambda: narrow_after("float16"),
    "by-number-of-shapes": one_bit_after_another_shape,
    "one-for-nothing": lambda: one_for_nothing,
    "where-X-and-W-overlap": lambda: halved_where_they_overlap,
    "at-least-one": lambda: at_least_one,
    "by-first-numbers": lambda: memoised_by(lambda array: array.tobytes()[:16]),
    "by-sums": lambda: memoised_by(lambda array: np.sort(array, axis=None).tobytes()),
    "hot": lambda: wrong_after(50),
    "ring-of-60": lambda: ring(60),
    "after-a-large-one": of_the_largest,
    "for-some-numbers": lambda: for_some_numbers(500),
    "where-y-is-transposed": lambda: where(lambda X, y, _: y.strides[-2] == y.itemsize != X.strides[-2]),
    "where-X-repeats": lambda: where(lambda X, _, W: X.strides[0] == 0 != W.strides[0]),
    "where-y-is-X": lambda: where(lambda X, y, _: X.shape == y.shape and X.ctypes.data == y.ctypes.data),
    "after-nothing": after_nothing,
    "zero-times-infinity": lambda: skipping_zeros,
    "where-X-is-unaligned": lambda: where(lambda X, _, W: not X.flags.aligned and W.flags.aligned),
}
HEALTHY: dict[str, Callable[[], Evaluate]] = {
    "mean-times-count": lambda: mean_times_count,
    "memoised": lambda: memoised(copies=True),
    "refuses-nothing": lambda: largest_first,
    "counting-only": counting_only,
    "one-caller": raising_if_busy,
}
thousandth = planted("wrong-from-1000")
one_memory = planted("one-buffer")
not_for_threads = planted("shared-scratch")
overlapping = planted("where-X-and-W-overlap")
