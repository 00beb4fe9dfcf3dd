"""Adapters whose row losses show where they run: in which process, and in which memory their input lies."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from adapters import load
from adapters.memory import memory_of
from reference.types import Array, Outputs


class ShowsProcess:
    """Row losses: the number of the process, exact in float64."""

    framework, version, dtypes = "planted", "1", ("float64",)

    def __init__(self, name: str) -> None:
        self.name = name

    def evaluate(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """No output but row losses."""
        del y, W
        return {"row_loss": np.full(X.shape[:-1], os.getpid(), X.dtype)}


class ShowsMemory:
    """Row losses: phase, writeable and the strides of X; the other outputs hold the bits of the input."""

    name, framework, version = "memory", "planted", "1"
    dtypes = ("float64", "float32", "float16", "bfloat16")

    def evaluate(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """y and W as they came, and beside them, for six rows, facts about the memory of X."""
        memory = memory_of(X)
        facts = np.array([memory.phase, memory.writeable, *memory.strides, X.sum()], X.dtype)
        return {"y_hat": y.copy(), "grad": W.copy(), "row_loss": facts}


class ShowsDistances:
    """Row losses: how many bytes after X each of X, y and W begins."""

    name, framework, version, dtypes = "distances", "planted", "1", ("float64",)

    def evaluate(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """For three rows."""
        starts = np.array([array.ctypes.data for array in (X, y, W)], X.dtype)
        return {"row_loss": starts - starts[0]}


one, two = ShowsProcess("one"), ShowsProcess("two")
distances = ShowsDistances()
memory = ShowsMemory()


class ClaimsProcess:
    """NumPy's closed form with a claim that is another one in each process."""

    name, framework, version, dtypes = "claims-process", "planted", "1", ("float64",)

    def arithmetic(self, dtype: str) -> dict[str, Any]:
        """κ is the number of the process."""
        return {"kappa": float(os.getpid()), "sources": {"kappa": f"the process, in {dtype}"}}

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """What NumPy returns."""
        return load("numpy").evaluate(X, y, W)


claims = ClaimsProcess()
