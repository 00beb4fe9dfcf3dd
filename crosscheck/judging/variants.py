"""Problems that differ in some of X, y and W only: whose numbers does an adapter's result belong to?"""

from __future__ import annotations

import numpy as np

from crosscheck.judging.judge import Judge
from reference.types import Array, Problem

# For each variant, which arrays are the decoy's; the first six are those that adapters are called with.
CHANGED = ("", "XyW", "X", "y", "W", "Xy", "XW", "yW")
CALLED = 5
# The decoy's numbers are these times 1, 1 + 1/8, …, 1 + 6/8: exact in every format, and without extremes.
DECOY = (0.5, 2.0, -0.25)


class Variants:
    """A problem, a decoy of the same shapes, and the mixtures of their arrays, each with its judge.

    Attributes:
        problem: variant 0, ``X[*stack, m, n]``, ``y[*stack, m, p]``, ``W[*stack, n, p]``.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._decoy = Problem(*(_graded(a, value) for a, value in zip(problem, DECOY, strict=True)))
        self._judges: dict[int, Judge] = {}

    def __getitem__(self, index: int) -> Problem:
        """Return the variant in which the arrays that `CHANGED` names are the decoy's."""
        pairs = zip("XyW", self.problem, self._decoy, strict=True)
        return Problem(*(decoy if symbol in CHANGED[index] else own for symbol, own, decoy in pairs))

    @property
    def called(self) -> Problem:
        """The variants that adapters are called with, along a new first axis."""
        variants = [self[index] for index in range(CALLED)]
        return Problem(*(np.stack(arrays) for arrays in zip(*variants, strict=True)))

    def judge(self, index: int) -> Judge:
        """Return the judge of a variant, made once."""
        if index not in self._judges:
            self._judges[index] = Judge(self[index])
        return self._judges[index]


def _graded(array: Array, value: float) -> Array:
    steps = 1 + np.arange(array.size).reshape(array.shape) % 7 / 8
    return (value * steps).astype(array.dtype)


def difference(one: int, other: int) -> str:
    """Return which of the letters X, y and W differ between two variants."""
    return "".join(s for s in "XyW" if (s in CHANGED[one]) != (s in CHANGED[other]))
