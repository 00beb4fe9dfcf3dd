"""How much the checks of the contract try on an adapter, which depends on what a call of it costs."""

from __future__ import annotations

from typing import NamedTuple

from adapters import is_ours
from adapters.modes import parse


class Effort(NamedTuple):
    """How much is tried on an adapter.

    Attributes:
        calls: how often it is called with a small problem and its variants.
        calls_large: how often with a large one.
        at_once: how often each of several threads calls it at the same time with a small problem.
        at_once_large: how often with a large one.
        again: how often in a row it is called with one small problem after that, as a benchmark does.
        alone: with how many small problems it is called one at a time, each once.
        is_costly: whether it is spared other shapes and dtypes.
        is_outside: whether X, y and W alone have every memory layout, too, and larger calls come in between.
    """

    calls: int
    calls_large: int
    at_once: int
    at_once_large: int
    again: int = 0
    alone: int = 0
    is_costly: bool = False
    is_outside: bool = False


# An adapter from outside may keep anything between calls, and fail at the 10th, the 100th or the 1,000th.
OUTSIDE = Effort(1000, 64, 64, 4, again=100, alone=4096, is_outside=True)
# Our own adapters keep nothing but compiled programs, and a comparison calls each hundreds of times besides.
OWN = Effort(32, 4, 4, 0)
# A call of eager JAX takes 5 ms, and each new shape costs it and torch.compile seconds.
COSTLY = Effort(8, 4, 1, 0, is_costly=True)
# Each call compiles a program: torch.compile takes up to 16 s for one.
COMPILED = Effort(4, 4, 0, 0, is_costly=True)


def effort_for(name: str) -> Effort:
    """Return how much is tried on the adapter of this name."""
    if not is_ours(name):
        return OUTSIDE
    mode = parse(name.partition("@")[0])
    if mode.compiles_values:
        return COMPILED
    is_costly = mode["execution"] == ("eager" if mode.framework == "jax" else "compile")
    return COSTLY if is_costly else OWN
