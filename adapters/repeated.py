"""Call an adapter many times, on problems in turn or from several threads at once, and watch its results.

What a single call cannot show is checked here, where the adapter's own arrays are: whether an output lies in
the memory of an input or of an earlier output, whether a call changes its input or an earlier output, and
whether the same input has the same bits at every call. The arrays of all calls are the same objects, into
which the numbers of each call are written, as in the loop of a training.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from adapters.errors import AdapterMisbehaved
from adapters.memory import contiguous_bytes
from adapters.protocol import outputs_of, shapes
from reference.layouts import contiguous
from reference.types import Array, Outputs, Problem

# After so many seconds the calls end, except for the first LEAST_CALLS: a slow adapter has other input to do.
# An adapter that takes up to 2 ms for a small problem makes a thousand calls.
SECONDS = 2.0
LEAST_CALLS = 16
# An adapter that takes few networks a call gets a longer stack in parts. None begins after so many seconds,
# since the time limit of one call is that of all; so many at most are written to the journal at a time.
PARTS_SECONDS = 1.0
MOST_PARTS = 4096
# Seconds after which Python lets another thread run; short, so that calls meet in the middle of each other.
SWITCH = 1e-5

Named = Mapping[str, Array]
Evaluate = Callable[[Problem], Named]


class Calls(NamedTuple):
    """Calls of one adapter.

    Attributes:
        order: for each call, the index of its problem.
        callers: how many threads make these calls at once; thread k begins at place k of the order, and goes
            around.
        watch: whether to check the memory of outputs, and that no call changes an earlier result.
    """

    order: tuple[int, ...]
    callers: int = 1
    watch: bool = False


class CallResult(NamedTuple):
    """The outputs of one call of several.

    Attributes:
        call: the number of the call, from 0.
        problem: the index of its problem.
        outputs: by name, those that the call returned.
    """

    call: int
    problem: int
    outputs: Named


def problem_of(problems: Problem, index: int) -> Problem:
    """Return one of several problems, which the first axis of each array tells apart."""
    return Problem(*(array[index] for array in problems))


def check_memory(adapter: str, outputs: Named, others: Named, whose: str) -> None:
    """Check that no output lies in the memory of other arrays.

    Args:
        adapter: the adapter's name.
        outputs: the outputs of a call, by name.
        others: its inputs or the outputs of another call, by name.
        whose: what the others are: ``its input``.

    Raises:
        AdapterMisbehaved: an output shares memory with one of the others.
    """
    for name, output in outputs.items():
        for other, array in others.items():
            if np.may_share_memory(output, array):  # exact here: separate arrays are not interleaved
                raise AdapterMisbehaved(adapter, f"returned {name} in the memory of {whose} {other}")


def check_unchanged(adapter: str, problem: Problem, originals: Sequence[Array]) -> None:
    """Check that the adapter did not change the problem, by comparing it with copies of its bytes.

    Args:
        adapter: the adapter's name.
        problem: the arrays that it was called with.
        originals: the bytes of X, y and W in C order, as flat arrays of uint8.

    Raises:
        AdapterMisbehaved: an array differs from its bytes.
    """
    for name, array, original in zip(Problem._fields, problem, originals, strict=True):
        if not _same_bits(array, original):
            raise AdapterMisbehaved(adapter, f"changed its input {name} in place")


def _same_bits(array: Array, original: Array) -> bool:
    words = f"u{array.itemsize}"  # whole elements compare faster than bytes, and NaN only as integers
    return np.array_equal(np.frombuffer(contiguous_bytes(array), words), original.view(words))


def _bytes_of(array: Array) -> Array:
    """Return a copy of the array's bytes in C order."""
    return np.frombuffer(contiguous_bytes(array), np.uint8).copy()


class _Caller:
    """Calls the adapter on one set of arrays, and checks each call against those before.

    Attributes:
        results: the first result of each problem, and the first one of other bits.
    """

    def __init__(self, adapter: str, evaluate: Evaluate, problems: Problem, *, watch: bool) -> None:
        self._adapter, self._evaluate, self._problems, self._watch = adapter, evaluate, problems, watch
        self._arrays = Problem(*(contiguous(np.zeros_like(array[0])) for array in problems))
        self._earlier: list[tuple[Named, list[Array]]] = []  # the first and the last outputs, with copies
        self._known: dict[int, list[list[tuple[str, bytes]]]] = {}
        self.results: list[CallResult] = []

    def call(self, number: int, index: int) -> None:
        """Make a call, and raise AdapterMisbehaved if it breaks the contract."""
        originals = []
        for array, values in zip(self._arrays, self._problems, strict=True):
            array[...] = values[index]
            originals.append(np.frombuffer(contiguous_bytes(values[index]), np.uint8))
        outputs = self._evaluate(self._arrays)
        check_unchanged(self._adapter, self._arrays, originals)
        if self._watch:
            check_memory(self._adapter, outputs, self._arrays._asdict(), "its input")
            self._check_earlier(outputs)
            self._earlier[1:] = [(outputs, [_bytes_of(output) for output in outputs.values()])]
        self._add(number, index, outputs)

    def _check_earlier(self, outputs: Named) -> None:
        """Check that the first and the last result are what they were, and that new ones have new memory."""
        for earlier, originals in self._earlier:
            for (name, output), original in zip(earlier.items(), originals, strict=True):
                if not _same_bits(output, original):
                    what = f"changed {name} of an earlier call in a later one"
                    raise AdapterMisbehaved(self._adapter, what)
            check_memory(self._adapter, outputs, earlier, "an earlier")

    def _add(self, number: int, index: int, outputs: Named) -> None:
        """Keep the result if it is the first of its problem, or the first whose bits differ from that one."""
        bits = [(name, _quiet_bytes(output)) for name, output in outputs.items()]
        known = self._known.setdefault(index, [])
        if bits not in known and len(known) < 2:
            known.append(bits)
            copies = {name: output.copy() for name, output in outputs.items()}
            self.results.append(CallResult(number, index, copies))


