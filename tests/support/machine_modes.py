"""Modes that only some machines can execute."""

from __future__ import annotations

from adapters import CORE
from adapters.instructions import LEVELS

# Modes on other devices, which are tried where there is such a device.
ON_DEVICES = ("torch-cuda", "torch-compile-cuda", "jax-gpu", "jax-jit-gpu")

# The core adapters restricted to each instruction set, which are tried where the CPU has it.
AT_LEVELS = tuple(f"{name}-{level}" for name in CORE for level in LEVELS)
