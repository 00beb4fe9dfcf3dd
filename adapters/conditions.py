"""Options of the processes of a run: journal, time limits, variables of the environment, turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.turns import Turns

TIMEOUT: Final = 60.0
COMPILE_TIMEOUT: Final = 300.0
MOST_SECONDS: Final = 10**6  # some eleven days; the functions that wait for a process accept no infinity
LONGER: Final = 2  # factor on the larger of the two limits, for the second attempt


@dataclass(frozen=True)
class ProcessOptions:
    """Options that every process of a run gets.

    Attributes:
        journal: the directory for the inputs of calls that went wrong.
        timeout: seconds that one call may take.
        environment: variables that override this process's and those that set the threads.
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
