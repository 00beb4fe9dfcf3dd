"""Where the time of a sweep goes: its own functions, each with a clock around it while it is measured.

The clock shows one part at a time, the innermost function's that is under way. So the parts are disjoint and
add up to the whole; what belongs to no function below is the part `REST`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from time import perf_counter
from types import ModuleType
from typing import Any, Final, NamedTuple
from unittest.mock import patch

import xxhash

import reference.filter
from crosscheck.inputs import Case
from crosscheck.judging import evaluation
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import Judge
from crosscheck.sweep import bulk, random, result_groups, shard
from reference import stable

REST: Final = "rest"


class Timed(NamedTuple):
    """A function of the sweep.

    Attributes:
        owner: where the sweep looks it up.
        name: there.
        part: that its time belongs to.
        whole: with all that it calls; otherwise what it calls may belong to other parts.
    """

    owner: type | ModuleType
    name: str
    part: str
    whole: bool = False


TIMED: Final[Sequence[Timed]] = (
    Timed(Case, "problem_view", "generation"),
    Timed(stable, "widen", "reference"),
    Timed(stable, "evaluate", "reference"),
    Timed(reference.filter, "centers", "reference"),
    Timed(Judge, "radii", "radii"),
    Timed(Judge, "shares", "judge"),
    Timed(Judge, "judge", "judge"),
    Timed(bulk.BulkJudge, "judge", "counts"),
    Timed(result_groups, "hash_of", "hash"),
    Timed(bulk, "digest_of", "hash"),
    Timed(xxhash, "xxh3_64_intdigest", "hash"),
    Timed(bulk.BulkJudge, "summaries", "close look", whole=True),
    Timed(shard.Shard, "add_disagreements_at", "disagreements", whole=True),
    Timed(random, "add", "merge", whole=True),
    Timed(evaluation, "outputs_of", "contract"),
    Timed(shard.Shard, "evaluated", "contract"),
)
# The parts as the tables group them; an adapter's own evaluation is a part by its name.
GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "generation": ("generation",),
    "reference": ("reference", "radii"),
    "judge": ("judge",),
    "bookkeeping": ("counts", "hash", "close look", "disagreements", "merge", "contract", REST),
}


class Clock:
    """Seconds by part.

    Attributes:
        spent: those of every part so far.
    """

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._parts: list[str] = []
        self._since, self._held = 0.0, False

    @property
    def whole(self) -> float:
        """All of them together."""
        return sum(self.spent.values())

    @contextmanager
    def part(self, name: str, *, whole: bool = False) -> Iterator[None]:
        """What is done meanwhile belongs to the part; nothing changes within one that is taken whole."""
        if self._held:
            yield
            return
        self._turn()
        self._parts.append(name)
        self._held = whole
        try:
            yield
        finally:
            self._held = False
            self._turn()
            self._parts.pop()

    def _turn(self) -> None:
        """Give the time since the last turn to the part that it belongs to."""
        now = perf_counter()
        if self._parts:
            self.spent[self._parts[-1]] += now - self._since
        self._since = now

    def around(self, function: Callable[..., Any], part: str, *, whole: bool = False) -> Callable[..., Any]:
        """The function, with the clock."""

        @wraps(function)
        def timed(*given: Any, **named: Any) -> Any:
            with self.part(part, whole=whole):
                return function(*given, **named)

        return timed

    @contextmanager
    def running(self, adapters: Mapping[str, InProcessAdapter]) -> Iterator[None]:
        """Have the clock around all of `TIMED` and every adapter's `evaluate`; afterwards as before."""
        with ExitStack() as stack:
            for owner, name, part, whole in TIMED:
                function = self.around(getattr(owner, name), part, whole=whole)
                stack.enter_context(patch.object(owner, name, function))
            for part, adapter in adapters.items():
                function = self.around(adapter.wrapped.evaluate, part)
                stack.enter_context(patch.object(adapter.wrapped, "evaluate", function))
            yield

    def grouped(self, adapters: Sequence[str]) -> dict[str, float]:
        """The seconds of the frameworks by adapter, then of the groups."""
        names = {part for parts in GROUPS.values() for part in parts} | set(adapters)
        if unknown := set(self.spent) - names:
            raise AssertionError(f"parts of no group: {unknown}")
        groups = {group: sum(self.spent[part] for part in parts) for group, parts in GROUPS.items()}
        return {**{name: self.spent[name] for name in adapters}, **groups}
