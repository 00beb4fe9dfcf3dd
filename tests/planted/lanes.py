"""A lane of little work, for tests of the machinery."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from adapters.errors import AdapterDied, AdapterMisbehaved
from crosscheck.accuracy import best_known
from crosscheck.cases import Case
from crosscheck.comparison.summarise import summarise
from crosscheck.judge import Judge
from crosscheck.summary import Cell, Summary, add
from crosscheck.sweep.lane import Found
from crosscheck.trial import Subject, run

STACK = 2
BROKEN = "a mistake of the suite"


class Toy(Struct, frozen=True, kw_only=True):
    """One case of two problems for each shard and dtype.

    Attributes:
        shards: how many.
        dtypes: of the cases.
        seed: of the first.
        seconds: that each shard takes at least.
        diary: a directory in which each shard leaves a file when it is computed, and again if it is so twice.
    """

    shards: int = 4
    dtypes: tuple[str, ...] = ("float64",)
    seed: int = 0
    seconds: float = 0.0
    diary: str = ""

    @property
    def profile(self) -> str:
        """As `crosscheck.sweep.lane.Lane`, like the members below."""
        return "sweep toy"

    def __len__(self) -> int:
        return self.shards

    def problems(self, shard: int) -> int:
        """The same for all."""
        del shard
        return STACK * len(self.dtypes)

    def case(self, shard: int, dtype: str) -> Case:
        """Of a shard."""
        return Case("ordinary", self.seed + shard, (STACK, 1, 3, 1), dtype=dtype)

    def run(self, shard: int, subjects: Mapping[str, Subject]) -> Found:
        """Judge the cases."""
        time.sleep(self.seconds)
        if self.diary:
            Path(self.diary, f"{shard}.{os.getpid()}.{time.monotonic_ns()}").touch()
        cells: dict[Cell, Summary] = {}
        for dtype in self.dtypes:
            case = self.case(shard, dtype)
            judge = Judge(case.problem())
            for subject in subjects.values():
                outcome = run(subject, judge)
                if isinstance(outcome.failure, AdapterMisbehaved | AdapterDied):
                    outcome.failure.add_note(f"its case: {case.text}")
                    raise outcome.failure
                add(cells, summarise(case, judge, outcome, best_known(judge, STACK)))
        return Found(self.problems(shard), cells)


class Broken(Toy, frozen=True, kw_only=True):
    """A lane with a mistake in it."""

    def run(self, shard: int, subjects: Mapping[str, Subject]) -> Found:
        """No result."""
        del shard, subjects
        raise ValueError(BROKEN)
