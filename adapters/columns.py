"""The two conventions: samples are the rows of X, or its columns, with y and ŷ alike."""

from __future__ import annotations

import numpy as np

from reference.types import Array, Outputs, Problem


def swapped(array: Array) -> Array:
    """The last two axes exchanged: C-contiguous where it came so; a view where not, or where read-only."""
    view = array.swapaxes(-1, -2)
    return np.ascontiguousarray(view) if array.flags.c_contiguous and array.flags.writeable else view


def to_columns(problem: Problem) -> Problem:
    """X as ``[*stack, n, m]`` and y as ``[*stack, p, m]``; W stays ``[*stack, n, p]``."""
    return Problem(swapped(problem.X), swapped(problem.y), problem.W)


def from_columns(outputs: Outputs) -> Outputs:
    """ŷ as ``[*stack, m, p]`` again; the other outputs have no sample axis to move."""
    return outputs if outputs.y_hat is None else outputs._replace(y_hat=outputs.y_hat.swapaxes(-1, -2))
