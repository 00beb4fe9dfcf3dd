"""Options of the processes of a run: journal, time limits, environment variables, turns.

Turns decide which calls of the run may compute at the same time. A call that gave no answer in time is tried
once more while nothing else of the run computes, since the machine may have been too busy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TIMEOUT: Final = 60.0
COMPILE_TIMEOUT: Final = 300.0
MOST_SECONDS: Final = 10**6  # some eleven days; the functions that wait for a process accept no infinity
LONGER: Final = 2  # factor on the larger of the two limits, for the second attempt
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
    """Decides which calls of a run compute at a time; one that waits to be alone goes before later ones.

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
        """Run the block beside other calls, once no call is alone or waits to be.

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
        """Run the block once all other calls have finished, and let no other call begin until it ends.

        Args:
            check: as in `beside_others`.
        """
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


@dataclass(frozen=True)
class ProcessOptions:
    """Options that every process of a run gets.

    Attributes:
        journal: the directory for the inputs of calls that went wrong.
        timeout: seconds that one call may take.
        environment: environment variables that override this process's and those that set the threads.
        compile_timeout: seconds for a call that may compile: the first call of a process with a new method,
            shape, dtype or memory layout, and every call of a program that contains values of its input.
        turns: decides which calls compute at the same time.
    """

    journal: Path
    timeout: float = TIMEOUT
    environment: Mapping[str, str] = field(default_factory=dict)
    compile_timeout: float = COMPILE_TIMEOUT
    turns: Turns = field(default_factory=Turns, compare=False, repr=False)

    def limit(self, *, may_compile: bool, again: bool) -> float:
        """Return the seconds that a call may take; a second attempt, in a new process, always compiles."""
        longest = max(self.timeout, self.compile_timeout)
        return LONGER * longest if again else longest if may_compile else self.timeout

    @property
    def longest(self) -> float:
        """The seconds that a call may take including its second attempt, but without the time to load."""
        return (1 + LONGER) * max(self.timeout, self.compile_timeout)
