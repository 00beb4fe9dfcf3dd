"""The CPU of this machine: its model and what it can do, as the system tells."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

CPUINFO: Final = Path("/proc/cpuinfo")


class Cpu(NamedTuple):
    """A CPU.

    Attributes:
        machine: the architecture, ``x86_64`` say.
        model: its name; the architecture where the system does not tell.
        features: instruction sets and the like, in the words of Linux; empty where the system does not tell.
    """

    machine: str
    model: str
    features: frozenset[str]


@cache
def cpu() -> Cpu:
    """The CPU that this process runs on; the first one where there are several."""
    machine = platform.machine()
    if not CPUINFO.is_file():
        return Cpu(machine, platform.processor() or machine, frozenset())
    told: dict[str, str] = {}
    for line in CPUINFO.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    features = frozenset(told.get("flags", told.get("Features", "")).split())
    return Cpu(machine, told.get("model name", machine), features)
