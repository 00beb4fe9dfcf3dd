"""XLA's flags: those of the user and those that a mode sets, merged into one variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

VARIABLE: Final = "XLA_FLAGS"
# Flags whose values follow from a mode's name: how many threads and devices.
MODE_FLAGS: Final = ("xla_cpu_multi_thread_eigen", "xla_force_host_platform_device_count")
# One flag; its value may contain spaces inside quotes.
FLAG: Final = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def theirs() -> list[str]:
    """Return the flags in this process's environment, or in the file that its variable names."""
    text = os.environ.get(VARIABLE, "").strip()
    if text and not text.startswith("-"):
        path = Path(text)
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
    return FLAG.findall(text)


def _name(flag: str) -> str:
    return flag.lstrip("-").partition("=")[0]


def merged(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the variable with the user's flags, except those in `MODE_FLAGS` or `ours`, then `ours`."""
    kept = [flag for flag in theirs() if _name(flag) not in {*MODE_FLAGS, *ours}]
    return {VARIABLE: " ".join([*kept, *(f"--{name}={value}" for name, value in ours.items())])}


def replaced(names: Sequence[str] = MODE_FLAGS) -> list[str]:
    """Return the user's flags with these names, whose values a mode's name decides instead."""
    return [flag for flag in theirs() if _name(flag) in names]
