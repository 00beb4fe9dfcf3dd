"""The types of arrays that all packages share: the problem, which adapters get, and the outputs.

The shapes are jaxtyping's, and the tests enforce them at run time. Where jaxtyping is not installed, as in a
child under another interpreter, they say no more than that there is an array.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import Float
else:
    try:
        from jaxtyping import Float
    except ModuleNotFoundError:

        class Float:
            """A stand-in for jaxtyping's type, which ignores the shape."""

            def __class_getitem__(cls, item: tuple[type, str]) -> type:
                return item[0]


Array = NDArray[Any]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

Inputs = Float[np.ndarray, "*stack m n"]
"""X, in any of the four formats."""
Labels = Float[np.ndarray, "*stack m p"]
"""y, and whatever else there is for each sample and output: z, ŷ, Δ."""
Weights = Float[np.ndarray, "*stack n p"]
"""W and ∂L/∂W."""
OneInput = Float[np.ndarray, "*stack p"]
"""The row of ∂L/∂W that belongs to one input."""
RowLosses = Float[np.ndarray, "*stack m"]
Losses = Float[np.ndarray, "*stack"]


class Problem(NamedTuple):
    """A stack of independent networks, all three arrays of one dtype.

    Attributes:
        X: inputs, ``[*stack, m, n]``.
        y: labels, ``[*stack, m, p]``.
        W: weights, ``[*stack, n, p]``.
    """

    X: Array
    y: Array
    W: Array

    @property
    def stack_size(self) -> int:
        """How many networks are stacked; 1 without a stack axis."""
        return math.prod(self.X.shape[:-2])


class Outputs(NamedTuple):
    """What one implementation returned, in the dtype of the problem; None where it has no such output.

    Attributes:
        y_hat: ``[*stack, m, p]``.
        loss: ``[*stack]``.
        grad: ∂L/∂W, ``[*stack, n, p]``.
        row_loss: ``[*stack, m]``, the loss of each sample alone.
    """

    y_hat: Array | None = None
    loss: Array | None = None
    grad: Array | None = None
    row_loss: Array | None = None
