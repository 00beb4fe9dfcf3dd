"""An adapter that leaves its process flushing subnormal numbers, by the control word of the processor."""

from __future__ import annotations

import ctypes
from typing import Any

from numpy.typing import NDArray

from adapters import load

FLUSH = 0x8040  # MXCSR: flush to zero, denormals are zero
Array = NDArray[Any]


class Leaks:
    """NumPy's closed form; where X is 13, the arithmetic of its process is changed afterwards."""

    name, framework, version, dtypes = "leaks", "planted", "1", ("float64", "float32")

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """The closed form's outputs."""
        found = load("numpy").evaluate(X, y, W)
        if (X == 13).all():
            set_flush()
        return found


def set_flush() -> None:
    """Set the bits, through a function of the C library that takes the whole environment of the unit."""
    library = ctypes.CDLL("libm.so.6")
    environment = (ctypes.c_uint32 * 8)()  # x86-64: seven words of the old unit, then MXCSR
    library.fegetenv(environment)
    environment[7] |= FLUSH
    library.fesetenv(environment)


leaks = Leaks()
