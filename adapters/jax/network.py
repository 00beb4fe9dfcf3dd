"""The network's forward pass in JAX, which all modes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax

from adapters.jax.hazards import HAZARDS
from adapters.modes import Mode

Array = jax.Array
# By the value of the factor `form`.
LOGISTICS: dict[str, Callable[[Array], Array]] = {"sigmoid": jax.nn.sigmoid, **HAZARDS}


class Forward(NamedTuple):
    """The outputs of the forward pass; if samples are columns, the axes ``m`` and ``p`` of ŷ are exchanged.

    Attributes:
        y_hat: ``[*stack, m, p]``.
        loss: ``[*stack]``.
        row_loss: ``[*stack, m]``.
    """

    y_hat: Array
    loss: Array
    row_loss: Array


def half_squares(y_hat: Array, y: Array) -> Array:
    """Return ½(y − ŷ)² for every element of ŷ."""
    return 0.5 * (y - y_hat) ** 2


class Network:
    """The forward pass, written as the mode's convention and form of the logistic require.

    Attributes:
        columns: whether the samples are the columns of X.
    """

    def __init__(self, mode: Mode) -> None:
        self.columns = mode["convention"] == "columns"
        self._as_vectors = mode["convention"] != "rows"
        self.logistic = _logistic(mode)

    def forward(self, X: Array, y: Array, W: Array) -> Forward:
        """Return all outputs of a stack, or of one network."""
        if not self._as_vectors:
            y_hat = self.logistic(X @ W)
            terms = half_squares(y_hat, y)
            return Forward(y_hat, terms.sum((-2, -1)), terms.sum(-1))
        X, y = (X, y) if self.columns else (X.mT, y.mT)
        y_hat = self.logistic(W.mT @ X)
        terms = half_squares(y_hat, y)
        return Forward(y_hat if self.columns else y_hat.mT, terms.sum((-2, -1)), terms.sum(-2))

    def row(self, x: Array, y: Array, W: Array) -> tuple[Array, Array]:
        """Return ŷ ``[p]`` and the loss of one row: x is ``[n]``, y ``[p]``."""
        y_hat = self.logistic(W.mT @ x if self._as_vectors else x @ W)
        return y_hat, half_squares(y_hat, y).sum()


def _logistic(mode: Mode) -> Callable[[Array], Array]:
    if mode["logistic"] == "logistic_highest" and not mode.is_hazard:
        return lambda z: jax.lax.logistic(z, accuracy=jax.lax.AccuracyMode.HIGHEST)
    return LOGISTICS[mode["form"]]
