"""From a stack that fails to the smallest problem that still does: one problem, few rows, outputs and inputs.

Values stay as they are; `crosscheck.blame.simplify` makes those simple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adapters.errors import AdapterDied
from crosscheck.cases import Case, Literal
from crosscheck.judge import Judge, flat
from crosscheck.trial import Subject, run
from reference.types import Array

# Trials that one reduction may take: some seconds even where each shape is compiled anew.
TRIALS = 40
# The axes that can be cut, in this order, each as its place in X, y and W; None: the array does not have it.
STACK, ROWS, OUTPUTS, INPUTS = (0, 0, 0), (-2, -2, None), (None, -1, -1), (-1, None, -2)

Axis = tuple[int | None, int | None, int | None]
AXES: Sequence[Axis] = (ROWS, OUTPUTS, INPUTS)


class Reduction:
    """One reduction: which candidates fail, and how many more may be tried.

    Args:
        subject: whose output it is.
        output: a name of `Outputs`.
        trials: the most evaluations.
    """

    def __init__(self, subject: Subject, output: str, trials: int) -> None:
        self.subject, self.output, self.left = subject, output, trials

    def fails(self, candidate: Literal) -> bool:
        """Whether the output still lies outside its set; a death or any other failure is another matter."""
        if not self.left:
            return False
        self.left -= 1
        return self.output in run(self.subject, Judge(candidate.problem())).disagreeing


def reduce(  # noqa: PLR0913, a reduction is all of that
    subject: Subject,
    source: Case | Literal,
    output: str,
    problem: int = 0,
    trials: int = TRIALS,
    *,
    axes: Sequence[Axis] = AXES,
) -> Case | Literal:
    """The smallest stack, rows, outputs, inputs and layout with which the subject's output still disagrees.

    Args:
        subject: whose output it is.
        source: a case with which it disagrees.
        output: a name of `Outputs`.
        problem: the flat index of a problem of the stack that fails; it is tried alone first.
        trials: the most evaluations.
        axes: of a problem, in the order in which they are cut.

    Returns:
        A literal, without stack axes if one problem fails alone; the source itself, if nothing smaller fails.
    """
    work = Reduction(subject, output, trials)
    try:
        return _reduced(work, source, problem, axes)
    except AdapterDied:
        return source


def _reduced(work: Reduction, source: Case | Literal, problem: int, axes: Sequence[Axis]) -> Case | Literal:
    X, y, W = source.problem()
    whole = Literal(X.dtype.name, flat(X, 2), flat(y, 2), flat(W, 2), source.layout)
    best = _without_stack(_kept(whole, STACK, [problem]))
    if not work.fails(best):
        best = _shrunk(work, whole, STACK)
    for axis in axes:
        best = _shrunk(work, best, axis)
    plain = replace(best, layout="contiguous")
    if best.layout != "contiguous" and work.fails(plain):
        best = plain
    return source if best is whole else best


def _shrunk(work: Reduction, start: Literal, axis: Axis) -> Literal:
    """Without all parts of an axis that the failure does not need: halves first, then quarters, and so on."""
    best = start
    size = _length(best, axis) // 2
    while size and work.left:
        at = 0
        while work.left and at < (length := _length(best, axis)) and size < length:
            fewer = _kept(best, axis, [i for i in range(length) if not at <= i < at + size])
            if work.fails(fewer):
                best = fewer
            else:
                at += size
        size //= 2
    return best


def _length(literal: Literal, axis: Axis) -> int:
    pairs = zip(_arrays(literal), axis, strict=True)
    return next(array.shape[place] for array, place in pairs if place is not None)


def _kept(literal: Literal, axis: Axis, indices: list[int]) -> Literal:
    """The literal with only these parts of an axis."""
    X, y, W = (
        array if place is None else np.take(array, indices, axis=place)
        for array, place in zip(_arrays(literal), axis, strict=True)
    )
    return replace(literal, X=X, y=y, W=W)


def _arrays(literal: Literal) -> tuple[Array, Array, Array]:
    return literal.X, literal.y, literal.W


def _without_stack(literal: Literal) -> Literal:
    """The only problem of a stack of one; a layout that needs a stack goes."""
    layout = "contiguous" if literal.layout == "broadcast" else literal.layout
    return Literal(literal.dtype, literal.X[0], literal.y[0], literal.W[0], layout)