def _quiet_bytes(array: Array) -> bytes:
    """Return the bytes of an array, with every NaN as the same one."""
    return np.where(np.isnan(array), array.dtype.type(np.nan), array).tobytes()


def evaluate_each(adapter: str, evaluate: Evaluate, problems: Problem, calls: Calls) -> list[CallResult]:
    """Call an adapter on several problems in turn, or from several threads that begin each call together.

    Args:
        adapter: the adapter's name.
        evaluate: returns the checked outputs of a problem.
        problems: the problems; the first axis of each array tells them apart.
        calls: which problems, in which order, from how many threads.

    Returns:
        From each thread, for each problem the first result, and the first one whose bits differ from it.

    Raises:
        AdapterMisbehaved: a call breaks the contract.
        NotImplementedError: the adapter raised it.
    """
    order, count, watch = calls
    until, is_over = time.monotonic() + SECONDS, threading.Event()
    barrier = threading.Barrier(count, lambda: is_over.set() if time.monotonic() > until else None)

    def call_in_order(first: int) -> list[CallResult]:
        caller = _Caller(adapter, evaluate, problems, watch=watch)
        try:
            for number in range(len(order)):
                barrier.wait()
                if number >= LEAST_CALLS and is_over.is_set():
                    break
                caller.call(number, order[(first + number) % len(order)])
        except BaseException:
            barrier.abort()  # or the others would wait forever
            raise
        return caller.results

    if count == 1:
        return call_in_order(0)
    with _switching_often(), ThreadPoolExecutor(count) as threads:
        futures = [threads.submit(call_in_order, first) for first in range(count)]
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, threading.BrokenBarrierError):
            raise error
    return [result for future in futures for result in future.result()]


def evaluate_parts(adapter: str, evaluate: Evaluate, problem: Problem, most: int) -> Named:
    """Call an adapter on the parts of a stack in turn, and join their outputs.

    Args:
        adapter: the adapter's name.
        evaluate: returns the checked outputs of a part.
        problem: the stack, with one axis for it.
        most: how many networks a call takes.

    Returns:
        The outputs, copied; those of the first networks only, if they take longer than `PARTS_SECONDS`.

    Raises:
        AdapterMisbehaved: a call breaks the contract.
        NotImplementedError: the adapter raised it.
    """
    parts: list[Named] = []
    until = time.monotonic() + PARTS_SECONDS
    for first in range(0, len(problem.X), most):
        if parts and time.monotonic() > until:
            break
        part = Problem(*(array[first : first + most] for array in problem))
        outputs = evaluate(part)
        check_memory(adapter, outputs, part._asdict(), "its input")
        parts.append({name: output.copy() for name, output in outputs.items()})
    return _joined(adapter, parts)


def evaluate_in_parts(adapter: str, evaluate: Evaluate, problem: Problem) -> Outputs:
    """Return the outputs of a whole stack, whatever its axes, from a function that may do only its beginning.

    Args:
        adapter: the adapter's name.
        evaluate: does `evaluate_parts`, here or in another process.
        problem: the stack.

    Raises:
        What ``evaluate`` raises.
    """
    flat = Problem(*(array.reshape(-1, *array.shape[-2:]) for array in problem))
    parts: list[Named] = []
    done, count = 0, problem.stack_size
    while done < count:
        parts.append(evaluate(Problem(*(array[done:] for array in flat))))
        done += len(next(iter(parts[-1].values())))
    found = {n: a.reshape(shapes(problem)[n]) for n, a in _joined(adapter, parts).items()}
    return outputs_of(adapter, found, problem)


def _joined(adapter: str, parts: Sequence[Named]) -> Named:
    names = dict.fromkeys(name for part in parts for name in part)
    for name in names:
        if not all(name in part for part in parts):
            raise AdapterMisbehaved(adapter, f"returned {name} for some parts of a stack only")
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


@contextmanager
def _switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
