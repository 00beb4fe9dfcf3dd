"""Accuracy: how far results are from the exact value, in ulp, by the cheapest means that is sure enough.

Three rungs, each used where the one before it is not sure to ``RESOLUTION`` ulp: the float64 reference for
the narrower formats, double-double arithmetic, the oracle. An element that no rung has reached within the
budget has no figure.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crosscheck.judge import AXES, Judge, flat
from reference import bounds, double_double, oracle
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS, Format
from reference.types import Bool, Float64, Outputs, Problem
from reference.ulp import category, error_in_ulp, ulp
from reference.units import KAPPA_REFERENCE

# The best known value may be off by this much of an ulp before the next rung is asked.
RESOLUTION = 2.0**-7
FLOAT64 = FORMATS["float64"]


class Rung(enum.IntEnum):
    """Where a best known value comes from."""

    UNKNOWN = 0
    FLOAT64 = 1
    DOUBLE_DOUBLE = 2
    ORACLE = 3


class BestKnown(NamedTuple):
    """The best known value of one output, element by element.

    Attributes:
        hi: float64, the nearest double; NaN where unknown.
        lo: float64, the rest.
        rung: where it comes from, a `Rung`.
    """

    hi: Float64
    lo: Float64
    rung: NDArray[np.int8]


def best_known(
    judge: Judge, budget: int | None = None, suspicion: Float64 | None = None
) -> dict[str, BestKnown]:
    """The best known values of every output of the judge's problem.

    Args:
        judge: of the stack.
        budget: how many of the problems that need it the oracle may take; None: all of them.
        suspicion: ``[problems]``, larger for those that matter more: they get half of the budget, the first
            problems, a sample, the rest. None: a sample only.
    """
    known = {name: _unknown(judge, name) for name in AXES}
    if judge.format != FLOAT64:
        _climb(known, _float64(judge), Rung.FLOAT64, judge.format)
    if any((best.rung == Rung.UNKNOWN).any() for best in known.values()):
        certified = double_double.evaluate(*judge.problem)._asdict()
        _climb(known, {name: tuple(c) for name, c in certified.items()}, Rung.DOUBLE_DOUBLE, judge.format)
    _ask_oracle(known, judge, budget, suspicion)
    return known


def _unknown(judge: Judge, name: str) -> BestKnown:
    shape = getattr(judge.centers, name).shape
    return BestKnown(np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, np.int8))


def _float64(judge: Judge) -> dict[str, tuple[Float64, Float64, Float64]]:
    """The reference's values with their own full radius, as an implementation in float64; NaN has none."""
    sets = bounds.admissible(judge.wide, FLOAT64, Arithmetic(KAPPA_REFERENCE), judge.reference)
    return {
        name: (one.center, np.zeros_like(one.center), np.where(one.must, np.inf, one.radius))
        for name, one in sets.items()
        if name in AXES
    }


def _climb(
    known: dict[str, BestKnown],
    found: dict[str, tuple[Float64, Float64, Float64]],
    rung: Rung,
    format: Format,
) -> None:
    """Take over what is sure enough."""
    for name, best in known.items():
        hi, lo, radius = found[name]
        sure = _sure(hi, lo, radius, format) & (best.rung == Rung.UNKNOWN)
        np.copyto(best.hi, hi, where=sure)
        np.copyto(best.lo, lo, where=sure)
        best.rung[sure] = rung


def _sure(hi: Float64, lo: Float64, radius: Float64, format: Format) -> Bool:
    """Whether the radius is a small part of the ulp, wherever within the radius the value lies."""
    with np.errstate(all="ignore"):
        least = np.maximum(np.abs(hi) - radius, 0.0)
        return np.isfinite(hi) & (radius <= RESOLUTION * ulp(least, format, lo))


def _chosen(rows: NDArray[np.intp], budget: int | None, suspicion: Float64 | None) -> NDArray[np.intp]:
    """The rows that the budget pays for: the most suspicious and the first."""
    if budget is None or rows.size <= budget:
        return rows
    if suspicion is None:
        return rows[:budget]
    suspects = rows[np.argsort(-suspicion[rows], kind="stable")[: budget // 2]]
    return np.concatenate([suspects, np.setdiff1d(rows, suspects)[: budget - suspects.size]])


def _ask_oracle(
    known: dict[str, BestKnown], judge: Judge, budget: int | None, suspicion: Float64 | None
) -> None:
    """Let the oracle decide the problems that are left, as far as the budget goes."""
    count = judge.problem.stack_size
    open_elements = (flat(best.rung == Rung.UNKNOWN, AXES[name]) for name, best in known.items())
    is_open = np.any([each.reshape(count, -1).any(-1) for each in open_elements], axis=0)
    finite = np.all([np.isfinite(flat(a, 2)).all((-2, -1)) for a in judge.wide], axis=0)
    rows = _chosen(np.flatnonzero(is_open & finite), budget, suspicion)
    if not rows.size:
        return
    exact = oracle.evaluate(*Problem(*(flat(a, 2)[rows] for a in judge.problem)))
    for name, best in known.items():
        hi, lo = oracle.to_floats(getattr(exact, name))
        flat(best.hi, AXES[name])[rows], flat(best.lo, AXES[name])[rows] = hi, lo
        flat(best.rung, AXES[name])[rows] = Rung.ORACLE


def errors(
    outputs: Outputs, best: dict[str, BestKnown], format: Format
) -> dict[str, tuple[Float64, NDArray[np.int8]]]:
    """The error in ulp of every output that is there, and its category (`reference.ulp.Category`).

    The error is NaN where the best known value is, and where the category has none.
    """
    return {
        name: (error_in_ulp(got, known.hi, known.lo, format), category(got, known.hi, known.lo, format))
        for name, got in zip(Outputs._fields, outputs, strict=True)
        if got is not None and (known := best[name])
    }
