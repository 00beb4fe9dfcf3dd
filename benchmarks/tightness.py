"""How much of its bound each output uses, by format and size: |result − center| / radius.

    python benchmarks/tightness.py [--sizes 1x3x1 ...] [--dtype float32 ...] [--problems 65536] [--steps 40]

For every format and size four figures: the median and the largest share of NumPy, torch and jitted JAX over
ordinary problems; the largest share that a climb on the inputs finds for them, which perturbs problems of
four regimes and keeps those with a larger share; and the largest share that the same climb finds for correct
implementations of the default claims (benchmarks/emulations.py: orders of sums, FMA, a logistic at the ends
of its κ). The last figure says how loose the bound itself is: 1 would be a value that an implementation of
the model can return. Prints the table of ``docs/accuracy.md``; exits 1 if a share is above 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

# one thread each, before NumPy, torch or JAX read it
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from attack import perturbed
from emulations import drawn

import adapters
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import InProcessAdapter
from reference import bounds
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array, Float64, Problem

SIZES: Final = (
    (1, 1, 1),
    (1, 3, 1),
    (2, 3, 2),
    (7, 3, 2),
    (8, 8, 1),
    (64, 8, 3),
    (1025, 3, 2),
    (16385, 3, 2),
)
CLIMBED: Final = 2048  # the most numbers of X, times p, of a problem that climbs
FRAMEWORKS: Final = ("numpy", "torch", "jax-jit")
REGIMES: Final = ("ordinary", "near_label", "saturated_high", "saturated_low")
OUTPUTS: Final = {"y_hat": "ŷ", "row_loss": "L of a row", "loss": "L", "grad": "∂L/∂W"}
ROUNDS: Final = 8  # climbs with emulations, each of another one
STACK: Final = 2048  # problems of the smallest size in one step of a climb

Outputs = dict[str, Float64]
Evaluate = Callable[[Problem], Outputs]
Size = tuple[int, int, int]
Shares = dict[str, Float64]


@dataclass(frozen=True)
class Implementation:
    """A function from problems to outputs in float64, exact from their format, and its claims."""

    evaluate: Evaluate
    claims: Arithmetic


def framework(name: str, format: Format) -> Implementation:
    """An adapter of the suite."""
    adapter = InProcessAdapter(adapters.load(name))

    def evaluate(problem: Problem) -> Outputs:
        found = adapter.evaluate(*problem)._asdict()
        return {name: np.asarray(got).astype(np.float64) for name, got in found.items() if got is not None}

    return Implementation(evaluate, adapter.description.arithmetic[format.name])


def emulated(random: np.random.Generator, format: Format) -> Implementation:
    """A correct implementation at random that makes the default claims."""
    drawn_one = replace(drawn(random, format), claims=default_arithmetic(format))

    def evaluate(problem: Problem) -> Outputs:
        return drawn_one.outputs(Problem(*(array.astype(np.float64) for array in problem)))

    return Implementation(evaluate, drawn_one.claims)


def shares(problem: Problem, format: Format, one: Implementation) -> Shares:
    """Return the shares of every output, ``[S, ...]``.

    0 where the set has no end, where it is not judged, and where the center is below λ/u, so that absolute
    errors of the subnormal range matter.
    """
    sets, found = bounds.admissible(problem, format, one.claims), {}
    for name, got in one.evaluate(problem).items():
        if name in OUTPUTS:
            share = sets[name].share(got, sets[name].contains(got))
            counts = sets[name].judged & (np.abs(sets[name].center) >= format.least_normal / format.u)
            found[name] = np.where(counts, np.nan_to_num(share, nan=0.0, posinf=2.0), 0.0)
    return found


def largest(found: Float64) -> Array:
    """The largest share of each problem, ``[S]``."""
    return np.asarray(found.reshape(len(found), -1).max(1))


def start(size: Size, format: Format, seed: int) -> Problem:
    """A stack of problems of the four regimes, one after the other."""
    count = max(STACK // (16 * int(np.prod(size))), 2) * len(OUTPUTS)
    cases = (Case(regime, seed, (count, *size), dtype=format.name).problem() for regime in REGIMES)
    return Problem(*(np.concatenate(arrays) for arrays in zip(*cases, strict=True)))


def climb(
    size: Size, format: Format, one: Implementation, steps: int, random: np.random.Generator
) -> dict[str, float]:
    """The largest share of each output; problem k of the stack climbs on that of output k modulo four."""
    problem = start(size, format, int(random.integers(2**32)))
    best = np.full(len(problem.X), -1.0)
    found = dict.fromkeys(OUTPUTS, 0.0)
    for step in range(steps):
        tried = problem
        if step:
            wide = (perturbed(random, array.astype(np.float64), format) for array in problem)
            tried = Problem(*(array.astype(format.dtype) for array in wide))
        each = {name: largest(share) for name, share in shares(tried, format, one).items()}
        for name, share in each.items():
            found[name] = max(found[name], float(share.max()))
        own = np.zeros(len(best))
        for place, name in enumerate(OUTPUTS):
            if name in each:
                own[place :: len(OUTPUTS)] = each[name][place :: len(OUTPUTS)]
        better = (own > best)[:, None, None]
        problem = Problem(*(np.where(better, new, old) for new, old in zip(tried, problem, strict=True)))
        best = np.maximum(best, own)
    return found


def highest(found: list[dict[str, float]]) -> dict[str, float]:
    """The largest of several climbs."""
    return {name: max(each[name] for each in found) for name in OUTPUTS}


def measure(size: Size, format: Format, problems: int, steps: int, seed: int) -> dict[str, list[float]]:
    """Measure the four figures of every output; two where the size is too large for a climb."""
    random, climbs = np.random.default_rng(seed), np.prod(size) <= CLIMBED
    ordinary = Case("ordinary", seed, (max(problems // int(np.prod(size)), 16), *size), dtype=format.name)
    plain: dict[str, list[Float64]] = {name: [] for name in OUTPUTS}
    climbed = []
    for name in FRAMEWORKS:
        one = framework(name, format)
        for output, share in shares(ordinary.problem(), format, one).items():
            plain[output].append(share.ravel())
        if climbs:
            climbed.append(climb(size, format, one, steps, random))
    every = {name: np.concatenate(several) for name, several in plain.items()}
    usual = {name: float(share.max()) for name, share in every.items()}
    found = [{name: float(np.median(share)) for name, share in every.items()}, usual]
    if climbs:
        worst = [climb(size, format, emulated(random, format), steps, random) for _ in range(ROUNDS)]
        found += [highest([usual, *climbed]), highest(worst)]
    return {name: [figures[name] for figures in found] for name in OUTPUTS}


def lines(
    dtypes: Sequence[str], sizes: Sequence[Size], problems: int, steps: int, seed: int
) -> Iterator[tuple[str, float]]:
    """The lines of the table, and the largest share in each."""
    yield f"| m×n×p | {' | '.join(OUTPUTS.values())} |", 0.0
    yield "|---" * (1 + len(OUTPUTS)) + "|", 0.0
    for dtype in dtypes:
        for size in sizes:
            found = measure(size, FORMATS[dtype], problems, steps, seed)
            cells = (" ".join(f"{share:.2g}" for share in found[name]) for name in OUTPUTS)
            yield (
                f"| {dtype}, {'×'.join(map(str, size))} | {' | '.join(cells)} |",
                max(map(max, found.values())),
            )


def size_of(text: str) -> Size:
    """Read a size such as 1x3x1."""
    m, n, p = map(int, text.split("x"))
    return m, n, p


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="the shares of the bounds that are used")
    parser.add_argument("--problems", type=int, default=1 << 16)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", type=size_of, nargs="+", default=SIZES, metavar="MxNxP")
    parser.add_argument("--dtype", nargs="+", choices=tuple(FORMATS), default=tuple(FORMATS))
    options = parser.parse_args()
    worst = 0.0
    with np.errstate(all="ignore"):
        measured = lines(options.dtype, options.sizes, options.problems, options.steps, options.seed)
        for line, share in measured:
            print(line, flush=True)
            worst = max(worst, share)
    return 1 if worst > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
