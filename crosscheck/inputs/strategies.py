"""Hypothesis strategies for problems, element by element, and for cases by seed.

`problems` draws every number, so that a failure shrinks to few small simple numbers. `cases` draws the text
of a case, which expands to a stack of thousands of problems.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from crosscheck.inputs import SHAPES_STACKED, Case
from crosscheck.inputs.random_bits import ProblemShape
from crosscheck.inputs.regimes import REGIMES, ElementSums
from crosscheck.inputs.sigma import sigma
from reference.formats import FORMATS, Format
from reference.types import Array, Problem

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
    """Draw a strategy for the numbers of one array, most often `moderate`, so that few arrays are extreme."""
    return st.sampled_from((moderate(format), moderate(format), wide(format), anything(format)))


@st.composite
def problems(draw: DrawFn, format: Format, shape: tuple[int, ...]) -> Problem:
    """Draw a stack of problems of ``shape = (*stack, m, n, p)`` number by number; every regime can occur.

    Independent numbers would practically never reach two of the regimes. So terms may be mirrored
    (w_{n+1−j} = −w_j, and x_{n+1−j} = x_j up to a few ulp), so that sums cancel, and a label may be ŷ plus a
    few ulp.
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
    """Draw an array number by number."""
    size = math.prod(shape)
    elements = draw(_elements(format))
    return _to_format(draw(st.lists(elements, min_size=size, max_size=size)), shape, format)


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
