"""NumPy arrays as tensors and back, in the same memory wherever torch can take it."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import torch

from reference.types import Array


def tensor(values: Array) -> torch.Tensor:
    """The array's own memory as a tensor; a copy where torch has no such: negative strides, read-only."""
    if not values.flags.writeable or min(values.strides, default=0) < 0:
        values = values.copy()
    if values.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(values)


def array(values: torch.Tensor) -> Array:
    """The tensor as a NumPy array of the same dtype; NumPy's bfloat16 comes from ml_dtypes."""
    values = values.detach()
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    found: Array = values.numpy()
    return found
