"""Diagnosis of Δ where ŷ has several elements: is Δ wrong there, or the sum Xᵀ·Δ?

A fault may need several rows or outputs, such as one that mixes up labels. With X = I ∂L/∂W is Δ there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crosscheck.explain.element import Element
from crosscheck.explain.probes import EquationProbes, evaluate_block, finite, sets_at
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import Judge
from reference.admissible import AdmissibleSet
from reference.types import Array, Bool, Float64, Problem

# How many wrong elements are compared with all labels.
COMPARED: Final = 8


def wrong_delta(adapter: CheckedAdapter, element: Element) -> tuple[str, str] | None:
    """Return the quantity that makes Δ wrong in a block of rows and outputs, and the evidence.

    None if Δ is right there, if neither a missing factor nor another label explains it, so that the sum may
    be wrong, or if the adapter does not support the block's shape.

    Raises:
        AdapterCrashed, AdapterMisbehaved: the adapter does not evaluate the block.
    """
    try:
        probes = evaluate_block(adapter, element)
    except NotImplementedError:
        return None
    if not probes.outside["grad"].any():
        return None
    return next(missing_factors(probes), None) or _other_label(adapter, probes)


def wrong_row(adapter: CheckedAdapter, element: Element) -> str | None:
    """Return the evidence that Δ is wrong in one row of a failing element of ∂L/∂W.

    The other rows of X are set to 0, half of those that are left at a time, so that all shapes stay. None if
    no row shows it alone, if those beside it do so as well, or if it shows there what a sum may do: a term is
    missing, is counted several times, or is wrong for one input and right for another.

    Raises:
        AdapterCrashed, AdapterMisbehaved: the adapter does not evaluate the problem with fewer rows.
    """
    rows = np.arange(len(element.alone.problem.X))
    try:
        while len(rows) > 1:
            halves = (half for half in np.array_split(rows, 2) if _with_rows(adapter, element, half)[1].any())
            rows = next(halves, rows[:0])
        if not rows.size:
            return None
        got, outside, whole = _with_rows(adapter, element, rows)
        beside = [rows[0] - 1, (rows[0] + 1) % len(element.alone.problem.X)]
        if any(_with_rows(adapter, element, np.array([other]))[1].any() for other in beside):
            return None
    except NotImplementedError:
        return None
    with np.errstate(all="ignore"):
        times = got / whole.center
        is_counted = (got == 0) | whole.contains(got / np.rint(times))
    terms = element.alone.problem.X[rows[0]] != 0
    if not (outside & np.isfinite(times) & ~is_counted)[terms].all():
        return None
    row = f"with row {rows[0]} of X alone and 0 in the others"
    return f"{row}, ∂L/∂W is {times[terms][0]:.9g} × the product of the row and its Δ"


def _with_rows(
    adapter: CheckedAdapter, element: Element, rows: NDArray[np.intp]
) -> tuple[Float64, Bool, AdmissibleSet]:
    """Evaluate a failing element's problem with some rows of X and 0 in the others.

    Returns:
        The column of ∂L/∂W to which the element belongs, where it is outside, and its admissible set.
    """
    X, y, W = element.alone.problem
    left = np.zeros_like(X)
    left[rows] = X[rows]
    stack = (1,) * len(element.problem_index)
    judge = Judge(Problem(*(a.reshape(stack + a.shape) for a in (left, finite(y, element.format), W))))
    grad = adapter.evaluate(*judge.problem).grad
    if grad is None:
        raise NotImplementedError("no ∂L/∂W")

    def column(array: Array) -> Array:
        return array.reshape(array.shape[-2:])[:, element.inner[1]]

    whole = judge.sets(adapter.description.arithmetic[element.format.name])["grad"].mapped(column)
    got = column(grad.astype(np.float64))
    return got, ~whole.contains(got), whole


def missing_factors(probes: EquationProbes) -> Iterator[tuple[str, str]]:
    """Yield the faults that Δ lacks a factor, each as a quantity and a sentence."""
    got, whole = probes.got["grad"], probes.sets["grad"]
    p, slope = probes.exact["y_hat"], probes.exact["dyhat_dz"]
    with np.errstate(all="ignore"):
        q = np.where(p < 0.5, 1 - p, slope / p)  # 1 − ŷ without cancellation
        for missing, factor in (("(1 − ŷ)", q), ("ŷ", p), ("ŷ·(1 − ŷ)", slope)):
            if whole.contains(got * factor).all():
                yield "dyhat_dz", f"the factor {missing} is missing"


def _other_label(adapter: CheckedAdapter, probes: EquationProbes) -> tuple[str, str] | None:
    """Return the fault that Δ has labels of other elements; None if whole elements of Δ are mixed up."""
    wrong = np.flatnonzero(probes.outside["grad"])[:COMPARED]
    got = probes.got["grad"][wrong, np.newaxis]
    others = probes.sets["grad"].mapped(lambda array: array[np.newaxis])
    if not (got != 0).all() or others.contains(got).any(1).all():
        return None
    labels = np.unique(probes.y)
    z, y = np.repeat(probes.z[wrong], labels.size), np.tile(labels, wrong.size)
    claims = adapter.description.arithmetic[probes.format.name]
    whole = sets_at(z, y, probes.format, claims)["grad"].mapped(lambda array: array.reshape(wrong.size, -1))
    fits = whole.contains(got)
    if not fits.any(1).all():
        return None
    i, label = wrong[0], labels[np.argmax(fits[0])]
    right = f"Δ is right for the label y = {label:.9g} of another element"
    return "dL_dyhat", f"where z = {probes.z[i]:.9g} and y = {probes.y[i]:.9g}, {right}"
