"""The random sweep in this process: shard after shard, each of new problems, with all adapters loaded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

from clock import REST, Clock

from adapters import NAMED, load
from adapters.modes import FORWARD_MODES, Mode, parse
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.sweep.job import ShardResult
from crosscheck.sweep.random import Random

Size = tuple[int, int, int]
THREE: Final = ("numpy", "torch", "jax-jit")
# More problems than any benchmark comes to.
ENOUGH: Final = 10**12


def text(size: Size) -> str:
    """The size as cases have it."""
    return "x".join(map(str, size))


def takes_part(mode: Mode) -> bool:
    """Whether one pass of it, in one thread of this process, takes a whole stack.

    torch.nn.Linear takes a network at a time. Forward modes need as many passes as there are weights, so that
    at 64 of them all else would seem cheap.
    """
    return (mode.threads, mode.devices) == (1, 1) and mode["derivative"] not in ("module", *FORWARD_MODES)


def every_mode(*, hazards: bool = False) -> tuple[str, ...]:
    """The named modes that take part, the usual three first; hazards, if they do, last."""
    modes = {name: parse(name) for name in NAMED}
    some = [name for name, mode in modes.items() if takes_part(mode) and not mode.is_hazard]
    others = [name for name, mode in modes.items() if takes_part(mode) and mode.is_hazard and hazards]
    return tuple(dict.fromkeys([*THREE, *some, *others]))


class Volume:
    """The random sweep with one dtype, one size and some adapters, which have compiled.

    Attributes:
        adapters: all of them, by their names.
        kind: the random sweep.
    """

    def __init__(self, names: Sequence[str], dtype: str, size: Size = (1, 3, 1)) -> None:
        self.adapters = {name: InProcessAdapter(load(name)) for name in names}
        self.kind = Random(ENOUGH, (dtype,), size)
        self._shards: Iterator[int] = itertools.count(1)  # of new cases: drawing them is timed, too
        for first, *_ in self.kind.cases(0):
            problem = first.problem()
            for adapter in self.adapters.values():
                adapter.evaluate(*problem)

    def shard(self) -> ShardResult:
        """The next shard.

        Raises:
            AssertionError: something disagreed, so that this is no measurement of agreement.
        """
        found = self.kind.run(next(self._shards), self.adapters)
        if found.faults:
            raise AssertionError(f"a benchmark is of problems that agree: {found.faults}")
        return found

    def time_shard(self) -> dict[str, Any]:
        """Run the next shard: how many problems it had, and the seconds of every part of the sweep."""
        clock = Clock()
        with clock.running(self.adapters), clock.part(REST):
            found = self.shard()
        return {"problems": found.problems, "spent": dict(clock.spent)}
