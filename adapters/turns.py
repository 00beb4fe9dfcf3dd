"""Turns: the calls of a run that may compute at the same time, and the calls that compute alone.

A call that gave no answer in time is tried once more while nothing else of the run computes, since the
machine may have been too busy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PAUSE: Final = 0.05  # seconds between two checks of whether a waiting call is still wanted
Check = Callable[[], None]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> str:
    """Say how busy the machine is: the load average of the last minute, and how many cores there are."""
    try:
        average = f"load {os.getloadavg()[0]:.1f}"
    except OSError:
        average = "load unknown"
    return f"{average} on {cores()} core{'s' * (cores() > 1)}"


class Turns:
    """The turns of one run: a call that waits to be alone goes before calls that begin later.

    Attributes:
        notes: one sentence for each call that was answered only at its second attempt.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = self._waiting = 0
        self._is_alone = False
        self.notes: list[str] = []

    @contextmanager
    def beside_others(self, check: Check) -> Iterator[None]:
        """Compute at the same time as others, once no call is alone or waits to be.

        Args:
            check: called while waiting; it raises if the call is no longer wanted.
        """
        with self._changed:
            self._wait(lambda: not (self._is_alone or self._waiting), check)
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, check: Check) -> Iterator[None]:
        """Compute once all others have finished, and let no other begin; `check` as in `beside_others`."""
        with self._changed:
            self._waiting += 1
            try:
                self._wait(lambda: not (self._is_alone or self._at_work), check)
                self._is_alone = True
            finally:
                self._waiting -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()

    def _wait(self, is_free: Callable[[], bool], check: Check) -> None:
        while not is_free():
            check()
            self._changed.wait(PAUSE)
