"""A kind of sweep with little work, for tests of the machinery."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from adapters.errors import AdapterCrashed, AdapterMisbehaved
from crosscheck.inputs import Case
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import CheckedAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.measure import add_measured, summarise
from crosscheck.results.summary import Cell, Summary
from crosscheck.sweep.job import ShardResult

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
        """As `crosscheck.sweep.job.SweepKind`, like the members below."""
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

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """Judge the cases."""
        time.sleep(self.seconds)
        if self.diary:
            Path(self.diary, f"{shard}.{os.getpid()}.{time.monotonic_ns()}").touch()
        cells: dict[Cell, Summary] = {}
        for dtype in self.dtypes:
            case = self.case(shard, dtype)
            judge = Judge(case.problem())
            for adapter in adapters.values():
                outcome = evaluate_and_judge(adapter, judge)
                if isinstance(outcome.failure, AdapterMisbehaved | AdapterCrashed):
                    outcome.failure.add_note(f"its case: {case.text}")
                    raise outcome.failure
                exact = exact_values(judge, STACK)
                add_measured(cells, summarise(case, judge, outcome, exact), judge, outcome, exact)
        return ShardResult(self.problems(shard), cells)


class Broken(Toy, frozen=True, kw_only=True):
    """A kind of sweep with a mistake in it."""

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """No result."""
        del shard, adapters
        raise ValueError(BROKEN)
