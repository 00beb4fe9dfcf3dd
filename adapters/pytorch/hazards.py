"""Forms of the logistic that users write by hand; in some regimes they leave the admissible set."""

from __future__ import annotations

import torch


def literal(z: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + e^-z), as (10.2) prints it."""
    return 1 / (1 + torch.exp(-z))


def tanh(z: torch.Tensor) -> torch.Tensor:
    """Return ½ + ½·tanh(z/2)."""
    return 0.5 + 0.5 * torch.tanh(0.5 * z)


HAZARDS = {"literal": literal, "tanh": tanh}
