"""Adapters that crash, hang, exit or break the contract, each on one input only: where X[..., 0, 0] is 13.

On every other input they return zeros, so that a test can see the next call work.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
UNLUCKY = 13.0


class Planted:
    """Zeros of the right shapes, but for the unlucky input, where the planted fault happens."""

    framework, version, dtypes = "planted", "1", ("float64", "float32", "float16", "bfloat16")

    def __init__(self, name: str, fault: Callable[[Array], object]) -> None:
        self.name, self.fault = name, fault

    def evaluate(self, X: Array, y: Array, W: Array) -> object:
        """A healthy answer, or the fault, and what it returns."""
        if (X == UNLUCKY).any():
            return self.fault(X)
        return np.zeros_like(y), np.zeros(X.shape[:-2], X.dtype), np.zeros_like(W)


def _endless(_: Array) -> None:
    while True:
        time.sleep(1)


def _native_loop(_: Array) -> None:
    """Backtracking without end inside one call of C, which never lets another thread run."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def _killed(_: Array) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _abandoned(_: Array) -> None:
    """Leave a process of one's own behind."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    sys.stderr.write(f"grandchild {child.pid}\n")
    os._exit(3)


def _raises(_: Array) -> None:
    raise ValueError("the planted\nmessage")


def _unsupported(_: Array) -> None:
    raise NotImplementedError("no thirteens here")


def _closes_its_files(_: Array) -> None:
    os.closerange(3, 256)
    time.sleep(600)


def _scribbles(_: Array) -> None:
    """Write into every descriptor, the suite's own pipes too, and live on."""
    for descriptor in range(3, 256):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"Warning: of no use here\n")
    time.sleep(600)


def _mutates(X: Array) -> object:
    answer = (
        np.zeros_like(X[..., :1]),
        np.zeros(X.shape[:-2], X.dtype),
        np.zeros((*X.shape[:-2], X.shape[-1], 1)),
    )
    X[...] = 0
    return tuple(output.astype(X.dtype) for output in answer)


def _objects(X: Array) -> object:
    return (
        np.full((*X.shape[:-1], 1), None),
        np.zeros(X.shape[:-2]),
        np.zeros((*X.shape[:-2], X.shape[-1], 1)),
    )


def _list(_: Array) -> object:
    return [0.0]


class Chatty(Planted):
    """Prints on every stream that it can reach, at the level of the system too."""

    def evaluate(self, X: Array, y: Array, W: Array) -> object:
        """A healthy answer after much talk."""
        sys.stdout.write("chatter " * 10_000)
        os.write(1, b"chatter on descriptor 1\n")
        os.write(2, b"chatter on descriptor 2\n")
        return super().evaluate(X, y, W)


class Hanging(Planted):
    """Gives no answer on any input."""

    def evaluate(self, X: Array, y: Array, W: Array) -> object:
        """The fault, whatever comes."""
        del y, W
        return self.fault(X)


class Unreadable:
    """Has no member of the contract but a name."""

    name = "unreadable"


segfault = Planted("segfault", lambda _: ctypes.string_at(0))
exits = Planted("exits", lambda _: os._exit(0))
endless = Planted("endless", _endless)
native_loop = Planted("native-loop", _native_loop)
killed = Planted("killed", _killed)
abandoned = Planted("abandoned", _abandoned)
raises = Planted("raises", _raises)
unsupported = Planted("unsupported", _unsupported)
closes_its_files = Planted("closes-its-files", _closes_its_files)
scribbles = Planted("scribbles", _scribbles)
mutates = Planted("mutates", _mutates)
objects = Planted("objects", _objects)
lists = Planted("lists", _list)
chatty = Chatty("chatty", _endless)
hanging = Hanging("hanging", _native_loop)
