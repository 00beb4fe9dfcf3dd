"""The number of threads that an adapter computes with: set for its process, never inherited."""

from __future__ import annotations

import os

from adapters import xla

VARIABLE = "CROSSCHECK_THREADS"

# Each library reads its variable once, when it is loaded. PJRT_NPROC is the size of jaxlib's thread pool, and
# NPROC its name in older releases; XLA's own pool for matrix products has a flag that is on or off.
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
    """Return the variables that set this number of threads in every framework, for a new process."""
    return {**dict.fromkeys((VARIABLE, *COUNTED), str(threads)), **xla.merged(xla_flags(threads))}


def xla_flags(threads: int, devices: int = 1) -> dict[str, str]:
    """Return XLA's flags for these threads and devices of the host; one device needs no flag."""
    multi = {"xla_cpu_multi_thread_eigen": "true" if threads > 1 else "false"}
    return multi if devices == 1 else {**multi, "xla_force_host_platform_device_count": str(devices)}


def count() -> int | None:
    """Return the number of threads that `environment` set for this process; None if it set none."""
    stated = os.environ.get(VARIABLE)
    return None if stated is None else int(stated)
