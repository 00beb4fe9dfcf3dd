"""Accuracy: the error of results in ulp, against exact values from the cheapest arithmetic that suffices.

There are three: the float64 reference, for the narrower formats; double-double arithmetic; and the oracle.
Each is used for the elements that the one before it does not know to within ``RESOLUTION`` ulp. An element
that none of them reaches within the budget has no exact value and no error.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crosscheck.judging.judge import AXES, Judge, flat
from reference import bounds, double_double, oracle
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS, Format
from reference.types import Bool, Float64, Outputs, Problem
from reference.ulp import category, error_in_ulp, ulp
from reference.units import KAPPA_REFERENCE

# The largest uncertainty of an exact value, in ulp; above it the next arithmetic is used.
RESOLUTION = 2.0**-7
FLOAT64 = FORMATS["float64"]


class Precision(enum.IntEnum):
    """The arithmetic in which an exact value was computed."""

    UNKNOWN = 0
    FLOAT64 = 1
    DOUBLE_DOUBLE = 2
    ORACLE = 3


class ExactValue(NamedTuple):
    """The exact values of one output, element by element, each to within `RESOLUTION` ulp.

    Attributes:
        hi: float64, the nearest double; NaN where unknown.
        lo: float64, the rest.
        precision: the arithmetic in which it was computed, a `Precision`.
    """

    hi: Float64
    lo: Float64
    precision: NDArray[np.int8]


def exact_values(
    judge: Judge, budget: int | None = None, priority: Float64 | None = None
) -> dict[str, ExactValue]:
    """Compute the exact values of every output of the judge's problem, as far as the budget goes.

    Args:
        judge: the judge of the stack of problems.
        budget: how many problems the oracle may evaluate at most; None for any number.
        priority: ``[problems]``, larger for problems that matter more: those of highest priority get half of
            the budget, the first of the others the rest. None: the first problems get all of it.
    """
    known = {name: _unknown(judge, name) for name in AXES}
    if judge.format != FLOAT64:
        _fill_from(known, _float64(judge), Precision.FLOAT64, judge.format)
    if any((exact.precision == Precision.UNKNOWN).any() for exact in known.values()):
        certified = double_double.evaluate(*judge.problem)._asdict()
        _fill_from(
            known, {name: tuple(c) for name, c in certified.items()}, Precision.DOUBLE_DOUBLE, judge.format
        )
    _fill_from_oracle(known, judge, budget, priority)
    return known


def _unknown(judge: Judge, name: str) -> ExactValue:
    shape = getattr(judge.centers, name).shape
    return ExactValue(np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, np.int8))


def _float64(judge: Judge) -> dict[str, tuple[Float64, Float64, Float64]]:
    """Return the reference's values, each with the radius of a float64 implementation, infinite for a NaN."""
    sets = bounds.admissible(judge.wide, FLOAT64, Arithmetic(KAPPA_REFERENCE), judge.reference)
    return {
        name: (one.center, np.zeros_like(one.center), np.where(one.must, np.inf, one.radius))
        for name, one in sets.items()
        if name in AXES
    }


def _fill_from(
    known: dict[str, ExactValue],
    found: dict[str, tuple[Float64, Float64, Float64]],
    precision: Precision,
    format: Format,
) -> None:
    """Fill in the values that are still unknown, where `found` is certain to within `RESOLUTION` ulp."""
    for name, exact in known.items():
        hi, lo, radius = found[name]
        sure = _sure(hi, lo, radius, format) & (exact.precision == Precision.UNKNOWN)
        np.copyto(exact.hi, hi, where=sure)
        np.copyto(exact.lo, lo, where=sure)
        exact.precision[sure] = precision


def _sure(hi: Float64, lo: Float64, radius: Float64, format: Format) -> Bool:
    """Return whether the radius is at most `RESOLUTION` ulp, wherever within the radius the value lies."""
    with np.errstate(all="ignore"):
        least = np.maximum(np.abs(hi) - radius, 0.0)
        return np.isfinite(hi) & (radius <= RESOLUTION * ulp(least, format, lo))


def _rows_within_budget(
    rows: NDArray[np.intp], budget: int | None, priority: Float64 | None
) -> NDArray[np.intp]:
    """Return the problems for the oracle within its budget: half by priority, then the first others."""
    if budget is None or rows.size <= budget:
        return rows
    if priority is None:
        return rows[:budget]
    preferred = rows[np.argsort(-priority[rows], kind="stable")[: budget // 2]]
    return np.concatenate([preferred, np.setdiff1d(rows, preferred)[: budget - preferred.size]])


def _fill_from_oracle(
    known: dict[str, ExactValue], judge: Judge, budget: int | None, priority: Float64 | None
) -> None:
    """Fill in the values that are still unknown from the oracle, as far as the budget goes."""
    count = judge.problem.stack_size
    open_elements = (flat(exact.precision == Precision.UNKNOWN, AXES[name]) for name, exact in known.items())
    is_open = np.any([each.reshape(count, -1).any(-1) for each in open_elements], axis=0)
    finite = np.all([np.isfinite(flat(a, 2)).all((-2, -1)) for a in judge.wide], axis=0)
    rows = _rows_within_budget(np.flatnonzero(is_open & finite), budget, priority)
    if not rows.size:
        return
    balls = oracle.evaluate(*Problem(*(flat(a, 2)[rows] for a in judge.problem)))
    for name, exact in known.items():
        hi, lo = oracle.to_floats(getattr(balls, name))
        flat(exact.hi, AXES[name])[rows], flat(exact.lo, AXES[name])[rows] = hi, lo
        flat(exact.precision, AXES[name])[rows] = Precision.ORACLE


def errors(
    outputs: Outputs, exact: dict[str, ExactValue], format: Format
) -> dict[str, tuple[Float64, NDArray[np.int8]]]:
    """Return the error of every output that is present, in ulp, and its category (`reference.ulp.Category`).

    The error is NaN where the exact value is unknown, and where its category has no error.
    """
    return {
        name: (error_in_ulp(got, known.hi, known.lo, format), category(got, known.hi, known.lo, format))
        for name, got in zip(Outputs._fields, outputs, strict=True)
        if got is not None and (known := exact[name])
    }
