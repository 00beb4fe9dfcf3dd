"""The error constants and the radii as ``docs/accuracy.md`` writes them, in rational arithmetic.

For problems without a stack, of finite numbers, whose sums stay far from the largest number. The names are
those of the page; nothing here is taken from `reference.units`, `reference.state` or `reference.bounds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Final

from flint import arb

from reference.arithmetic import Arithmetic
from reference.balls import precision
from reference.formats import Format
from reference.types import Array, Float64, Problem

TWO: Final = Fraction(2)
OF_FLOAT64: Final = TWO**-53
WIDER: Final = 1 + TWO**-12
Matrix = list[list[Fraction]]


def exactly(array: Array) -> Matrix:
    """The numbers of a matrix."""
    return [[Fraction(float(each)) for each in row] for row in array]


def at_most_1(number: Fraction) -> Fraction:
    """The number, or 1 where it is larger."""
    return min(Fraction(1), number)


def sigma(t: arb) -> arb:
    """σ(t)."""
    return 1 / (1 + (-t).exp())


def movement(z: Fraction, e_z: Fraction) -> Fraction:
    """The largest |σ(t) − σ(z)| for |t − z| ≤ e_z, to 200 digits: σ is monotone."""
    with precision(2048):
        low, middle, high = (sigma(arb(each.numerator) / each.denominator) for each in (z - e_z, z, z + e_z))
        mantissa, exponent = max(high - middle, middle - low).mid().man_exp()
    return int(mantissa) * TWO ** int(exponent)


@dataclass(frozen=True)
class Constants:
    """The error constants of a format and claims; the attributes are named as on the page."""

    format: Format
    claims: Arithmetic
    u: Fraction = field(init=False)
    kappa_u: Fraction = field(init=False)
    phi: Fraction = field(init=False)
    h: Fraction = field(init=False)
    gamma: Fraction = field(init=False)

    def __post_init__(self) -> None:
        own, claims = TWO**-self.format.precision, self.claims
        least_normal = TWO**self.format.e_min
        of_delta = (8 if claims.rescaled_mean else 4) * (own * WIDER + OF_FLOAT64)
        values = {
            "u": own * WIDER + OF_FLOAT64,
            "kappa_u": Fraction(claims.kappa) * own * WIDER + 4 * OF_FLOAT64,
            "phi": least_normal if claims.flush else 2 / Fraction(self.format.largest),
            "h": least_normal if claims.flush else least_normal * 2 * own,
            "gamma": of_delta / (1 - of_delta),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def least_normal(self) -> Fraction:
        """λ."""
        return TWO**self.format.e_min

    @property
    def loses_subnormals(self) -> bool:
        """Whether a subnormal operand of a product may vanish."""
        return self.claims.flush or self.claims.u_in > 0

    def nu(self, terms: int, accumulator: float | None, stored: int) -> Fraction:
        """ν of a sum whose result, and what leads to it, is rounded `stored` times to storage."""
        if accumulator is None or accumulator >= self.format.u:
            return (terms + 1) * self.u
        wide = Fraction(accumulator) * WIDER + OF_FLOAT64
        return (1 + (terms + 1) * wide) * (1 + self.u) ** stored - 1

    def nu_dot(self, terms: int) -> Fraction:
        """ν of X·W."""
        return self.nu(terms, self.claims.u_acc, 2)

    def nu_loss(self, terms: int) -> Fraction:
        """ν of a loss of this number of terms."""
        return (
            self.nu(terms + 5, self.claims.u_sum, 7)
            if self.claims.rescaled_mean
            else self.nu(terms + 2, self.claims.u_sum, 4)
        )

    def nu_gradient(self, terms: int) -> Fraction:
        """ν of ∂L/∂W."""
        both = [self.nu_dot(terms), self.nu(terms, self.claims.u_sum, 2)]
        return max(both) if self.claims.forward else both[0]

    def mu(self, nu: Fraction) -> Fraction:
        """μ of this ν."""
        return (1 + nu) * (1 + Fraction(self.claims.u_in)) ** 2 - 1


@dataclass(frozen=True)
class Radii:
    """The radii of a problem around the centers that the reference has computed.

    Args:
        problem: finite, without a stack.
        centers: z, p, q, r and Δ of the reference, each ``[m, p]``, float64.
        constants: the error constants.
    """

    problem: Problem
    centers: tuple[Float64, Float64, Float64, Float64, Float64]
    constants: Constants

    def each(self, formula: Callable[[int, int], Fraction]) -> Matrix:
        """What the formula says of each row and column of z."""
        m, p = self.centers[0].shape
        return [[formula(i, k) for k in range(p)] for i in range(m)]

    def _lost(self, number: Fraction) -> bool:
        return self.constants.loses_subnormals and 0 < abs(number) < self.constants.least_normal

    def _rounds(self, products: Iterable[Fraction]) -> bool:
        """Whether the sum of these may be rounded: it is above the format's digits of its grid."""
        found = [abs(each) for each in products if each]
        if not found or self.constants.claims.u_in:
            return bool(self.constants.claims.u_in)
        lowest = [Fraction(each.numerator & -each.numerator, each.denominator) for each in found]
        least = self.constants.least_normal * 2 * self.constants.format.u
        return min(lowest) < least or sum(found) >= TWO**self.constants.format.precision * min(lowest)

    def e_z(self) -> Matrix:
        """The radius of z = X·W."""
        X, _, W = (exactly(a) for a in self.problem)
        n, own = len(W), self.constants
        nu = own.nu_dot(n)

        def of(i: int, k: int) -> Fraction:
            terms = [X[i][j] * W[j][k] for j in range(n)]
            T = sum((abs(each) for each in terms), Fraction(0)) if self._rounds(terms) else Fraction(0)
            lost = sum(abs(terms[j]) for j in range(n) if self._lost(X[i][j]) or self._lost(W[j][k]))
            return own.mu(nu) * T + (1 + nu) * lost + 2 * n * own.h * (1 + nu)

        return self.each(of)

    def moved(self) -> tuple[Matrix, Matrix]:
        """s and e_p."""
        own, (z, p) = self.constants, (exactly(a) for a in self.centers[:2])
        e_z = self.e_z()
        s = self.each(lambda i, k: WIDER * movement(z[i][k], e_z[i][k]))
        return s, self.each(lambda i, k: s[i][k] + own.kappa_u * at_most_1(p[i][k] + s[i][k]) + own.phi)

    def found(self, moved: tuple[Matrix, Matrix] | None = None) -> dict[str, Matrix]:
        """The radii of every quantity, from s and e_p, which may be given."""
        own = self.constants
        _, p, q, r, delta = (exactly(a) for a in self.centers)
        X = exactly(self.problem.X)
        (m, columns), n = self.centers[0].shape, len(X[0])
        e_z = self.e_z()
        s, e_p = moved or self.moved()
        p_1 = self.each(lambda i, k: at_most_1(p[i][k] + e_p[i][k]))
        expanded = own.u if own.claims.expanded else Fraction(0)
        e_q = self.each(
            lambda i, k: (
                e_p[i][k] + own.kappa_u * at_most_1(q[i][k] + s[i][k]) + own.phi + expanded * p_1[i][k]
            )
        )
        pq_1 = self.each(lambda i, k: p_1[i][k] * at_most_1(q[i][k] + e_q[i][k]))
        e_r = self.each(lambda i, k: e_p[i][k] + own.u * (abs(r[i][k]) + e_p[i][k]) + 3 * own.h)
        A = self.each(lambda i, k: abs(r[i][k]) + e_r[i][k])
        M = self.each(lambda i, k: e_p[i][k] * at_most_1(q[i][k] + e_q[i][k]) + p[i][k] * e_q[i][k])
        e_slope = self.each(lambda i, k: M[i][k] + own.gamma * pq_1[i][k] + 6 * own.h)
        e_delta = self.each(
            lambda i, k: (
                e_r[i][k] * pq_1[i][k]
                + abs(r[i][k]) * M[i][k]
                + own.gamma * A[i][k] * pq_1[i][k]
                + 6 * own.h * (1 + A[i][k])
            )
        )

        def e_loss(places: list[tuple[int, int]]) -> Fraction:
            nu, half = own.nu_loss(len(places)), Fraction(1, 2)
            terms = [
                abs(r[i][k]) * e_r[i][k] + half * e_r[i][k] ** 2 + half * nu * A[i][k] ** 2 for i, k in places
            ]
            return sum(terms) + (4 * len(places) + 4) * own.h * (1 + nu)

        nu = own.nu_gradient(m)

        def e_grad(j: int, k: int) -> Fraction:
            total = 3 * m * own.h * (1 + nu)
            for i in range(m):
                x, D = abs(X[i][j]), abs(delta[i][k]) + e_delta[i][k]
                total += x * (e_delta[i][k] + own.mu(nu) * D)
                total += (1 + nu) * x * D if self._lost(x) else 0
                total += (1 + nu) * x * min(D, own.least_normal) if own.claims.u_in else 0
                total += 6 * own.h * (1 + nu) * (1 + A[i][k]) if own.claims.forward else 0
            return total

        return {
            "z": e_z,
            "y_hat": e_p,
            "dL_dyhat": e_r,
            "dyhat_dz": e_slope,
            "delta": e_delta,
            "row_loss": [[e_loss([(i, k) for k in range(columns)]) for i in range(m)]],
            "loss": [[e_loss(list(product(range(m), range(columns))))]],
            "grad": [[e_grad(j, k) for k in range(columns)] for j in range(n)],
        }

    def of_filter(self) -> dict[str, Matrix]:
        """The radii f_… of the filter, which takes all constants but μ(n) divided by 1 + 2^-12."""
        own = self.constants
        _, p, q, r, delta = (exactly(a) for a in self.centers)
        X, _, W = (exactly(a) for a in self.problem)
        (m, columns), n = self.centers[0].shape, len(W)
        kappa_u, u, gamma = (each / WIDER for each in (own.kappa_u, own.u, own.gamma))
        mu = own.mu(own.nu_gradient(m)) / WIDER

        def moved(i: int, k: int) -> Fraction:
            terms = [X[i][j] * W[j][k] for j in range(n)]
            a = own.mu(own.nu_dot(n)) * sum(map(abs, terms)) if self._rounds(terms) else Fraction(0)
            return a if a < Fraction(1, 2) else Fraction(0)

        a = self.each(moved)
        pq = self.each(lambda i, k: p[i][k] * q[i][k])
        f_p = self.each(lambda i, k: pq[i][k] * a[i][k] / (1 + a[i][k]) + kappa_u * p[i][k])
        f_r = self.each(lambda i, k: f_p[i][k] + u * abs(r[i][k]))
        f_delta = self.each(
            lambda i, k: (
                f_r[i][k] * pq[i][k]
                + abs(r[i][k]) * (f_p[i][k] + p[i][k] * kappa_u * q[i][k] + gamma * pq[i][k])
            )
        )

        def f_loss(places: list[tuple[int, int]]) -> Fraction:
            nu = own.nu_loss(len(places)) / WIDER
            return sum((abs(r[i][k]) * f_r[i][k] + nu * r[i][k] ** 2 / 2 for i, k in places), Fraction(0))

        def f_grad(j: int, k: int) -> Fraction:
            return sum(
                (abs(X[i][j]) * (f_delta[i][k] + mu * abs(delta[i][k])) for i in range(m)), Fraction(0)
            )

        return {
            "y_hat": f_p,
            "loss": [[f_loss(list(product(range(m), range(columns))))]],
            "row_loss": [[f_loss([(i, k) for k in range(columns)]) for i in range(m)]],
            "grad": [[f_grad(j, k) for k in range(columns)] for j in range(n)],
        }
