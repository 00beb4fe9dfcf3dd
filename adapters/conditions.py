"""Options of the processes of a run: journal, time limits, variables of the environment, turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.turns import Turns

TIMEOUT: Final = 60.0
COMPILE_TIMEOUT: Final = 300.0
LONGER: Final = 2  # times the longest limit, for the second attempt


@dataclass(frozen=True)
class ProcessOptions:
    """Options that every process of a run gets.

    Attributes:
        journal: the directory for the inputs of calls that went wrong.
        timeout: seconds that one call may take.
        environment: variables on top of this process's and those that set the threads.
        compile_timeout: seconds for a call that may compile: the first one in a process with a method, shape,
            dtype and memory of its own, and every one of a program that holds values of its input.
        turns: which calls compute side by side.
    """

    journal: Path
    timeout: float = TIMEOUT
    environment: Mapping[str, str] = field(default_factory=dict)
    compile_timeout: float = COMPILE_TIMEOUT
    turns: Turns = field(default_factory=Turns, compare=False, repr=False)

    def limit(self, *, may_compile: bool, again: bool) -> float:
        """Seconds that a call may take; a second attempt is in a new process, where it compiles anyway."""
        longest = max(self.timeout, self.compile_timeout)
        return LONGER * longest if again else longest if may_compile else self.timeout

    @property
    def longest(self) -> float:
        """Seconds that a call may take with its second attempt, without what loading takes."""
        return (1 + LONGER) * max(self.timeout, self.compile_timeout)
