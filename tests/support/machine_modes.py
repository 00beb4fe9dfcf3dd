"""Modes that some machines only can execute."""

from __future__ import annotations

from adapters import CORE
from adapters.instructions import LEVELS

# On other devices: tried where there is one.
ON_DEVICES = ("torch-cuda", "torch-compile-cuda", "jax-gpu", "jax-jit-gpu")

# The core adapters held to each instruction set: tried where the CPU has it.
AT_LEVELS = tuple(f"{name}-{level}" for name in CORE for level in LEVELS)
