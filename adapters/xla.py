"""XLA's flags: the user's own, and those that a mode sets, as one variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

VARIABLE: Final = "XLA_FLAGS"
# Flags that say what a mode's name says: how many threads and devices.
MODE_FLAGS: Final = ("xla_cpu_multi_thread_eigen", "xla_force_host_platform_device_count")
# One flag, whose value may have spaces between quotes.
FLAG: Final = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def theirs() -> list[str]:
    """The flags of this process's environment, which may name a file that holds them, as XLA reads it."""
    text = os.environ.get(VARIABLE, "").strip()
    if text and not text.startswith("-"):
        path = Path(text)
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
    return FLAG.findall(text)


def _name(flag: str) -> str:
    return flag.lstrip("-").partition("=")[0]


def merged(ours: Mapping[str, str]) -> dict[str, str]:
    """The variable with the user's flags, but for those of `MODE_FLAGS` and of ours, and then ours."""
    kept = [flag for flag in theirs() if _name(flag) not in {*MODE_FLAGS, *ours}]
    return {VARIABLE: " ".join([*kept, *(f"--{name}={value}" for name, value in ours.items())])}


def replaced(names: Sequence[str] = MODE_FLAGS) -> list[str]:
    """The user's flags of these names, which a mode's name decides instead."""
    return [flag for flag in theirs() if _name(flag) in names]
