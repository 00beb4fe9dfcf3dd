"""The two conventions: the samples are the rows of X, y and ŷ, or their columns."""

from __future__ import annotations

from reference.layouts import ALIGNMENT, contiguous
from reference.types import Array, Outputs, Problem


def swapped(array: Array) -> Array:
    """Exchange the last two axes, without a copy if the array is not C-contiguous or is read-only.

    Otherwise the result is a C-contiguous copy, whose address modulo `ALIGNMENT` bytes is that of the array.
    """
    view = array.swapaxes(-1, -2)
    if not (array.flags.c_contiguous and array.flags.writeable):
        return view
    return contiguous(view, array.__array_interface__["data"][0] % ALIGNMENT)


def to_columns(problem: Problem) -> Problem:
    """Return X as ``[*stack, n, m]`` and y as ``[*stack, p, m]``; W stays ``[*stack, n, p]``."""
    return Problem(swapped(problem.X), swapped(problem.y), problem.W)


def from_columns(outputs: Outputs) -> Outputs:
    """Return ŷ as ``[*stack, m, p]`` again; the other outputs have no sample axis that could be moved."""
    return outputs if outputs.y_hat is None else outputs._replace(y_hat=outputs.y_hat.swapaxes(-1, -2))
