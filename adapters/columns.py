"""The two conventions: samples are the rows of X, or its columns, with y and ŷ alike."""

from __future__ import annotations

from reference.layouts import ALIGNMENT, contiguous
from reference.types import Array, Outputs, Problem


def swapped(array: Array) -> Array:
    """The last two axes exchanged; a view where the array is not C-contiguous or is read-only.

    Otherwise a C-contiguous copy that begins as far after a multiple of `ALIGNMENT` bytes as the array does.
    """
    view = array.swapaxes(-1, -2)
    if not (array.flags.c_contiguous and array.flags.writeable):
        return view
    return contiguous(view, array.__array_interface__["data"][0] % ALIGNMENT)


def to_columns(problem: Problem) -> Problem:
    """X as ``[*stack, n, m]`` and y as ``[*stack, p, m]``; W stays ``[*stack, n, p]``."""
    return Problem(swapped(problem.X), swapped(problem.y), problem.W)


def from_columns(outputs: Outputs) -> Outputs:
    """ŷ as ``[*stack, m, p]`` again; the other outputs have no sample axis to move."""
    return outputs if outputs.y_hat is None else outputs._replace(y_hat=outputs.y_hat.swapaxes(-1, -2))
