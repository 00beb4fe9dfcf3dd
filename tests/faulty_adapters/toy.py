"""A kind of sweep with little work, for tests of the machinery."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from crosscheck.inputs import Case
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import Judge
from crosscheck.sweep.job import ShardResult
from crosscheck.sweep.shard import Shard

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

    def run(
        self, shard: int, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False
    ) -> ShardResult:
        """Judge the cases."""
        time.sleep(self.seconds)
        if self.diary:
            Path(self.diary, f"{shard}.{os.getpid()}.{time.monotonic_ns()}").touch()
        work = Shard(adapters, careful=careful)
        for dtype in self.dtypes:
            case = self.case(shard, dtype)
            judge = Judge(case.problem())
            results = work.evaluated(case, judge.problem)
            outcomes = {name: work.outcome(judge, name, got) for name, got in results.items()}
            work.add_outcomes(case, judge, outcomes, exact_values(judge, STACK))
        return work.result(self.problems(shard))


class Broken(Toy, frozen=True, kw_only=True):
    """A kind of sweep with a mistake in it."""

    def run(
        self, shard: int, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False
    ) -> ShardResult:
        """No result."""
        del shard, adapters, careful
        raise ValueError(BROKEN)
