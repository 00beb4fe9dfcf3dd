"""How PyTorch runs a function: eagerly, compiled, or without a graph; and the switches around a call."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.compiler import config

from adapters.modes import Mode

Routine = Callable[..., Any]
# A program for every shape, dtype, layout and set of constants of a run, not the few that torch keeps.
PROGRAMS = 1 << 20


def _compiled(function: Routine) -> Routine:
    """`torch.compile` with inductor; whole, so that nothing falls back to eager without a word."""
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
    """The adapter's threads, and for one call the mode's switches for accuracy; then those as they were."""
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
