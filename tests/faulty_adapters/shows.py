"""Adapters whose row losses show where they run: in which process, and in which memory their input lies."""

from __future__ import annotations

import os

import numpy as np

from adapters.memory import memory_of
from reference.types import Array


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


one, two = ShowsProcess("one"), ShowsProcess("two")
memory = ShowsMemory()
