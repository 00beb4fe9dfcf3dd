"""The cost of judging beside the frameworks' own evaluation, in one process and one run.

    python benchmarks/judging.py [--stack 8192] [--runs 5] [--rounds 40]

Every round evaluates the same stack with NumPy, torch and jitted JAX and judges all three: the reference and
its filter, comparisons, and full sets for what the filter does not accept. A run is the sum of its rounds,
each with a stack of its own; the frameworks have compiled before the first. Prints medians over the runs, in
nanoseconds a problem, and judging ÷ frameworks.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import TypeVar

# one thread each, as in the children of a run; before NumPy, torch or JAX read it
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import adapters
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import Judge
from reference.formats import format_of
from reference.types import Problem
from reference.units import Units

T = TypeVar("T")
NAMES = ("numpy", "torch", "jax-jit")
JUDGING = ("reference", "radii", *(f"judge {name}" for name in NAMES))


def timed(spent: defaultdict[str, float], name: str, work: Callable[[], T]) -> T:
    """Do the work and add its seconds to the name."""
    begin = time.perf_counter()
    result = work()
    spent[name] += time.perf_counter() - begin
    return result


def round_of(spent: defaultdict[str, float], loaded: list[InProcessAdapter], problem: Problem) -> int:
    """Evaluate and judge one stack; returns how many outputs the filter did not accept whole."""
    outputs = [timed(spent, s.description.name, partial(s.evaluate, *problem)) for s in loaded]
    judge = Judge(problem)
    timed(spent, "reference", lambda: judge.centers)
    units = {Units.of(format_of(problem.X), s.description.arithmetic[judge.format.name]) for s in loaded}
    timed(spent, "radii", lambda: [judge.radii(each) for each in units])
    passed = 0
    for adapter, found in zip(loaded, outputs, strict=True):
        description = adapter.description
        claims = description.arithmetic[judge.format.name]
        judgements = timed(spent, f"judge {description.name}", partial(judge.judge, found, claims))
        passed += sum(int((~j.filtered).sum()) for j in judgements.values())
    return passed


def run(loaded: list[InProcessAdapter], problems: list[Problem]) -> tuple[defaultdict[str, float], int]:
    """One run over all stacks."""
    spent: defaultdict[str, float] = defaultdict(float)
    return spent, sum(round_of(spent, loaded, problem) for problem in problems)


def report(dtype: str, runs: list[defaultdict[str, float]], problems: int, passed: int) -> None:
    """Print the split and the ratio of one dtype."""
    print(f"{dtype}: {problems:,} problems a run, {passed} outputs went to the full set")
    for name in (*NAMES, *JUDGING):
        print(f"  {name:<16}{statistics.median(r[name] for r in runs) / problems * 1e9:8.1f} ns")
    ratios = [sum(r[n] for n in JUDGING) / sum(r[n] for n in NAMES) for r in runs]
    shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"  judging ÷ frameworks: {statistics.median(ratios):.2f}  (runs: {shown})")


def main() -> None:
    """Measure float64 and float32."""
    parser = argparse.ArgumentParser(description="judging beside the frameworks' own evaluation")
    for option, value in (("--stack", 8192), ("--runs", 5), ("--rounds", 40)):
        parser.add_argument(option, type=int, default=value)
    options = parser.parse_args()
    loaded = [InProcessAdapter(adapters.load(name)) for name in NAMES]
    for dtype in ("float64", "float32"):
        shape = (options.stack, 1, 3, 1)
        problems = [Case("ordinary", seed, shape, dtype=dtype).problem() for seed in range(options.rounds)]
        run(loaded, problems[:2])
        measured = [run(loaded, problems) for _ in range(options.runs)]
        report(dtype, [spent for spent, _ in measured], options.stack * options.rounds, measured[0][1])


if __name__ == "__main__":
    main()
