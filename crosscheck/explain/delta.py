"""Diagnosis of Δ where ŷ has several elements: is Δ wrong there, or the sum Xᵀ·Δ?

A fault may need several rows or outputs, such as one that mixes up labels. With X = I ∂L/∂W is Δ there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crosscheck.explain.element import Element
from crosscheck.explain.probes import EquationProbes, evaluate_block, sets_at
from crosscheck.judging.evaluation import CheckedAdapter

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
