"""The error constants of the bounds, such as the unit roundoff, for one format and one set of claims.

Notation as in ``docs/accuracy.md``: u is the unit roundoff; ν is the error of a sum relative to the sizes of
its terms, and μ is the same if the inputs of products are rounded too; κu and φ are the relative and the
absolute error of the logistic; h is the largest error of one rounding to the subnormal range; γ is the
relative error of the products in Δ; Ω is the largest finite number.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference.arithmetic import Arithmetic
from reference.formats import FORMATS, Format

U_REFERENCE = FORMATS["float64"].u
# κ of the float64 reference: its logistic rounds an exponential (2u), a sum and a quotient.
KAPPA_REFERENCE = 4.0
# Relative room for the rounding of the bounds' own evaluation in float64.
ROOM = 1.0 + 2.0**-12
# A relative error of a sum of at least this says nothing: the set is as wide as the trivial one.
UNJUDGED = 0.25
# Roundings at the storage format around a wide accumulator: of a product and of the result; of r, r², ½r², L.
STORED_DOT, STORED_LOSS = 2, 4
# Roundings in Δ = r·p·q beside those of its factors, and more of them where the loss is a rescaled mean.
DELTA_ROUNDINGS, MEAN_DELTA, MEAN_LOSS = 4, 4, 3


@dataclass(frozen=True)
class Units:
    """The error constants of an implementation, widened so that they also cover the float64 reference.

    Attributes:
        u: unit roundoff of the format plus that of the reference.
        kappa_u: relative error of the logistic, the reference's included.
        phi: absolute error of the logistic.
        h: largest absolute error of one rounding to the subnormal range.
        gamma: relative error of Δ's products.
        format: the format.
        claims: the claims.
    """

    u: float
    kappa_u: float
    phi: float
    h: float
    gamma: float
    format: Format
    claims: Arithmetic

    @classmethod
    def of(cls, format: Format, claims: Arithmetic) -> Units:
        """Compute the error constants of an implementation with these claims in this format."""
        u = format.u * ROOM + U_REFERENCE
        roundings = (DELTA_ROUNDINGS + (MEAN_DELTA if claims.rescaled_mean else 0)) * u
        return cls(
            u=u,
            kappa_u=claims.kappa * format.u * ROOM + KAPPA_REFERENCE * U_REFERENCE,
            phi=format.least_normal if claims.flush else 2 / format.largest,
            h=format.least_normal if claims.flush else format.least_subnormal,
            gamma=roundings / (1 - roundings),
            format=format,
            claims=claims,
        )

    def _nu(self, terms: int, accumulator: float | None, stored: int) -> float:
        if accumulator is None or accumulator >= self.format.u:
            return (terms + 1) * self.u
        wide = accumulator * ROOM + U_REFERENCE
        return float((1 + (terms + 1) * wide) * (1 + self.u) ** stored - 1)

    def nu_dot(self, terms: int) -> float:
        """ν of a dot product with this number of terms."""
        return self._nu(terms, self.claims.u_acc, STORED_DOT)

    def nu_loss(self, terms: int) -> float:
        """ν of a loss with this number of terms ½(y−ŷ)²: two roundings in each term, and those of a mean."""
        mean = MEAN_LOSS if self.claims.rescaled_mean else 0
        return self._nu(terms + 2 + mean, self.claims.u_sum, STORED_LOSS + mean)

    def nu_gradient(self, terms: int) -> float:
        """ν of ∂L/∂W for this number of samples; forward mode adds them in the accumulator of the loss."""
        nu = self.nu_dot(terms)
        return max(nu, self._nu(terms, self.claims.u_sum, STORED_DOT)) if self.claims.forward else nu

    def with_inputs(self, nu: float) -> float:
        """μ = (1+ν)(1+u_in)² − 1, the relative error of a dot product whose inputs are rounded too."""
        u_in = self.claims.u_in
        return nu + (1 + nu) * u_in * (2 + u_in)

    def roundings(self, shape: tuple[int, ...]) -> dict[str, float]:
        """How many roundings lead to an element of each output, that of σ counted as κ.

        Args:
            shape: ends with m, n and p.
        """
        m, n, p = shape[-3:]
        unit = self.format.u
        y_hat = self.nu_dot(n) / unit + self.kappa_u / unit
        r = y_hat + 1  # (13)
        delta = r + 2 * y_hat + self.kappa_u / unit + DELTA_ROUNDINGS  # r, ŷ and 1 − ŷ, and their products
        return {
            "y_hat": y_hat,
            "loss": 2 * r + self.nu_loss(m * p) / unit,
            "row_loss": 2 * r + self.nu_loss(p) / unit,
            "grad": delta + self.nu_gradient(m) / unit,
        }

    def overflows(self, nu: float) -> float:
        """Ω / (1 + 2ν), the size from which a sum may overflow; callers may pass μ for ν."""
        return self.format.largest / (1 + 2 * nu)

    @property
    def flushes(self) -> bool:
        """Whether subnormal operands may vanish; rounding of matmul inputs implies it."""
        return self.claims.flush or self.claims.u_in > 0
