"""Hypothesis strategies for problems, element by element, and for cases by seed.

`problems` is layer 1: every number is drawn, so a failure shrinks to few small simple numbers. `cases` is
layer 2: a case is drawn and expands to a stack of thousands of problems.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from crosscheck.cases import SHAPES_STACKED, Case
from crosscheck.regimes import REGIMES
from crosscheck.regimes.definitions import ElementSums
from crosscheck.regimes.random_bits import Shape
from crosscheck.regimes.sigma import sigma
from reference.formats import FORMATS, Format
from reference.types import Array, Problem

SIMPLE: Final = (0.0, 1.0, -1.0, 0.5, 2.0, -0.5, -2.0, 0.25, 3.0, -0.0)
WIDTHS: Final[dict[str, Literal[16, 32, 64]]] = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 32,
}
BOUNDS: Final = (2.0, 64.0)  # within them σ is itself; their products saturate it in every format


def _to_format(values: Sequence[float], shape: tuple[int, ...], format: Format) -> Array:
    """The nearest numbers of the format; beyond its range inf, which is as welcome."""
    with np.errstate(over="ignore", under="ignore"):
        return np.array(values, dtype=np.float64).astype(format.dtype).reshape(shape)


def _width(format: Format) -> Literal[16, 32, 64]:
    """The width of `st.floats`; bfloat16 rounds what it draws in 32 bits."""
    return WIDTHS[format.name]


@lru_cache
def moderate(format: Format) -> SearchStrategy[float]:
    """Simple numbers, any within ±2, any within ±64."""
    small, large = (st.floats(-bound, bound, width=_width(format)) for bound in BOUNDS)
    return st.one_of(st.sampled_from(SIMPLE), small, large)


@lru_cache
def wide(format: Format) -> SearchStrategy[float]:
    """Finite numbers of every exponent: powers of two and their neighbours, subnormals, the largest."""
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
    """Every number of the format, inf and NaN."""
    return st.one_of(wide(format), st.sampled_from((math.inf, -math.inf, math.nan)))


@lru_cache
def _elements(format: Format) -> SearchStrategy[SearchStrategy[float]]:
    """How the numbers of one array are drawn; most often moderate, so that one wild array stands alone."""
    return st.sampled_from((moderate(format), moderate(format), wide(format), anything(format)))


@st.composite
def problems(draw: DrawFn, format: Format, shape: tuple[int, ...]) -> Problem:
    """A stack of problems of ``shape = (*stack, m, n, p)``, every number drawn, every regime within reach.

    Two regimes are out of reach of numbers drawn alone. Terms may be mirrored (w_{n+1−j} = −w_j,
    x_{n+1−j} = x_j but for an ulp), so that sums cancel, and a label may be drawn as ŷ and a few ulp.
    """
    stack, m, n, p = Shape.of(shape)
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
    """An array whose numbers are drawn one by one."""
    size = math.prod(shape)
    elements = draw(_elements(format))
    return _to_format(draw(st.lists(elements, min_size=size, max_size=size)), shape, format)


def _mirrored(X: Array, W: Array, ulps: int, format: Format) -> tuple[Array, Array]:
    """The second half of the terms as minus the first half, x by some ulps different."""
    half = X.shape[-1] // 2
    x, w = X.astype(np.float64), W.astype(np.float64)
    with np.errstate(over="ignore"):  # the largest number and an ulp
        x[..., -half:] = x[..., :half][..., ::-1] * (1.0 + math.ldexp(ulps, 1 - format.precision))
    w[..., -half:, :] = -w[..., :half, :][..., ::-1, :]
    return _to_format(x.ravel().tolist(), X.shape, format), _to_format(w.ravel().tolist(), W.shape, format)


def _near(problem: Problem, nudges: Sequence[int | None], format: Format) -> Array:
    """The labels, and where there is a nudge, ŷ and as many ulp instead."""
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
    """Cases of every regime that the shapes can host, by seed."""
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
