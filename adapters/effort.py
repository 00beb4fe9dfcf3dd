"""What a call of an adapter costs, and how much the checks of the contract therefore try on it."""

from __future__ import annotations

from typing import NamedTuple

from adapters import is_ours
from adapters.modes import Mode, parse


class Effort(NamedTuple):
    """How much is tried on an adapter.

    Attributes:
        calls: how often it is called with a small problem and its variants.
        calls_large: how often with a large one.
        at_once: how often each of several threads calls it at the same time with a small problem.
        at_once_large: how often with a large one.
        other_shapes: whether it is called with other shapes and dtypes, too.
    """

    calls: int
    calls_large: int
    at_once: int
    at_once_large: int
    other_shapes: bool = True


# An adapter from outside may keep anything between calls, and fail at the 10th, the 100th or the 1,000th.
OUTSIDE = Effort(1000, 16, 64, 4)
# Our own adapters keep nothing but compiled programs, and a comparison calls each hundreds of times besides.
OWN = Effort(32, 4, 4, 0)
# A call of eager JAX takes 5 ms, and each new shape takes it and torch.compile seconds.
COSTLY = Effort(8, 4, 1, 0, other_shapes=False)
# Each call compiles a program: torch.compile takes up to 16 s for one.
COMPILED = Effort(4, 4, 0, 0, other_shapes=False)


def is_costly(mode: Mode) -> bool:
    """Whether a new shape takes about a second or more: eager JAX, and PyTorch where it compiles."""
    return mode.compiles if mode.framework == "torch" else mode.framework == "jax" and not mode.compiles


def is_slow(mode: Mode) -> bool:
    """Whether large shapes take long: the mode has a call for each network, or a pass for each weight."""
    return mode["derivative"] in ("module", "jacfwd", "jvp")


def effort_for(name: str) -> Effort:
    """Return how much is tried on the adapter of this name."""
    if not is_ours(name):
        return OUTSIDE
    mode = parse(name.partition("@")[0])
    if mode.compiles_values:
        return COMPILED
    return COSTLY if is_costly(mode) else OWN
