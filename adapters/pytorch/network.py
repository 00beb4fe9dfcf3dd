"""The network's forward pass in PyTorch, which all modes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from adapters.modes import Mode
from adapters.pytorch.hazards import HAZARDS

Tensor = torch.Tensor
# By the value of the factor `form`.
LOGISTICS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, **HAZARDS}


class Forward(NamedTuple):
    """The quantities of the forward pass; if samples are columns, the axes ``m`` and ``p`` are exchanged.

    Attributes:
        z, y_hat: ``[*stack, m, p]``.
        half_squares: ½(y − ŷ)², the same shape.
        loss: ``[*stack]``.
        row_loss: ``[*stack, m]``.
    """

    z: Tensor
    y_hat: Tensor
    half_squares: Tensor
    loss: Tensor
    row_loss: Tensor


class Network:
    """The forward pass, written as the mode's convention and form of the logistic require.

    Attributes:
        columns: whether the samples are the columns of X.
    """

    def __init__(self, mode: Mode) -> None:
        self.columns = mode["convention"] == "columns"
        self._as_vectors = mode["convention"] != "rows"
        self.logistic = LOGISTICS[mode["form"]]

    def forward(self, X: Tensor, y: Tensor, W: Tensor) -> Forward:
        """Return all quantities of a stack, or of one network."""
        if not self._as_vectors:
            z = X @ W
            y_hat = self.logistic(z)
            terms = 0.5 * (y - y_hat) ** 2
            return Forward(z, y_hat, terms, terms.sum((-2, -1)), terms.sum(-1))
        X, y = (X, y) if self.columns else (X.mT, y.mT)
        z = W.mT @ X
        y_hat = self.logistic(z)
        terms = 0.5 * (y - y_hat) ** 2
        loss, row_loss = terms.sum((-2, -1)), terms.sum(-2)
        if self.columns:
            return Forward(z, y_hat, terms, loss, row_loss)
        return Forward(z.mT, y_hat.mT, terms.mT, loss, row_loss)

    def y_hat(self, X: Tensor, y: Tensor, W: Tensor) -> Tensor:
        """Return ŷ alone."""
        del y
        if self.columns:
            return self.logistic(W.mT @ X)
        return self.logistic(W.mT @ X.mT).mT if self._as_vectors else self.logistic(X @ W)

    def loss(self, X: Tensor, y: Tensor, W: Tensor) -> Tensor:
        """Return L alone."""
        return self.forward(X, y, W).loss

    def row_loss(self, X: Tensor, y: Tensor, W: Tensor) -> Tensor:
        """Return the loss of each row alone."""
        return self.forward(X, y, W).row_loss
