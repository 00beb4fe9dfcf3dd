"""Adapters that are right, but crash or hang, each in its way, where a weight is 40; they need NumPy only."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from .wrong import Array, Planted, Result, right

UNLUCKY = 40.0  # a weight of one of the pinned examples, in float64


def crashing(name: str, end: Callable[[], Any]) -> Planted:
    """An adapter that is right, but calls `end` where a weight is `UNLUCKY`."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        if (W == UNLUCKY).any():
            end()
        return right(X, y, W)

    return Planted(name, evaluate)


segfault = crashing("segfault", lambda: ctypes.string_at(0))
exits = crashing("exits", lambda: os._exit(0))
endless = crashing("endless", lambda: time.sleep(600))
killed = crashing("killed", lambda: os.kill(os.getpid(), signal.SIGKILL))
always = Planted("always", lambda *_: os._exit(0))
