"""The claims that an implementation may make about its arithmetic, from which the bounds follow.

κ bounds the relative error of the logistic, in unit roundoffs u; Δ is ∂L/∂z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reference.formats import Format

# κ of the closed form 1/(1+exp(-z)): the exhaustive maximum of benchmarks/kappa.py rounded up; for float64,
# where nothing is exhaustive, twice the largest found (docs/accuracy.md, "Sources of the constants").
KAPPA = {"float64": 7.0, "float32": 5.0, "float16": 3.0, "bfloat16": 3.0}
# Claims that widen the set, each with its value if it is not made. κ is not among them: it is a
# documented bound, and the table shows how much of it is used, as a share.
WITHOUT_CLAIM: Final[dict[str, Any]] = {
    "flush": False,
    "u_in": 0.0,
    "forward": False,
    "expanded": False,
    "rescaled_mean": False,
}


@dataclass(frozen=True)
class Arithmetic:
    """The claims of one implementation for one format.

    Attributes:
        kappa: κ, such that a computed σ(t) is off by at most κ·u·σ(t) + φ; u is the unit roundoff of the
            format, and `reference.units` has φ.
        flush: subnormal operands and results may become zero.
        u_acc: the unit roundoff of the accumulator of dot products; None for the format's own.
        u_sum: the unit roundoff of the accumulator of the loss; None for the format's own.
        u_in: the relative error by which inputs of matrix products are rounded (TF32: 2^-11); 0 for none.
        forward: the gradient comes from forward mode, which multiplies x·ŷ(1 − ŷ) first, then by ŷ − y.
        expanded: Δ is formed from ŷ − ŷ² instead of ŷ·(1−ŷ).
        rescaled_mean: the loss is a mean times its count, which adds four roundings to Δ and three to L.
        sources: for each claim that is made, where it comes from.

    Raises:
        ValueError: κ below 1, which no logistic that rounds its result has, or a roundoff outside [0, 1).
    """

    kappa: float
    flush: bool = False
    u_acc: float | None = None
    u_sum: float | None = None
    u_in: float = 0.0
    forward: bool = False
    expanded: bool = False
    rescaled_mean: bool = False
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.kappa >= 1:
            raise ValueError(f"kappa is {self.kappa!r}, want at least 1: a logistic rounds its result")
        for name in ("u_acc", "u_sum", "u_in"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise ValueError(f"{name} is {value!r}, want a unit roundoff in [0, 1)")


def default_arithmetic(format: Format) -> Arithmetic:
    """The claims of an adapter that makes none: the reference's κ, no flush, no wider accumulator."""
    return Arithmetic(KAPPA[format.name], sources={"kappa": "docs/accuracy.md: the reference's own κ"})


def widening(claims: Arithmetic) -> list[str]:
    """Return the names of the claims in `WITHOUT_CLAIM` that are made."""
    return [name for name, unclaimed in WITHOUT_CLAIM.items() if getattr(claims, name) != unclaimed]
