"""Adapters that leave their process flushing subnormal numbers, by a call in which all of X is 13."""

from __future__ import annotations

import ctypes

from adapters import load
from reference.types import Array, Outputs

FLUSH = 0x8040  # MXCSR: flush to zero, denormals are zero


class Leaks:
    """NumPy's closed form; the call that changes the arithmetic of its process returns or raises an error."""

    framework, version, dtypes = "planted", "1", ("float64", "float32")

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name, self.error = name, error

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The closed form's outputs."""
        found: Outputs = load("numpy").evaluate(X, y, W)
        if (X == 13).all():
            set_flush()
            if self.error is not None:
                raise self.error
        return found


def set_flush() -> None:
    """Set the bits, through a function of the C library that takes the whole environment of the unit."""
    library = ctypes.CDLL("libm.so.6")
    environment = (ctypes.c_uint32 * 8)()  # x86-64: seven words of the old unit, then MXCSR
    library.fegetenv(environment)
    environment[7] |= FLUSH
    library.fesetenv(environment)


leaks = Leaks("leaks")
raises = Leaks("raises", ValueError("the planted message"))
unsupported = Leaks("unsupported", NotImplementedError("no thirteens here"))
