"""Metamorphic relations: how the outputs of related problems depend on each other, without the exact value.

In exact arithmetic each relation is an equation. An implementation may compute one number twice with other
bits, a row alone and in a batch, or ŷ for itself and beside the loss. So a relation requires something only
where the admissible sets of its problems are judged intervals, and allows what they allow and no more:

- *one value* lies in its set;
- *several*: where Σ sᵢ·aᵢ = c holds for exact values, sᵢ = ±1, results within their sets keep
  |Σ sᵢ·gotᵢ − c| ≤ Σ radiusᵢ + |Σ sᵢ·centerᵢ − c|, by the triangle inequality. Both sides are computed as
  rational numbers, so that nothing is rounded;
- *zero* is required exactly where it holds in every order of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import OUTPUTS, Judge
from crosscheck.text import format_element, format_hex
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
    judge = Judge(arrange(problem, layout))
    sets = judge.sets(adapter.description.arithmetic[judge.format.name])
    outputs = adapter.evaluate(*judge.problem)._asdict()
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


EIGHTHS: Final = 8  # labels k/8: they and 1 − k/8 are exact in every format


class VacuousError(Exception):
    """Nothing of an adapter could be checked on a case, so that a passed test would mean nothing."""


@dataclass(frozen=True)
class Relation:
    """A metamorphic relation between the outputs of related problems.

    Attributes:
        name: as in `RELATIONS`.
        statement: what holds, in one line.
        checks: evaluates the problems of a case with an adapter, and says what must hold of the outputs.
    """

    name: str
    statement: str
    checks: Callable[[CheckedAdapter, Case | Literal], Iterator[RelationCheck]]

    def violations(self, adapter: CheckedAdapter, case: Case | Literal) -> list[str]:
        """Say how an adapter breaks the relation on a case: one sentence for each output that does, or none.

        Outputs that the adapter does not have are skipped.

        Raises:
            VacuousError: nothing could be checked: outputs are missing, or no set is a judged interval.
            NotImplementedError: the adapter does not have the case's dtype, or cannot do the cell.
            AdapterMisbehaved: as `CheckedAdapter.evaluate`.
            AdapterCrashed: its process crashed.
        """
        who = adapter.description.name
        if case.dtype not in adapter.description.dtypes:
            raise NotImplementedError(f"{who} has no {case.dtype}")
        checks = list(self.checks(adapter, case))
        if not any(check.applies.any() for check in checks):
            raise VacuousError(f"{self.name} finds nothing to check of {who} on {case.text}")
        broken = [check for check in checks if (check.applies & ~check.holds).any()]
        return [f"{who} breaks {self.name} at {_to_sentence(check)}; case {case.text}" for check in broken]


def _to_sentence(check: RelationCheck) -> str:
    broken = check.applies & ~check.holds
    index = tuple(int(i) for i in np.argwhere(broken)[0])
    got, lo, hi = (format_hex(float(a[index])) for a in (check.got, check.lo, check.hi))
    want = lo if lo == hi else f"[{lo}, {hi}]"
    where = f"{format_element(check.output, index)}: got {got}, want {want}"
    return f"{where} ({int(broken.sum())} of {broken.size} elements)"


def _labels_equal_outputs(
    adapter: CheckedAdapter, case: Case | Literal, *, exactly: bool = False
) -> Iterator[RelationCheck]:
    """L and ∂L/∂W of y = ŷ lie in the sets of that problem, which are about 0.

    They need not be 0: a program that keeps ŷ in more digits beside the loss has another r than ŷ − y, though
    it returns the same ŷ twice. torch.compile 2.13 does so in bfloat16; an FMA of σ's last product would.
    *Exactly*: ŷ is what was returned, so r = 0 where it was so twice, and ½r², Δ and x·Δ with it.
    """
    problem = case.problem()
    y_hat = adapter.evaluate(*problem).y_hat
    if y_hat is None:
        return
    y_hat = y_hat.copy()
    observed = observe(adapter, problem._replace(y=y_hat), case.layout)
    for name in (name for name in OUTPUTS[1:] if name in observed.outputs):
        got, found = observed.outputs[name], observed.sets[name]
        if exactly:
            same = (observed.outputs["y_hat"] == y_hat).all((-2, -1))
            network = same.reshape(same.shape + (1,) * (got.ndim - same.ndim))
            yield check_zero(name, got, bounded(found) & network)
        else:
            yield check_in_set(name, got, found)


def _zero_column(adapter: CheckedAdapter, case: Case | Literal) -> Iterator[RelationCheck]:
    """Σ 0·Δ = ±0 in any order, fused or not, in any width, where 2r and so Δ cannot leave the numbers."""
    problem = case.problem()
    *stack, _, n = problem.X.shape
    number = np.arange(problem.stack_size).reshape(*stack, 1)
    cleared = np.arange(n) == number % n  # each column in turn, [*stack, n]
    X = np.where(cleared[..., None, :], problem.X.dtype.type(0), problem.X)
    observed = observe(adapter, problem._replace(X=X), case.layout)
    if "grad" in observed.outputs:
        yield check_zero(
            "grad", observed.outputs["grad"], bounded(observed.sets["grad"]) & cleared[..., None]
        )


def _rows_add_up(adapter: CheckedAdapter, case: Case | Literal) -> Iterator[RelationCheck]:
    """Check that L and ∂L/∂W of two batches of rows add up to those of all rows; one row has no parts."""
    X, y, W = case.problem()
    half = X.shape[-2] // 2
    if half == 0:
        return
    slices = (slice(None), slice(half), slice(half, None))
    whole, *parts = (
        observe(adapter, Problem(X[..., rows, :], y[..., rows, :], W), case.layout) for rows in slices
    )
    for name in ("loss", "grad"):
        yield from check_signed_sum(name, [(1, whole), *((-1, part) for part in parts)])
    for name, axis in (("y_hat", -2), ("row_loss", -1)):
        if all(name in part.outputs for part in parts):
            joined = np.concatenate([part.outputs[name] for part in parts], axis)
            yield check_in_set(name, joined, whole.sets[name])


def _mirrored(adapter: CheckedAdapter, case: Case | Literal) -> Iterator[RelationCheck]:
    """z′ = −z, ŷ′ = σ(−z) = 1 − ŷ, r′ = −r, L′ = L, Δ′ = −r·(1 − ŷ)·ŷ = −Δ, X′ᵀ·Δ′ = Xᵀ·Δ."""
    X, y, W = case.problem()
    k = eighths(y)
    before, after = (
        observe(adapter, Problem(inputs, (numbers / EIGHTHS).astype(y.dtype), W), case.layout)
        for inputs, numbers in ((X, k), (-X, EIGHTHS - k))
    )
    yield from check_signed_sum("y_hat", [(1, after), (1, before)], 1)
    for name in OUTPUTS[1:]:
        yield from check_signed_sum(name, [(1, after), (-1, before)])


def eighths(y: Array) -> Array:
    """Make a number from 0 to 8 for each label, from its bits and its place."""
    bits = np.ascontiguousarray(y).view(f"u{y.dtype.itemsize}") % (EIGHTHS + 1)
    places = np.arange(y.size).reshape(y.shape)
    return (bits.astype(np.int64).reshape(y.shape) + places) % (EIGHTHS + 1)


RELATIONS: Final = {
    relation.name: relation
    for relation in (
        Relation(
            "labels_equal_outputs",
            "labels that are the ŷ returned make L and ∂L/∂W zero, within their sets",
            _labels_equal_outputs,
        ),
        Relation("zero_column", "a column of zeros in X makes its row of ∂L/∂W exactly zero", _zero_column),
        Relation("rows_add_up", "L and ∂L/∂W of two parts of the rows add up to the whole's", _rows_add_up),
        Relation("mirrored", "(−X, 1−y, W) mirrors ŷ and leaves L and ∂L/∂W as they are", _mirrored),
    )
}
# For adapters that execute one operation after the other, so that r is the difference of returned ŷ and y.
STEP_BY_STEP: Final = Relation(
    "labels_equal_outputs_exactly",
    "labels that are the ŷ returned, twice the same, make L and ∂L/∂W exactly zero",
    partial(_labels_equal_outputs, exactly=True),
)
