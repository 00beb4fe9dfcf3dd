"""Conversion of NumPy arrays to tensors and back, in the same memory wherever torch can use it."""

from __future__ import annotations

import contextlib

import ml_dtypes
import numpy as np
import torch

from reference.types import Array


def tensor(values: Array) -> torch.Tensor:
    """Return a tensor in the array's own memory; a copy if the array is read-only or has negative strides.

    NumPy marks broadcast arrays as read-only, since their elements share memory. Torch has such tensors, made
    by `expand`, so a broadcast array is not copied if its memory itself may be written.
    """
    if 0 in values.strides:
        values = _writeable(values)
    if not values.flags.writeable or min(values.strides, default=0) < 0:
        values = values.copy()
    if values.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(values)


def _writeable(values: Array) -> Array:
    """Return the array without the read-only mark; the array itself if NumPy does not allow that."""
    alias = values.view()
    with contextlib.suppress(ValueError):  # the owner of the memory does not let it be written
        alias.flags.writeable = True
    return alias


def array(values: torch.Tensor) -> Array:
    """Return the tensor as a NumPy array of the same dtype; NumPy's bfloat16 comes from ml_dtypes."""
    values = values.detach()
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    found: Array = values.numpy()
    return found
