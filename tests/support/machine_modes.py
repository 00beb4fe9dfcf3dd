"""Modes that only some machines can execute: on other devices, and at the instruction sets of their CPU."""

from __future__ import annotations

from typing import Any

import pytest

from adapters import CORE
from adapters.instructions import LEVELS, unavailable

# Modes on other devices, which are tried where there is such a device.
ON_DEVICES = ("torch-cuda", "torch-compile-cuda", "jax-gpu", "jax-jit-gpu")

# The core adapters restricted to each instruction set, which are tried where the CPU has it.
AT_LEVELS = tuple(f"{name}-{level}" for name in CORE for level in LEVELS)
OLDEST = "sse42"


def needs(level: str) -> pytest.MarkDecorator:
    """Make a mark that skips a test, with the reason, where this CPU does not support the level."""
    reason = unavailable(level)
    return pytest.mark.skipif(reason is not None, reason=reason or "")


def levels(*, all_quick: bool = False) -> list[Any]:
    """Return all levels as parameters; those after the oldest are marked ``long`` unless all are quick."""
    long = pytest.mark.long
    return [
        pytest.param(level, marks=[needs(level), *[long] * (not (all_quick or level == OLDEST))])
        for level in LEVELS
    ]
