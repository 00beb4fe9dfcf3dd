"""PyTorch: its own logistic forward, its own autodiff backward, in every mode that it has."""

from adapters.pytorch.adapter import adapter

__all__ = ["adapter"]
