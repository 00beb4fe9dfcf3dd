"""Faults that are recognised by what they return, whatever the bits are: a closed vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from crosscheck.explain.element import Element
from crosscheck.judge import Judge
from reference.arithmetic import Arithmetic
from reference.types import Problem


class Nature(NamedTuple):
    """One kind of fault.

    Attributes:
        output: where it shows.
        holds: whether a wrong element with that value is of this kind, under an adapter's claims.
        words: what such an element is.
    """

    output: str
    holds: Callable[[Element, float, Arithmetic], bool]
    words: str


def has_y_hat_of_another_row(element: Element, got: float, claims: Arithmetic) -> bool:
    """Whether the loss of row i is ½ Σ (y_i − ŷ_j)², admissibly computed, for some other row j."""
    X, y, W = element.alone.problem
    (row,) = element.inner
    others = np.delete(X, row, axis=0)
    if not len(others):
        return False
    exchanged = Problem(others, np.repeat(y[[row]], len(others), axis=0), W)
    losses = Judge(exchanged).sets(claims)["row_loss"]
    return bool(losses.contains(np.full(len(others), got)).any())


NATURES: Final[Mapping[str, Nature]] = MappingProxyType(
    {
        "y_hat_of_another_row": Nature(
            "row_loss", has_y_hat_of_another_row, "the loss of its row with the ŷ of another row"
        )
    }
)
