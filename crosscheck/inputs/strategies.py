"""Hypothesis strategies for problems, element by element, and for cases by seed.

`problems` draws every number, so that a failure shrinks to few small simple numbers. `cases` draws the text
of a case, which expands to a stack of thousands of problems.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from crosscheck.inputs import SHAPES_STACKED, Case
from crosscheck.inputs.random_bits import ProblemShape, stacked
from crosscheck.inputs.regimes import REGIMES, ElementSums
from crosscheck.inputs.sigma import sigma
from crosscheck.inputs.structured import all_equal, equal_columns, equal_rows, symmetric
from reference.formats import FORMATS, Format
from reference.types import Array, Float64, Problem

SIMPLE: Final = (0.0, 1.0, -1.0, 0.5, 2.0, -0.5, -2.0, 0.25, 3.0, -0.0)
WIDTHS: Final[dict[str, Literal[16, 32, 64]]] = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 32,
}
BOUNDS: Final = (2.0, 64.0)  # of moderate numbers; σ of their products saturates in every format


def _to_format(values: Sequence[float], shape: tuple[int, ...], format: Format) -> Array:
    """Round to the nearest numbers of the format; beyond its range this is inf, which is wanted too."""
    with np.errstate(over="ignore", under="ignore"):
        return np.array(values, dtype=np.float64).astype(format.dtype).reshape(shape)


def _width(format: Format) -> Literal[16, 32, 64]:
    """Return the width for `st.floats`; numbers of bfloat16 are drawn in 32 bits and rounded."""
    return WIDTHS[format.name]


@lru_cache
def moderate(format: Format) -> SearchStrategy[float]:
    """Draw simple numbers, any numbers within ±2, or any within ±64."""
    small, large = (st.floats(-bound, bound, width=_width(format)) for bound in BOUNDS)
    return st.one_of(st.sampled_from(SIMPLE), small, large)


@lru_cache
def wide(format: Format) -> SearchStrategy[float]:
    """Draw finite numbers of every exponent: powers of two and their neighbours, subnormals, the largest."""
    ulp = math.ldexp(1.0, 1 - format.precision)
    e_min, e_max = format.e_min, 1 - format.e_min
    ends = (format.largest, format.least_normal, format.least_subnormal, format.least_normal * (1.0 - ulp))
    return st.one_of(
        moderate(format),
        st.floats(allow_nan=False, allow_infinity=False, width=_width(format)),
        st.sampled_from([sign * end for end in ends for sign in (1.0, -1.0)]),
        st.builds(
            math.ldexp,
            st.sampled_from((1.0, 1.5, 1.0 + ulp, 2.0 - ulp, -1.0, -1.5, -1.0 - ulp, ulp - 2.0)),
            st.integers(e_min - format.precision + 1, e_max),
        ),
    )


@lru_cache
def anything(format: Format) -> SearchStrategy[float]:
    """Draw any number of the format, inf or NaN."""
    return st.one_of(wide(format), st.sampled_from((math.inf, -math.inf, math.nan)))


@lru_cache
def _elements(format: Format) -> SearchStrategy[SearchStrategy[float]]:
    """Draw a strategy for the numbers of one array, half of them moderate, so that few arrays are extreme."""
    small_integers = st.integers(-4, 4).map(float)
    powers_of_two = st.builds(math.ldexp, st.sampled_from((1.0, -1.0)), st.integers(-4, 4))
    simple = (moderate(format), moderate(format), small_integers, powers_of_two)
    return st.sampled_from((*simple, *(wide(format),) * 2, *(anything(format),) * 2))


@st.composite
def problems(draw: DrawFn, format: Format, shape: tuple[int, ...]) -> Problem:
    """Draw a stack of problems of ``shape = (*stack, m, n, p)`` number by number; every regime can occur.

    Independent numbers would practically never reach two of the regimes. So terms may be mirrored
    (w_{n+1−j} = −w_j, and x_{n+1−j} = x_j up to a few ulp), so that sums cancel, and a label may be ŷ plus a
    few ulp. Nor would their numbers follow a pattern, so each array may get one of `STRUCTURES`.
    """
    stack, m, n, p = ProblemShape.of(shape)
    X = _drawn(draw, (*stack, m, n), format)
    W = _drawn(draw, (*stack, n, p), format)
    if n > 1 and draw(st.integers(0, 3)) == 3:
        X, W = _mirrored(X, W, draw(st.integers(-2, 2)), format)
    y = _drawn(draw, (*stack, m, p), format)
    if draw(st.integers(0, 3)) == 3:
        nudges = draw(st.lists(st.none() | st.integers(-4, 4), min_size=y.size, max_size=y.size))
        y = _near(Problem(X, y, W), nudges, format)
    return Problem(X, y, W)


def _drawn(draw: DrawFn, shape: tuple[int, ...], format: Format) -> Array:
    """Draw an array number by number, and give it a structure in half of the draws."""
    *stack, rows, columns = shape
    size = math.prod(shape)
    elements = draw(_elements(format))
    drawn = np.array(draw(st.lists(elements, min_size=size, max_size=size)), dtype=np.float64)
    arranged = draw(st.sampled_from(STRUCTURES))(drawn.reshape(rows, columns, -1))
    return _to_format(stacked(arranged, tuple(stack)).ravel().tolist(), shape, format)


def _as_drawn(array: Float64) -> Float64:
    return array


def _one_odd(array: Float64) -> Float64:
    """Keep the first number, and make all others equal to the last."""
    found = np.broadcast_to(array[-1:, -1:], array.shape).copy()
    found[0, 0] = array[0, 0]
    return found


def _diagonal(array: Float64) -> Float64:
    """Put the first number on the diagonal, and 0 elsewhere."""
    return np.where(np.eye(*array.shape[:2], dtype=np.bool_)[..., None], array[:1, :1], 0.0)


def _one_hot(array: Float64) -> Float64:
    """Put the first number where the largest of each row is, and 0 elsewhere."""
    at = np.arange(array.shape[1])[:, None] == array.argmax(axis=1, keepdims=True)
    return np.where(at, array[:1, :1], 0.0)


# Hypothesis shrinks to the first, which half of all arrays have. The others keep the first number, so that
# what fails with a structure often fails without it.
STRUCTURES: Final[tuple[Callable[[Float64], Float64], ...]] = (
    *(_as_drawn,) * 7,
    *(all_equal, equal_rows, equal_columns, symmetric, _one_odd, _diagonal, _one_hot),
)


def _mirrored(X: Array, W: Array, ulps: int, format: Format) -> tuple[Array, Array]:
    """Make the second half of the terms minus the first half, with x different by some ulp."""
    half = X.shape[-1] // 2
    x, w = X.astype(np.float64), W.astype(np.float64)
    with np.errstate(over="ignore"):  # the largest number plus an ulp overflows
        x[..., -half:] = x[..., :half][..., ::-1] * (1.0 + math.ldexp(ulps, 1 - format.precision))
    w[..., -half:, :] = -w[..., :half, :][..., ::-1, :]
    return _to_format(x.ravel().tolist(), X.shape, format), _to_format(w.ravel().tolist(), W.shape, format)


def _near(problem: Problem, nudges: Sequence[int | None], format: Format) -> Array:
    """Replace each label that has a nudge, a number of ulp, by ŷ plus the nudge."""
    y_hat = sigma(ElementSums(*problem, format).z)
    ulp = math.ldexp(1.0, 1 - format.precision)
    pairs = zip(problem.y.astype(np.float64).flat, y_hat.flat, nudges, strict=True)
    values = [float(y if nudge is None else near * (1.0 + nudge * ulp)) for y, near, nudge in pairs]
    return _to_format(values, problem.y.shape, format)


def cases(
    dtype: str,
    shapes: Sequence[tuple[int, ...]] = SHAPES_STACKED,
    regimes: Sequence[str] = tuple(REGIMES),
    layouts: Sequence[str] = ("contiguous",),
) -> SearchStrategy[Case]:
    """Draw cases with any seed, of every regime that the shapes can host."""
    format = FORMATS[dtype]
    places = [
        (regime, shape)
        for regime in regimes
        for shape in shapes
        if REGIMES[regime].unsupported(shape, format) is None
    ]
    return st.builds(
        lambda place, seed, layout: Case(place[0], seed, place[1], layout, dtype),
        st.sampled_from(places),
        st.integers(0, 2**32 - 1),
        st.sampled_from(tuple(layouts)),
    )
