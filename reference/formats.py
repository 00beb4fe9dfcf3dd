"""The four floating-point formats, with the symbols that the bounds use for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    Attributes:
        name: its dtype's name, as NumPy, PyTorch and JAX print it.
        precision: digits of the significand in bits, the implicit one included.
        e_min: exponent of the least normal number.
    """

    name: str
    precision: int
    e_min: int

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The NumPy dtype; bfloat16 comes from ml_dtypes, which a child without bfloat16 may lack."""
        if self.name != "bfloat16":
            return np.dtype(self.name)
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)

    @property
    def u(self) -> float:
        """The unit roundoff, 2^-precision."""
        return math.ldexp(1.0, -self.precision)

    @property
    def least_normal(self) -> float:
        """λ, the least positive normal number."""
        return math.ldexp(1.0, self.e_min)

    @property
    def least_subnormal(self) -> float:
        """The least positive number."""
        return math.ldexp(1.0, self.e_min - self.precision + 1)

    @property
    def largest(self) -> float:
        """Ω, the largest finite number; the formats have e_max = 1 - e_min."""
        return math.ldexp(2.0 - math.ldexp(1.0, 1 - self.precision), 1 - self.e_min)


FORMATS = {
    format.name: format
    for format in (
        Format("float64", 53, -1022),
        Format("float32", 24, -126),
        Format("float16", 11, -14),
        Format("bfloat16", 8, -126),
    )
}


def format_of(array: NDArray[np.generic]) -> Format:
    """The format of an array's dtype.

    Raises:
        TypeError: the dtype is none of the four.
    """
    try:
        return FORMATS[array.dtype.name]
    except KeyError:
        raise TypeError(
            f"dtype {array.dtype} is not a format of the suite; use one of {', '.join(FORMATS)}"
        ) from None
