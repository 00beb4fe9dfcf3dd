"""The network's forward pass in PyTorch, which all modes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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
        self._adds_bias = mode["product"] == "addmm"

    def product(self, A: Tensor, B: Tensor) -> Tensor:
        """Return A·B, ``[*stack, m, p]`` of ``[*stack, m, n]`` and ``[*stack, n, p]``."""
        if not self._adds_bias:
            return torch.matmul(A, B, **self._memory(A, B))
        if A.ndim > 3:
            stacked = self.product(A.flatten(0, -3), B.flatten(0, -3))
            return stacked.reshape(*A.shape[:-1], B.shape[-1])
        bias = A.new_full((B.shape[-1],), torch.nan)  # which is ignored, since beta is 0
        if A.ndim == 2:
            return torch.addmm(bias, A, B, beta=0, **self._memory(A, B))
        return torch.baddbmm(bias, A, B, beta=0, **self._memory(A, B))

    def _memory(self, A: Tensor, B: Tensor) -> dict[str, Any]:
        """Return the keyword argument with the memory that A·B is written into; none for a new tensor."""
        del A, B
        return {}

    def half_squares(self, y: Tensor, y_hat: Tensor) -> Tensor:
        """Return ½(y − ŷ)²."""
        return 0.5 * (y - y_hat) ** 2

    def total(self, terms: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Return the sum over the axes."""
        return terms.sum(axes)

    def forward(self, X: Tensor, y: Tensor, W: Tensor) -> Forward:
        """Return all quantities of a stack, or of one network."""
        if not self._as_vectors:
            z = self.product(X, W)
            y_hat = self.logistic(z)
            terms = self.half_squares(y, y_hat)
            return Forward(z, y_hat, terms, self.total(terms, (-2, -1)), self.total(terms, (-1,)))
        X, y = (X, y) if self.columns else (X.mT, y.mT)
        z = self.product(W.mT, X)
        y_hat = self.logistic(z)
        terms = self.half_squares(y, y_hat)
        loss, row_loss = self.total(terms, (-2, -1)), self.total(terms, (-2,))
        if self.columns:
            return Forward(z, y_hat, terms, loss, row_loss)
        return Forward(z.mT, y_hat.mT, terms.mT, loss, row_loss)

    def y_hat(self, X: Tensor, y: Tensor, W: Tensor) -> Tensor:
        """Return ŷ alone."""
        del y
        if self.columns:
            return self.logistic(self.product(W.mT, X))
        if self._as_vectors:
            return self.logistic(self.product(W.mT, X.mT)).mT
        return self.logistic(self.product(X, W))

    def loss(self, X: Tensor, y: Tensor, W: Tensor) -> Tensor:
        """Return L alone."""
        return self.forward(X, y, W).loss

    def row_loss(self, X: Tensor, y: Tensor, W: Tensor) -> Tensor:
        """Return the loss of each row alone."""
        return self.forward(X, y, W).row_loss


class Writing(Network):
    """The forward pass without autograd, each result of which is written into given memory in another order.

    The memory holds NaN before, so that a result that adds to what is there is noticed.
    """

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self.logistic = lambda z: torch.sigmoid(z, out=_strided(z.shape, z))

    def _memory(self, A: Tensor, B: Tensor) -> dict[str, Any]:
        return {"out": _transposed((*A.shape[:-1], B.shape[-1]), A)}

    def half_squares(self, y: Tensor, y_hat: Tensor) -> Tensor:
        """Return ½(y − ŷ)², the difference, its square and the half in three orders."""
        differences = torch.sub(y, y_hat, out=_transposed(y.shape, y))
        squares = torch.square(differences, out=torch.full_like(y, torch.nan))
        return torch.mul(squares, 0.5, out=_strided(y.shape, y))

    def total(self, terms: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Return the sum over the axes in every second number of a tensor."""
        return torch.sum(terms, axes, out=_strided(terms.sum(axes).shape, terms))


def _transposed(shape: Sequence[int], like: Tensor) -> Tensor:
    """Return NaN, of the dtype of `like`, whose last two axes have the opposite order in memory."""
    return like.new_full((*shape[:-2], shape[-1], shape[-2]), torch.nan).mT


def _strided(shape: Sequence[int], like: Tensor) -> Tensor:
    """Return NaN, of the dtype of `like`, in every second number of its memory."""
    return like.new_full((*shape, 2), torch.nan)[..., 0]


def network(mode: Mode) -> Network:
    """Return the forward pass of the mode."""
    return Writing(mode) if mode["results"] == "out" else Network(mode)
