"""The thresholds of regimes, which depend on the format alone; h is half of its digits."""

from __future__ import annotations

from typing import Final

from reference.formats import Format

LN2: Final = float.fromhex("0x1.62e42fefa39efp-1")


def half_digits(format: Format) -> int:
    """Return h, half of the format's digits, rounded up; some regimes are about the loss of h digits."""
    return (format.precision + 1) // 2


def huge_exponent(format: Format) -> int:
    """Return the exponent from which a label is huge: ŷ vanishes in ŷ − y, or (ŷ − y)² overflows."""
    return min(format.precision, 1 - format.e_min // 2)


def saturation(format: Format) -> float:
    """Return h·ln 2, the |z| from which the smaller one of ŷ and 1 − ŷ is below 2^-h."""
    return half_digits(format) * LN2


def underflow(format: Format) -> float:
    """Return about the |z| from which the smaller one of ŷ and 1 − ŷ is below the least subnormal."""
    return (format.precision - format.e_min) * LN2


def exponent(number: float) -> int:
    """Return e with 2^e ≤ number < 2^(e+1) for a number ≥ 1, without a logarithm."""
    return int(number).bit_length() - 1
