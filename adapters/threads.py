"""The number of threads that an adapter computes with, set for its process, never inherited; and XLA's flags.

A flag of XLA sets the threads of its matrix products, so the flags of the user and those that a mode sets are
merged here into the one environment variable that has them all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

VARIABLE: Final = "CROSSCHECK_THREADS"
XLA_VARIABLE: Final = "XLA_FLAGS"
# Each library reads its variable once, when it is loaded. PJRT_NPROC is the size of jaxlib's thread pool, and
# NPROC its name in older releases; XLA's own pool for matrix products has a flag that is on or off.
COUNTED: Final = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "PJRT_NPROC",
    "NPROC",
)
# Flags of XLA whose values follow from a mode's name: how many threads and devices.
MODE_FLAGS: Final = ("xla_cpu_multi_thread_eigen", "xla_force_host_platform_device_count")
# One flag; its value may contain spaces inside quotes.
FLAG: Final = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def environment(threads: int) -> dict[str, str]:
    """Return the environment variables that set this number of threads for a new process."""
    return {**dict.fromkeys((VARIABLE, *COUNTED), str(threads)), **merged(xla_flags(threads))}


def xla_flags(threads: int, devices: int = 1) -> dict[str, str]:
    """Return XLA's flags for these threads and devices of the host; one device needs no flag."""
    multi = {"xla_cpu_multi_thread_eigen": "true" if threads > 1 else "false"}
    return multi if devices == 1 else {**multi, "xla_force_host_platform_device_count": str(devices)}


def count() -> int | None:
    """Return the number of threads that `environment` set for this process; None if it set none."""
    stated = os.environ.get(VARIABLE)
    return None if stated is None else int(stated)


def theirs() -> list[str]:
    """Return the user's flags of XLA: those in the environment variable, or in the file that it names."""
    text = os.environ.get(XLA_VARIABLE, "").strip()
    if text and not text.startswith("-"):
        path = Path(text)
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
    return FLAG.findall(text)


def _name(flag: str) -> str:
    return flag.lstrip("-").partition("=")[0]


def merged(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variable with XLA's flags: first the user's, then `ours`.

    Flags of the user that are in `MODE_FLAGS` or in `ours` are left out.
    """
    kept = [flag for flag in theirs() if _name(flag) not in {*MODE_FLAGS, *ours}]
    return {XLA_VARIABLE: " ".join([*kept, *(f"--{name}={value}" for name, value in ours.items())])}


def replaced(names: Sequence[str] = MODE_FLAGS) -> list[str]:
    """Return the user's flags with these names, whose values a mode's name decides instead."""
    return [flag for flag in theirs() if _name(flag) in names]
