"""Laws of the network: what the outputs of related problems say of each other, without the exact value.

In exact arithmetic each law is an equation. An implementation may compute one number twice with other bits, a
row alone and in a batch, or ŷ for itself and beside the loss. So a law allows what the admissible sets of its
problems allow and no more, and speaks only where they are judged intervals: see `crosscheck.demands`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from crosscheck.cases import Case, Literal
from crosscheck.demands import Demand, bounded, member, relation, see, zero
from crosscheck.judge import OUTPUTS
from crosscheck.shown import hexadecimal, place
from crosscheck.trial import Subject, evaluate
from reference.types import Array, Problem

EIGHTHS: Final = 8  # labels k/8: they and 1 − k/8 are exact in every format


class VacuousError(Exception):
    """A law could check nothing of a subject on a case; to pass it would mean nothing."""


@dataclass(frozen=True)
class Law:
    """A law.

    Attributes:
        name: as in `LAWS`.
        statement: what holds, in one line.
        demands: evaluates the problems of a case with a subject, and says what must hold of the outputs.
    """

    name: str
    statement: str
    demands: Callable[[Subject, Case | Literal], Iterator[Demand]]

    def violations(self, subject: Subject, case: Case | Literal) -> list[str]:
        """How the subject breaks the law on a case: one sentence for each output, none if it keeps it.

        Outputs that the subject does not have are passed over.

        Raises:
            VacuousError: nothing could be checked: outputs are missing, or no set is a judged interval.
            NotImplementedError: the subject does not have the case's dtype, or cannot do the cell.
            AdapterMisbehaved: as `Subject.evaluate`.
            AdapterDied: its process died.
        """
        who = subject.description.name
        if case.dtype not in subject.description.dtypes:
            raise NotImplementedError(f"{who} has no {case.dtype}")
        demands = list(self.demands(subject, case))
        if not any(demand.applies.any() for demand in demands):
            raise VacuousError(f"{self.name} finds nothing to check of {who} on {case.text}")
        broken = [demand for demand in demands if (demand.applies & ~demand.holds).any()]
        return [f"{who} breaks {self.name} at {_told(demand)}; case {case.text}" for demand in broken]


def _told(demand: Demand) -> str:
    broken = demand.applies & ~demand.holds
    index = tuple(int(i) for i in np.argwhere(broken)[0])
    got, lo, hi = (hexadecimal(float(a[index])) for a in (demand.got, demand.lo, demand.hi))
    want = lo if lo == hi else f"[{lo}, {hi}]"
    where = f"{place(demand.output, index)}: got {got}, want {want}"
    return f"{where} ({int(broken.sum())} of {broken.size} elements)"


def _labels_equal_outputs(
    subject: Subject, case: Case | Literal, *, exactly: bool = False
) -> Iterator[Demand]:
    """L and ∂L/∂W of y = ŷ lie in the sets of that problem, which are about 0.

    They need not be 0: a program that keeps ŷ in more digits beside the loss has another r than ŷ − y, though
    it returns the same ŷ twice. torch.compile 2.13 does so in bfloat16; an FMA of σ's last product would.
    *Exactly*: ŷ is what was returned, so r = 0 where it was so twice, and ½r², Δ and x·Δ with it.
    """
    problem = case.problem()
    y_hat = evaluate(subject, problem).y_hat
    if y_hat is None:
        return
    y_hat = y_hat.copy()
    seen = see(subject, problem._replace(y=y_hat), case.layout)
    for name in (name for name in OUTPUTS[1:] if name in seen.outputs):
        got, found = seen.outputs[name], seen.sets[name]
        if exactly:
            same = (seen.outputs["y_hat"] == y_hat).all((-2, -1))
            network = same.reshape(same.shape + (1,) * (got.ndim - same.ndim))
            yield zero(name, got, bounded(found) & network)
        else:
            yield member(name, got, found)


def _zero_column(subject: Subject, case: Case | Literal) -> Iterator[Demand]:
    """Σ 0·Δ = ±0 in any order, fused or not, in any width, where 2r and so Δ cannot leave the numbers."""
    problem = case.problem()
    *stack, _, n = problem.X.shape
    number = np.arange(problem.stack_size).reshape(*stack, 1)
    cleared = np.arange(n) == number % n  # each column in turn, [*stack, n]
    X = np.where(cleared[..., None, :], problem.X.dtype.type(0), problem.X)
    seen = see(subject, problem._replace(X=X), case.layout)
    if "grad" in seen.outputs:
        yield zero("grad", seen.outputs["grad"], bounded(seen.sets["grad"]) & cleared[..., None])


def _rows_add_up(subject: Subject, case: Case | Literal) -> Iterator[Demand]:
    """L and ∂L/∂W are sums over rows, which share nothing but W; a single row has no parts."""
    X, y, W = case.problem()
    half = X.shape[-2] // 2
    if half == 0:
        return
    slices = (slice(None), slice(half), slice(half, None))
    whole, *parts = (
        see(subject, Problem(X[..., rows, :], y[..., rows, :], W), case.layout) for rows in slices
    )
    for name in ("loss", "grad"):
        yield from relation(name, [(1, whole), *((-1, part) for part in parts)])
    for name, axis in (("y_hat", -2), ("row_loss", -1)):
        if all(name in part.outputs for part in parts):
            joined = np.concatenate([part.outputs[name] for part in parts], axis)
            yield member(name, joined, whole.sets[name])


def _mirrored(subject: Subject, case: Case | Literal) -> Iterator[Demand]:
    """z′ = −z, ŷ′ = σ(−z) = 1 − ŷ, r′ = −r, L′ = L, Δ′ = −r·(1 − ŷ)·ŷ = −Δ, X′ᵀ·Δ′ = Xᵀ·Δ."""
    X, y, W = case.problem()
    k = _eighths(y)
    before, after = (
        see(subject, Problem(inputs, (numbers / EIGHTHS).astype(y.dtype), W), case.layout)
        for inputs, numbers in ((X, k), (-X, EIGHTHS - k))
    )
    yield from relation("y_hat", [(1, after), (1, before)], 1)
    for name in OUTPUTS[1:]:
        yield from relation(name, [(1, after), (-1, before)])


def _eighths(y: Array) -> Array:
    """A number from 0 to 8 for each label, from its bits and its place."""
    bits = np.ascontiguousarray(y).view(f"u{y.dtype.itemsize}") % (EIGHTHS + 1)
    places = np.arange(y.size).reshape(y.shape)
    return (bits.astype(np.int64).reshape(y.shape) + places) % (EIGHTHS + 1)


LAWS: Final = {
    law.name: law
    for law in (
        Law(
            "labels_equal_outputs",
            "labels that are the ŷ returned make L and ∂L/∂W zero, within their sets",
            _labels_equal_outputs,
        ),
        Law("zero_column", "a column of zeros in X makes its row of ∂L/∂W exactly zero", _zero_column),
        Law("rows_add_up", "L and ∂L/∂W of two parts of the rows add up to the whole's", _rows_add_up),
        Law("mirrored", "(−X, 1−y, W) mirrors ŷ and leaves L and ∂L/∂W as they are", _mirrored),
    )
}
# For what executes one operation after the other, so that r is the difference of the ŷ and y seen outside.
STEP_BY_STEP: Final = Law(
    "labels_equal_outputs_exactly",
    "labels that are the ŷ returned, twice the same, make L and ∂L/∂W exactly zero",
    partial(_labels_equal_outputs, exactly=True),
)
