"""How PyTorch runs a function: eagerly, compiled, or without a graph; and its settings during a call."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.compiler import config

from adapters.modes import Mode

Routine = Callable[..., Any]
# torch's limit on compiled programs, raised: a run has one for each shape, dtype, layout and constants.
PROGRAMS = 1 << 20


def _compiled(function: Routine) -> Routine:
    """Compile by `torch.compile` with inductor, as one graph, so that nothing silently runs eagerly."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        raise NotImplementedError("torch.compile on the CPU needs a C++ compiler, and there is none")
    config.recompile_limit = PROGRAMS
    config.accumulated_recompile_limit = PROGRAMS
    return torch.compile(function, fullgraph=True, dynamic=False)


EXECUTIONS: dict[str, Callable[[Routine], Routine]] = {
    "eager": lambda function: function,
    "compile": _compiled,
    "nograd": torch.no_grad(),
    "inference": torch.inference_mode(),
}


@contextmanager
def switches(mode: Mode, threads: int) -> Iterator[None]:
    """Set torch's number of threads and, until the block ends, the mode's accuracy switches."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    precision, deterministic = (
        torch.get_float32_matmul_precision(),
        torch.are_deterministic_algorithms_enabled(),
    )
    torch.set_float32_matmul_precision(
        {"matmul_high": "high", "matmul_medium": "medium"}.get(mode["matmul"], precision)
    )
    torch.use_deterministic_algorithms(deterministic or mode["algorithms"] == "deterministic")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.use_deterministic_algorithms(deterministic)
