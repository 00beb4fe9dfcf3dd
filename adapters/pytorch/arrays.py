"""NumPy arrays as tensors and back, in the same memory wherever torch can take it."""

from __future__ import annotations

import contextlib

import ml_dtypes
import numpy as np
import torch

from reference.types import Array


def tensor(values: Array) -> torch.Tensor:
    """The array's own memory as a tensor; a copy where torch has no such: negative strides, read-only.

    NumPy calls broadcast arrays read-only, for their elements share memory; torch has such tensors, `expand`
    makes them, and that memory itself may well be written.
    """
    if 0 in values.strides:
        values = _writeable(values)
    if not values.flags.writeable or min(values.strides, default=0) < 0:
        values = values.copy()
    if values.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(values)


def _writeable(values: Array) -> Array:
    """The same memory without the mark that it is read-only; the array itself where NumPy forbids that."""
    alias = values.view()
    with contextlib.suppress(ValueError):  # whoever owns the memory does not let it be written
        alias.flags.writeable = True
    return alias


def array(values: torch.Tensor) -> Array:
    """The tensor as a NumPy array of the same dtype; NumPy's bfloat16 comes from ml_dtypes."""
    values = values.detach()
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    found: Array = values.numpy()
    return found
