"""Adapters that are right, and slow once, always, or where a framework would compile."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .wrong import Array, Planted, Result, right

MARK = "PLANTED_SLOW"
FOREVER, COMPILING = 600.0, 1.5  # seconds
_calls: Counter[tuple[int, ...]] = Counter()


def slow(name: str, wait: Callable[[Array], object]) -> Planted:
    """An adapter that waits so before it answers."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        wait(X)
        return right(X, y, W)

    return Planted(name, evaluate)


def _once(_: Array) -> None:
    """Forever, but only as long as a file is not there, which is made."""
    mark = Path(os.environ[MARK])
    if not mark.exists():
        mark.touch()
        time.sleep(FOREVER)


def _second(X: Array) -> None:
    """Long for each new shape of a process, as if it was compiled, and forever the second time."""
    _calls[X.shape] += 1
    time.sleep(COMPILING if _calls[X.shape] == 1 else FOREVER)


once = slow("once", _once)
always = slow("always", lambda _: time.sleep(FOREVER))
second = slow("second", _second)
