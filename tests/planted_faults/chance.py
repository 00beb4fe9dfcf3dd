"""Non-determinism: the same inputs, another result. The generators are seeded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import CONTRACT, REPEAT, STATE, THREADS, Array, Evaluate, Fault
from tests.planted_faults.network import gradient, healthy

NAMES = (CONTRACT, "call")
ATOMICS = "https://github.com/apache/mxnet/issues/11899"
LARGE = ("ordinary:0:8192x1x3x1:contiguous:{}",)


def by_chance(
    change: Callable[[Array, np.random.Generator], Array], index: int = 2
) -> Callable[[], Evaluate]:
    """Makes the right network with one output changed by a generator."""

    def make() -> Evaluate:
        random = np.random.default_rng(20)

        def evaluate(X: Array, y: Array, W: Array) -> Any:
            outputs = list(healthy(X, y, W))
            outputs[index] = change(np.asarray(outputs[index]), random).astype(X.dtype)
            return tuple(outputs)

        return evaluate

    return make


def _last_bit(G: Array, random: np.random.Generator) -> Array:
    return np.where(random.random(G.shape) < 0.5, np.nextafter(G, G.dtype.type(0)), G)


def rarely(rate: float) -> Callable[[Array, np.random.Generator], Array]:
    """Doubles numbers with this probability."""
    return lambda G, random: np.where(random.random(G.shape) < rate, G * 2, G)


def _noise(G: Array, random: np.random.Generator) -> Array:
    return G * (1 + G.dtype.type(1e-4) * random.standard_normal(G.shape).astype(G.dtype))


def _stochastic(G: Array, random: np.random.Generator) -> Array:
    bits = np.ascontiguousarray(G, np.float32).view(np.uint32)
    bits = bits + random.integers(0, 1 << 16, G.shape, dtype=np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).reshape(G.shape)


def _shuffled() -> Evaluate:
    """Adds the rows in another order at each call."""
    random = np.random.default_rng(20)

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        y_hat, loss, _ = healthy(X, y, W)
        order = random.permutation(X.shape[-2])
        d = (y_hat - y) * y_hat * (1 - y_hat)
        total = np.zeros_like(W)
        for i in order if len(order) <= 512 else ():
            total = total + X[..., i, :, None] * d[..., i, None, :]
        return y_hat, loss, total if len(order) <= 512 else gradient(X, d)

    return evaluate


def _by_clock() -> Evaluate:
    first: list[float] = []

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        first.append(time.monotonic())
        y_hat, loss, G = healthy(X, y, W)
        return y_hat, loss, G * G.dtype.type(1.001) if first[-1] > first[0] + 0.05 else G

    return evaluate


def _by_thread(X: Array, y: Array, W: Array) -> Any:
    y_hat, loss, G = healthy(X, y, W)
    main = threading.current_thread() is threading.main_thread()
    return y_hat, loss, G if main else G * G.dtype.type(1.001)


def _first_thread() -> Evaluate:
    """Right in the thread that called first."""
    first: list[int] = []

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        first.append(threading.get_ident())
        y_hat, loss, G = healthy(X, y, W)
        return y_hat, loss, G if first[-1] == first[0] else G * G.dtype.type(1.001)

    return evaluate


def _by_process(X: Array, y: Array, W: Array) -> Any:
    """One of two orders of a commutative product, by the number of the process."""
    y_hat, loss, G = healthy(X, y, W)
    return y_hat, np.negative(-loss) if os.getpid() % 2 else loss, G


FAULTS = [
    Fault("random_last_bit", "The last bit of the gradient is random.", by_chance(_last_bit), NAMES, REPEAT,
          reference=ATOMICS),
    Fault("random_last_bit_of_loss", "The last bit of the loss is random.", by_chance(_last_bit, 1), NAMES,
          REPEAT),
    Fault("doubled_1e3", "One of 1,000 numbers of the gradient is doubled.", by_chance(rarely(1e-3)), NAMES,
          witness=LARGE),
    Fault("doubled_1e4", "One of 10,000 losses is doubled.", by_chance(rarely(1e-4), 1), NAMES,
          witness=("ordinary:0:65536x1x3x1:contiguous:{}",)),
    Fault("doubled_1e6", "One of a million ŷ is doubled.", by_chance(rarely(1e-6), 0), NAMES,
          witness=("ordinary:0:1100000x1x1x1:contiguous:{}",)),
    Fault("noise", "The gradient has noise of 10⁻⁴.", by_chance(_noise), NAMES),
    Fault("dropout", "A tenth of the gradient is 0, the rest is scaled.", by_chance(
        lambda G, random: np.where(random.random(G.shape) < 0.1, 0, G / 0.9)), NAMES),
    Fault("stochastic_rounding", "The gradient is rounded to bfloat16 at random.", by_chance(_stochastic),
          NAMES,
          dtypes=("float32",)),
    Fault("shuffled_rows", "Rows are added in another order at each call.", _shuffled, NAMES, REPEAT,
          reference=ATOMICS),
    Fault("by_the_clock", "From 50 ms after the first call on the gradient is off by 10⁻³.", _by_clock, NAMES,
          STATE, witness=("later",)),
    Fault("outside_main_thread", "Outside the main thread the gradient is off by 10⁻³.", lambda: _by_thread,
          NAMES,
          THREADS, witness=("another thread",)),
    Fault("outside_first_thread", "Outside the thread that called first the gradient is off by 10⁻³.",
          _first_thread, NAMES, THREADS, witness=("another thread",)),
    Fault("by_process", "The loss is negated twice in processes of an odd number.", lambda: _by_process,
          undetectable="negation is exact, so the result has the same bits in every process"),
]  # fmt: skip
