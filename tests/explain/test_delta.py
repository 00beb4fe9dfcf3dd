"""Naming Δ and its factors where a fault needs several rows or outputs, and Xᵀ·Δ where it is the sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from crosscheck.explain.message import failure
from crosscheck.inputs import parse
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from tests.faulty_adapters import wrong

Array = Any
LONG = "one_scale_ordinary:8:1x16x3x2:contiguous:float64"
ORDINARY = "ordinary:8:4x2x3x2:contiguous:float64"


def gradient(delta: Callable[[Array, Array], Array], total: Callable[[Array, Array], Array]) -> Any:
    """A gradient alone, given Δ(ŷ, y) and the sum of X and Δ."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        return {"grad": total(X, delta(wrong.forward(X, W), y))}

    return evaluate


def labels(change: Callable[[Array], Array]) -> Any:
    """The gradient for changed labels."""
    return gradient(lambda p, y: right(p, change(y)), product)


def reduction(total: Callable[[Array, Array], Array]) -> Any:
    """The gradient with another sum."""
    return gradient(right, total)


def right(p: Array, y: Array) -> Array:
    """Δ as the document has it."""
    return (p - y) * p * (1 - p)


def product(X: Array, delta: Array) -> Array:
    """Xᵀ·Δ."""
    return wrong.product(wrong.turned(X), delta)


def transposed(y: Array) -> Array:
    """The labels transposed where they are as many rows as columns."""
    return wrong.turned(y) if y.shape[-1] == y.shape[-2] else y


def cross_entropy(p: Array, y: Array) -> Array:
    """The Δ of the cross entropy where two or more outputs have labels that are all 0 or 1."""
    return p - y if y.shape[-1] > 1 and ((y == 0) | (y == 1)).all() else right(p, y)


def scaled_by_rows(X: Array, delta: Array) -> Array:
    """The gradient of the mean over rows."""
    return product(X, delta) / X.shape[-2]


def off_in_row_5(p: Array, y: Array) -> Array:
    """Δ, off by 2⁻⁹ in one row of many."""
    delta = right(p, y)
    delta[..., 5:6, :] *= 1 + 2.0**-9
    return delta


HARD = "float64:X=[[0.5,1],[2,-0.25]]:y=[[0,1],[1,1]]:W=[[1,0.75],[0.5,-0.25]]"
OTHER_LABEL = "of another element"
NAMED: dict[str, tuple[str, Any, str, str]] = {
    "labels of the first output": (
        ORDINARY,
        labels(lambda y: np.broadcast_to(y[..., :1], y.shape)),
        "(13)",
        OTHER_LABEL,
    ),
    "labels of the first row": (
        ORDINARY,
        labels(lambda y: np.broadcast_to(y[..., :1, :], y.shape)),
        "(13)",
        OTHER_LABEL,
    ),
    "labels transposed": (ORDINARY, labels(transposed), "(13)", OTHER_LABEL),
    "labels transposed, infinite": (
        "non_finite:0:1x2x3x2:contiguous:float64",
        labels(transposed),
        "(13)",
        OTHER_LABEL,
    ),
    "labels that are NaN left out": (
        "float64:X=[[1,2],[0.5,1]]:y=[[nan],[1]]:W=[[0.5],[0.25]]",
        gradient(lambda p, y: np.where(np.isnan(y), 0, right(p, y)), product),
        "(13)",
        "y = nan Δ is 0x0p+0",
    ),
    "cross entropy": (HARD, gradient(cross_entropy, product), "(14–16)", "the factor ŷ·(1 − ŷ) is missing"),
    "mean over rows": (ORDINARY, reduction(scaled_by_rows), "(18–19)", "so Xᵀ·Δ is not"),
    "one row of Δ": (LONG, gradient(off_in_row_5, product), "(17, 20)", "row 5 of X alone"),
    "one row is not added": (
        LONG,
        reduction(lambda X, d: product(X[..., :5, :], d[..., :5, :]) + product(X[..., 6:, :], d[..., 6:, :])),
        "(18–19)",
        "so Xᵀ·Δ is not",
    ),
    "rows of Δ reversed": (
        ORDINARY,
        reduction(lambda X, d: product(X, d[..., ::-1, :])),
        "(18–19)",
        "so Xᵀ·Δ is not",
    ),
    "first row twice": (
        ORDINARY,
        reduction(lambda X, d: product(X, d) + (X.shape[-2] > 1) * product(X[..., :1, :], d[..., :1, :])),
        "(18–19)",
        "so Xᵀ·Δ is not",
    ),
    "outputs of the gradient reversed": (
        ORDINARY,
        reduction(lambda X, d: product(X, d)[..., ::-1]),
        "(18–19)",
        "so Xᵀ·Δ is not",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_equation_is_named_that_a_fault_of_several_elements_is_in(name: str) -> None:
    text, fault, equation, words = NAMED[name]
    adapter, judge = InProcessAdapter(wrong.Planted("fault", fault)), Judge(parse(text).problem())
    message = failure(text, judge, [evaluate_and_judge(adapter, judge)], {"it": adapter})
    joined = " ".join(message.split())
    assert f"equation {equation}" in joined
    assert words in joined
