"""The memory of a process that sweeps: after so many shards, and at most.

    python benchmarks/memory.py [--shards 1 10 50] [--cases 64] [--dtype float64] [--size 1x3x1] [--only ...]

Prints a line of JSON for each number of shards: problems so far, what the process holds, and the most it ever
held, in bytes. Linux only: the present size is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
from pathlib import Path

from adapters import threads

os.environ.update(threads.environment(1))  # before NumPy, torch or JAX read it

from volume import THREE, Volume

from crosscheck.sweep import random

STATM = Path("/proc/self/statm")


def held() -> int:
    """Bytes of memory that the process has now."""
    return int(STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> int:
    """The most bytes that it had at any time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Sweep, and print what is held."""
    parser = argparse.ArgumentParser(description="the memory of a process that sweeps")
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--size", default="1x3x1")
    parser.add_argument("--only", default=",".join(THREE))
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--cases", type=int, default=random.CASES, help="cases of a shard")
    options = parser.parse_args()
    vars(random)["CASES"] = options.cases
    m, n, p = map(int, options.size.split("x"))
    volume, problems = Volume(options.only.split(","), options.dtype, (m, n, p)), 0
    for shard in range(1, max(options.shards) + 1):
        problems += volume.shard().problems
        if shard in options.shards:
            told = {"shards": shard, "problems": problems, "held": held(), "peak": max(peak(), held())}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
