"""Turns at the machine: the calls of a run that compute side by side, and the one that computes alone.

A call that gave no answer in time is tried once more while nothing else of the run computes, for what was
slow may have been the machine.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PAUSE: Final = 0.05  # seconds between two looks at whether a call that waits is still wanted
Check = Callable[[], None]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> str:
    """How busy the machine is: the processes that wanted to compute in the last minute, beside its cores."""
    try:
        average = f"load {os.getloadavg()[0]:.1f}"
    except OSError:
        average = "load unknown"
    return f"{average} on {cores()} core{'s' * (cores() > 1)}"


class Turns:
    """The turns of one run; who waits to be alone goes before who begins later.

    Attributes:
        notes: what was tried once more and then answered, a sentence each.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = self._waiting = 0
        self._is_alone = False
        self.notes: list[str] = []

    @contextmanager
    def beside_others(self, check: Check) -> Iterator[None]:
        """Compute while others may, once nobody is alone or waits to be.

        Args:
            check: raises where the call is not wanted any more.
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
        """Compute once all others have finished, and while nobody else begins; ``check`` as above."""
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
