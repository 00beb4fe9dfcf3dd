"""Checks of metamorphic relations: what a relation requires of an output, and whether it holds.

A relation requires something only where the admissible sets are judged intervals:

- *one value*: it lies in its set;
- *several*: where Σ sᵢ·aᵢ = c holds for exact values, sᵢ = ±1, results within their sets keep
  |Σ sᵢ·gotᵢ − c| ≤ Σ radiusᵢ + |Σ sᵢ·centerᵢ − c|, by the triangle inequality. Both sides are computed as
  rational numbers, so that nothing is rounded;
- *zero* is required exactly where it holds in every order of operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from crosscheck.judging.evaluation import CheckedAdapter, evaluate_stack
from crosscheck.judging.judge import Judge
from reference.admissible import AdmissibleSet
from reference.layouts import arrange
from reference.types import Array, Bool, Float64, Problem

_rational: Final = np.vectorize(Fraction, otypes=[object])


@partial(np.vectorize, otypes=[np.float64])
def _nearest(value: Fraction) -> float:
    """Round a rational number to the nearest float64, infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


class Observed(NamedTuple):
    """What an adapter returned for a problem, in float64, and the admissible sets, by output."""

    outputs: dict[str, Float64]
    sets: dict[str, AdmissibleSet]


class RelationCheck(NamedTuple):
    """What a relation requires of one output; all arrays have its shape.

    Attributes:
        output: the name of the output.
        got: the values as float64, exact from their own format.
        lo, hi: the ends of the allowed interval, rounded to float64 for a reader.
        applies: a mask of the elements for which the relation requires something.
        holds: a mask of the elements that satisfy it.
    """

    output: str
    got: Float64
    lo: Float64
    hi: Float64
    applies: Bool
    holds: Bool


def observe(adapter: CheckedAdapter, problem: Problem, layout: str) -> Observed:
    """Evaluate a problem in the layout of its case; results are copied, since the adapter may own them."""
    judge = Judge(Problem(*(arrange(array, layout) for array in problem)))
    sets = judge.sets(adapter.description.arithmetic[judge.format.name])
    outputs = evaluate_stack(adapter, judge.problem)._asdict()
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        return Observed(
            {name: got.astype(np.float64) for name, got in outputs.items() if got is not None}, sets
        )


def bounded(found: AdmissibleSet) -> Bool:
    """Return the mask of the elements whose set is a judged interval with finite ends and without NaN."""
    open_ended = found.plus | found.minus | found.may | found.must
    return np.asarray(np.isfinite(found.center) & np.isfinite(found.radius) & ~open_ended & found.judged)


def _check(output: str, *arrays: Array) -> RelationCheck:
    return RelationCheck(output, *np.broadcast_arrays(*arrays))


def check_in_set(output: str, got: Float64, found: AdmissibleSet) -> RelationCheck:
    """Check that each value lies in its set."""
    return _check(output, got, found.lo, found.hi, bounded(found), found.contains(got))


def check_zero(output: str, got: Float64, applies: Bool) -> RelationCheck:
    """Check that each value is a zero where ``applies`` is True."""
    return _check(output, got, np.zeros(()), np.zeros(()), applies, got == 0)


def check_signed_sum(
    output: str, terms: Sequence[tuple[int, Observed]], constant: int = 0
) -> Iterator[RelationCheck]:
    """Check Σ sign·output = constant; the first sign is +1, and the others bound its output."""
    if not all(output in observed.outputs for _, observed in terms):
        return
    signs, observed = zip(*terms, strict=True)
    got, sets = [each.outputs[output] for each in observed], [each.sets[output] for each in observed]
    applies = np.asarray(np.logical_and.reduce([bounded(found) for found in sets]))
    at = np.asarray(applies & np.logical_and.reduce([np.isfinite(each) for each in got]))
    off = _residual(signs, [each[at] for each in got], constant)
    allowed = np.abs(_residual(signs, [found.center[at] for found in sets], constant))
    allowed = allowed + _residual([1] * len(sets), [found.radius[at] for found in sets], 0)
    holds, lo, hi = np.zeros(at.shape, bool), np.array(sets[0].lo), np.array(sets[0].hi)
    want = _rational(got[0][at]) - off
    holds[at], lo[at], hi[at] = np.abs(off) <= allowed, _nearest(want - allowed), _nearest(want + allowed)
    yield _check(output, got[0], lo, hi, applies, holds)


def _residual(signs: Sequence[int], values: Sequence[Float64], constant: int) -> Any:
    """Compute Σ sign·value − constant in rational numbers."""
    return sum(sign * _rational(each) for sign, each in zip(signs, values, strict=True)) - constant
