"""Adapters that leave their process flushing subnormal numbers by a call that raises, where X is 13."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from adapters import load

from .flush import set_flush

Array = NDArray[Any]


class LeaksAnd:
    """NumPy's closed form, or a leak and then an error."""

    framework, version, dtypes = "planted", "1", ("float32",)

    def __init__(self, name: str, error: Exception) -> None:
        self.name, self.error = name, error

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """The closed form's outputs."""
        if (X == 13).all():
            set_flush()
            raise self.error
        return load("numpy").evaluate(X, y, W)


raises = LeaksAnd("raises", ValueError("the planted message"))
unsupported = LeaksAnd("unsupported", NotImplementedError("no thirteens here"))
