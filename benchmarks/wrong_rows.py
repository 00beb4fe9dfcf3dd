"""The smallest number of wrong rows that the loss and ∂L/∂W alone show, by their admissible sets.

    python benchmarks/wrong_rows.py [--rows 64 1025 ...] [--dtype float32 ...]

In a problem of m rows, K rows in succession are wrong and everything else is exact: they are left out, have
the terms of the K rows before them, the labels of the next rows, or σ(−z) for ŷ. For each kind of fault and
each source of problems, the least K = 1, 2, 4, … is found of which at least 95 of 100 places show: the wrong
sum is outside its set. Prints two tables for ``docs/accuracy.md``, "What a sum shows", with the figures for
p = 1 and for p = 2: before is the better one of the regimes ordinary and near_label, after the best one of
them and their sources of one scale; so many rows as νm can be left out of any problem unseen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from crosscheck.inputs import SOURCES, Case
from reference import bounds, stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.types import Float64, Problem
from reference.units import Units

ROWS: Final = (64, 1025, 4097, 16385, 65537, 131073)
OUTPUTS: Final = (1, 2)
INPUTS: Final = 3
BEFORE: Final = ("ordinary", "near_label")
AFTER: Final = tuple(f"one_scale_{regime}" for regime in BEFORE)
LEFT_OUT, BLOCK, LABEL, SIGMA = KINDS = ("left out", "of rows before", "label of the next", "σ(−z) for ŷ")
PLACES: Final = 100
SHOWN: Final = 95  # of the places
WIDE: Final = 2.0**-24  # the accumulator that frameworks have for 16-bit formats


class Terms(NamedTuple):
    """The terms of the sums by rows: of the loss ``[m]``, of ∂L/∂W ``[m, n, p]``."""

    loss: Float64
    grad: Float64


def terms_of(X: Float64, y: Float64, p: Float64, q: Float64) -> Terms:
    """The terms of each row, given ŷ = p and 1 − ŷ = q."""
    r = p - y
    return Terms((0.5 * r * r).sum(-1), X[:, :, None] * (r * p * q)[:, None, :])


def faults(problem: Problem) -> Iterator[tuple[str, Terms, Terms]]:
    """Yield each kind of fault with the terms of right rows, and those that a wrong row has instead."""
    X, y, W = problem
    p, q = stable.logistic(X @ W)
    right = terms_of(X, y, p, q)
    yield LEFT_OUT, right, Terms(*(np.zeros_like(term) for term in right))
    yield BLOCK, right, right
    yield LABEL, right, terms_of(X, np.roll(y, -1, 0), p, q)
    yield SIGMA, right, terms_of(X, y, q, p)


def claims(format: Format) -> Arithmetic:
    """The default claims; for 16-bit formats with the accumulator that frameworks have."""
    default = default_arithmetic(format)
    return default if format.precision > 16 else Arithmetic(default.kappa, u_acc=WIDE, u_sum=WIDE)


def least_rows(right: Float64, wrong: Float64, admissible: AdmissibleSet, *, back: bool) -> int | None:
    """The least K of which 95 of 100 places show; None if no K does.

    Args:
        right: the terms of the sum, ``[m, ...]``.
        wrong: the terms that wrong rows have.
        admissible: the set of the sum, of shape ``[...]``.
        back: whether a wrong row has the term of the row K before it.
    """
    sums = [np.concatenate([np.zeros_like(terms[:1]), np.cumsum(terms, axis=0)]) for terms in (right, wrong)]
    m = len(right)
    for K in (1 << k for k in range(m.bit_length() - 1)):
        start = K + np.arange(PLACES) * (m - 2 * K) // (PLACES - 1)
        instead = start - K * back
        lost, added = sums[0][start + K] - sums[0][start], sums[1][instead + K] - sums[1][instead]
        outside = admissible.judged & ~admissible.contains(admissible.center + (added - lost))
        if outside.reshape(PLACES, -1).any(1).sum() >= SHOWN * PLACES // 100:
            return K
    return None


Found = dict[tuple[str, str, str], int | None]


def measure(shape: tuple[int, int, int], dtype: str) -> Found:
    """The least K by source, kind of fault and output."""
    format = FORMATS[dtype]
    found: Found = {}
    for source in (*BEFORE, *AFTER):
        if SOURCES[source].unsupported(shape, format):
            continue
        problem = stable.widen(Case(source, 0, shape, dtype=dtype).problem())
        sets = bounds.admissible(problem, format, claims(format))
        for kind, right, wrong in faults(problem):
            for output in Terms._fields:
                terms = getattr(right, output), getattr(wrong, output)
                found[source, kind, output] = least_rows(*terms, sets[output], back=kind == BLOCK)
    return found


def best(found: Found, sources: tuple[str, ...], kind: str, output: str) -> str:
    """The least K over the sources."""
    numbers = [number for source in sources if (number := found.get((source, kind, output))) is not None]
    return f"{min(numbers):,}" if numbers else "–"


def limit(shape: tuple[int, int, int], dtype: str, output: str) -> float:
    """Return νm: so many rows, chosen for their small terms, can be left out of any problem unseen."""
    m, _, p = shape
    units = Units.of(FORMATS[dtype], claims(FORMATS[dtype]))
    return m * (units.nu_loss(m * p) if output == "loss" else units.nu_gradient(m))


def joined(figures: Iterable[str], between: str) -> str:
    """The figures, or one of them where all are equal."""
    found = list(figures)
    return found[0] if len(set(found)) == 1 else between.join(found)


def cell(found: list[Found], kind: str, output: str) -> str:
    """Before and after, for each number of outputs p."""
    both = ((best(one, sources, kind, output) for sources in (BEFORE, BEFORE + AFTER)) for one in found)
    return joined((joined(each, " → ") for each in both), "; ")


def lines(rows: Sequence[int], dtypes: Sequence[str]) -> Iterator[str]:
    """The lines of both tables."""
    found = {(dtype, m): [measure((m, INPUTS, p), dtype) for p in OUTPUTS] for dtype in dtypes for m in rows}
    for output, title in (("loss", "L"), ("grad", "∂L/∂W")):
        yield f"| {title} alone | νm | {' | '.join(KINDS)} |"
        yield "|---" * (2 + len(KINDS)) + "|"
        for (dtype, m), each in found.items():
            limits = (float(f"{limit((m, INPUTS, p), dtype, output):.1g}") for p in OUTPUTS)
            unseen = joined((f"{number:,g}" for number in limits), "; ")
            cells = (cell(each, kind, output) for kind in KINDS)
            yield f"| {dtype}, m = {m:,} | {unseen} | {' | '.join(cells)} |"
        yield ""


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description="the wrong rows that sums show")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--dtype", nargs="+", choices=tuple(FORMATS), default=tuple(FORMATS))
    options = parser.parse_args()
    print(*lines(options.rows, options.dtype), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
