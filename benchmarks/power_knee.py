"""The knee: how small a relative error can be and still lie outside the judge's sets.

G, ŷ and L of the healthy NumPy network are made larger by a factor 1 + ε. An element is caught from the ε on
that takes it to the first number of the format beyond its set. With several problems the least ε of all their
elements counts; over many seeds this gives a median, and the ε that is caught in 95 % of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from crosscheck.inputs import Case
from crosscheck.judging.judge import Judge
from reference.arithmetic import default_arithmetic
from reference.formats import Format
from reference.types import Float64
from tests.planted_faults.network import healthy

SEEDS: Final = 1000
PROBLEMS: Final = (1, 100, 10_000)
# Sizes m, n, p, and the most problems of each: 10,000 problems of 64 weights in 1,000 seeds are an hour.
SIZES: Final = (((1, 3, 1), 10_000), ((2, 3, 2), 100), ((1, 64, 1), 100), ((64, 8, 3), 1))
OUTPUTS: Final = ("y_hat", "loss", "grad")


def next_above(values: Float64, format: Format) -> Float64:
    """The least number of the format above each number: float64, exact; inf above the largest."""
    dtype = format.dtype
    with np.errstate(over="ignore"):
        near = values.astype(dtype)
    above = near.astype(np.float64) <= values
    upward = np.nextafter(near, np.array(np.inf, dtype)).astype(np.float64)
    return np.where(above, upward, near.astype(np.float64))


def least_errors(case: Case) -> dict[str, Float64]:
    """For every problem of a case and every output, the least ε that is outside; inf if no ε is."""
    judge = Judge(case.problem())
    sets = judge.sets(default_arithmetic(case.format))
    with np.errstate(all="ignore"):
        got = dict(zip(OUTPUTS, healthy(*judge.problem), strict=True))
        found: dict[str, Float64] = {}
        for name in OUTPUTS:
            value = np.abs(np.asarray(got[name]).astype(np.float64))
            one = sets[name]
            # a larger magnitude leaves the set of a negative number at its lower end
            end = np.where(np.signbit(np.asarray(got[name]).astype(np.float64)), -one.lo, one.hi)
            outside = next_above(end, case.format)
            ratio = np.where((value > 0) & np.isfinite(outside) & one.judged, outside / value - 1, np.inf)
            found[name] = ratio.reshape(case.shape[0], -1).min(-1)
    return found


def knees(dtype: str, size: tuple[int, int, int], most: int, seeds: int = SEEDS) -> Iterator[dict[str, Any]]:
    """Yield, for each number of problems and each output, the median and the 95 % figure over the seeds."""
    counts = [count for count in PROBLEMS if count <= most]
    least: dict[tuple[int, str], list[float]] = {(count, name): [] for count in counts for name in OUTPUTS}
    for seed in range(seeds):
        errors = least_errors(Case("ordinary", seed, (most, *size), dtype=dtype))
        for (count, name), values in least.items():
            values.append(float(errors[name][:count].min()))
    for (count, name), values in least.items():
        ordered = sorted(values)
        yield {
            "dtype": dtype,
            "size": "x".join(map(str, size)),
            "output": name,
            "problems": count,
            "seeds": seeds,
            "median": ordered[(seeds - 1) // 2],
            "share_95": ordered[math.ceil(0.95 * seeds) - 1],
        }


def measure(dtype: str, place: int) -> list[dict[str, Any]]:
    """The knees of one dtype and one of `SIZES`."""
    size, most = SIZES[place]
    return list(knees(dtype, size, most))
