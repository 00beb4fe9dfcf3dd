"""What every process of a run is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Conditions:
    """What every process of a run is given.

    Attributes:
        journal: the directory for the inputs of calls that went wrong.
        timeout: seconds that one call may take.
        environment: variables on top of this process's and those that set the threads.
    """

    journal: Path
    timeout: float = 60.0
    environment: Mapping[str, str] = field(default_factory=dict)
