"""σ in float64 from the four basic operations alone: the same bits everywhere, unlike any libm.

It makes labels near ŷ and decides regimes, but it never judges: its relative error is a few times 2^-53.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from crosscheck.inputs.thresholds import LN2
from reference.types import Float64

# ln 2 in two parts; the first has 21 trailing zeros, so that k·LN2_HIGH is exact for every exponent k
# (fdlibm, e_exp.c).
LN2_HIGH: Final = float.fromhex("0x1.62e42feep-1")
LN2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
# Below this exp leaves the normal range of float64; this module does not distinguish such a small ŷ from 0.
LEAST_ARGUMENT: Final = -708.0
# |t| ≤ ½·ln 2 leaves a remainder of t^14/14! < 2^-57 of the series.
COEFFICIENTS: Final = tuple(1.0 / math.factorial(power) for power in range(13, -1, -1))


def _exp(t: Float64) -> Float64:
    """e^t for −708 ≤ t ≤ 0."""
    k = np.rint(t / LN2)
    rest = (t - k * LN2_HIGH) - k * LN2_LOW
    series = np.full_like(rest, COEFFICIENTS[0])
    for coefficient in COEFFICIENTS[1:]:
        series = series * rest + coefficient
    return series * ((k.astype(np.int64) + 1023) << 52).view(np.float64)


def sigma(z: Float64) -> Float64:
    """σ(z) to within a few times 2^-53, any shape; NaN counts as 0, and |z| beyond 708 as 708."""
    z = np.where(np.isnan(z), 0.0, z)
    e = _exp(np.maximum(-np.abs(z), LEAST_ARGUMENT))
    return np.where(z < 0, e, 1.0) / (1.0 + e)
