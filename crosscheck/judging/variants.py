"""Problems made from another one: with other numbers in some of X, y and W, in one array, or of length 0."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crosscheck.judging.judge import Judge
from reference.types import Array, Problem

# For each variant, which arrays are the decoy's; the first seven are those that adapters are called with.
CHANGED = ("", "XyW", "X", "y", "W", "", "", "Xy", "XW", "yW")
CALLED = 7
# For some variants, in which arrays the last two numbers of the last column change places: their beginning,
# the sums of columns and every 16th number stay.
EXCHANGED = {5: "X", 6: "XyW"}
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
        """Return the variant that `CHANGED` and `EXCHANGED` describe."""
        pairs = zip("XyW", self.problem, self._decoy, strict=True)
        found = Problem(*(decoy if symbol in CHANGED[index] else own for symbol, own, decoy in pairs))
        named = zip("XyW", found, strict=True)
        return Problem(*(_exchanged(a) if s in EXCHANGED.get(index, "") else a for s, a in named))

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


def _exchanged(array: Array) -> Array:
    """Return a copy in which two numbers have changed places: the last two of the last column, or of all."""
    copy = array.copy()
    column = copy[..., -1].reshape(-1, array.shape[-2])[-1] if array.shape[-2] > 1 else copy.reshape(-1)
    column[-2:] = column[-2:][::-1].copy()
    return copy


def difference(one: int, other: int) -> str:
    """Return which of the letters X, y and W differ between two variants."""
    of_one, of_other = ((CHANGED[index], EXCHANGED.get(index, "")) for index in (one, other))
    return "".join(
        s for s in "XyW" if any((s in a) != (s in b) for a, b in zip(of_one, of_other, strict=True))
    )


def enlarged(problem: Problem) -> Problem:
    """Return a problem with one more row, input and output, whose numbers are those before them again."""
    return Problem(
        *(np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, 1)] * 2, mode="edge") for array in problem)
    )


def larger(problem: Problem, least: int) -> Problem:
    """Return a problem whose rows are these again and again, until X has `least` numbers."""
    times = -(-least // problem.X.size)
    X, y, W = problem
    return Problem(np.concatenate([X] * times, axis=-2), np.concatenate([y] * times, axis=-2), W)


def in_one_array(problem: Problem, step: int = 0) -> Problem:
    """Return a problem of the same shapes; X, y and W begin at numbers 0, step and 2·step of one array."""
    memory = np.resize(problem.X, max(array.size + k * step for k, array in enumerate(problem)))
    return Problem(*(memory[k * step :][: a.size].reshape(a.shape) for k, a in enumerate(problem)))


def square(problem: Problem) -> Problem:
    """Return a problem with as many inputs as outputs, so that X and y have one shape."""
    X, y, W = problem
    side = min(W.shape[-2:])
    return Problem(X[..., :side], y[..., :side], W[..., :side, :side])


def repeating(problem: Problem, symbol: str) -> Problem:
    """Return the problem with one array that is the same for the whole stack, and in memory only once.

    Args:
        problem: a problem with a stack.
        symbol: ``X``, ``y`` or ``W``.
    """
    array = getattr(problem, symbol)
    return problem._replace(**{symbol: np.broadcast_to(array[:1], array.shape)})


def empty_problems(problem: Problem) -> Iterator[tuple[str, Problem, Problem | None]]:
    """Yield problems with an axis of length 0, and what each means; all outputs are 0.

    Without inputs, z is 0 as with one input that is 0; then the third item is that problem.
    """
    X, y, W = problem
    if X.ndim > 2:
        yield "if the stack has no networks", Problem(X[:0], y[:0], W[:0]), None
    yield "if there are no rows, m = 0", Problem(X[..., :0, :], y[..., :0, :], W), None
    yield "if there are no outputs, p = 0", Problem(X, y[..., :0], W[..., :0]), None
    zeros = Problem(np.zeros_like(X[..., :1]), y, np.zeros_like(W[..., :1, :]))
    yield "if there are no inputs, n = 0", Problem(X[..., :0], y, W[..., :0, :]), zeros
