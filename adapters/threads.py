"""How many threads an adapter computes with: set for its process, never inherited."""

from __future__ import annotations

import os

from adapters import xla

VARIABLE = "CROSSCHECK_THREADS"

# Read once by each library when it is loaded. PJRT_NPROC is jaxlib's name for the size of its pool and NPROC
# the one before it; XLA's own pool for matrix products has a flag instead of a number.
COUNTED = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "PJRT_NPROC",
    "NPROC",
)


def environment(threads: int) -> dict[str, str]:
    """The variables that give a new process that many threads in every framework of the suite."""
    return {**dict.fromkeys((VARIABLE, *COUNTED), str(threads)), **xla.merged(xla_flags(threads))}


def xla_flags(threads: int, devices: int = 1) -> dict[str, str]:
    """The flags that give XLA that many threads, and so many devices of the host; one it sees by itself."""
    multi = {"xla_cpu_multi_thread_eigen": "true" if threads > 1 else "false"}
    return multi if devices == 1 else {**multi, "xla_force_host_platform_device_count": str(devices)}


def count() -> int | None:
    """The number that this process was started with by `environment`; None: it was not started so."""
    stated = os.environ.get(VARIABLE)
    return None if stated is None else int(stated)
