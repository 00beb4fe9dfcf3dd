"""Correct implementations of the network, as bad as their claims allow, in any of the four formats.

tests/reference/test_emulated.py has a few in NumPy's own float32. Here every format is rounded in float64,
and an implementation is drawn at random: the order of its sums, chains of FMA, trees, wide accumulators,
flush, ŷ anywhere within its κ, the order of Δ's factors, a rescaled mean, forward mode, rounded inputs.

float64 itself is NumPy's. For the others a product of two numbers is exact in float64, and a sum or an FMA is
rounded to 53 digits first: for a sum without consequence, in an FMA an error of u(1 + 2^-28).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reference.arithmetic import KAPPA, Arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array, Float64, Problem
from reference.units import Units

Random = np.random.Generator
TF32 = Format("tf32", 11, -126)


@dataclass(frozen=True)
class Rounded:
    """The basic operations of one format on its numbers, kept in float64."""

    format: Format
    flush: bool

    def flushed(self, a: Float64) -> Float64:
        """Subnormals as zeros of their sign, where the arithmetic flushes."""
        return np.where(np.abs(a) < self.format.least_normal, a * 0.0, a) if self.flush else a

    def round(self, a: Array) -> Float64:
        """To nearest, ties to even; beyond the largest number ±inf."""
        if self.format.name == "float64":
            return self.flushed(np.asarray(a, np.float64))
        exponents = np.maximum(np.frexp(a)[1] - 1, self.format.e_min)
        ulp = np.ldexp(1.0, exponents - self.format.precision + 1)
        rounded = np.copysign(np.rint(a / ulp) * ulp, a)
        rounded = np.where(np.isfinite(a), rounded, a)
        beyond = np.abs(rounded) > self.format.largest
        return self.flushed(np.where(beyond, np.copysign(np.inf, rounded), rounded).astype(np.float64))

    def mul(self, a: Float64, b: Float64) -> Float64:
        """a·b, rounded once."""
        return self.round(self.flushed(a) * self.flushed(b))

    def add(self, a: Float64, b: Float64) -> Float64:
        """a + b, rounded once."""
        return self.round(self.flushed(a) + self.flushed(b))

    def fma(self, a: Float64, b: Float64, c: Float64) -> Float64:
        """a·b + c, rounded once."""
        return self.round(self.flushed(a) * self.flushed(b) + self.flushed(c))

    def total(self, terms: Sequence[Float64], order: str) -> Float64:
        """The terms in a tree of pairs, or one after the other."""
        rest = list(terms)
        while len(rest) > 1:
            if order == "pairs":
                odd = [rest.pop()] if len(rest) % 2 else []
                rest = [self.add(a, b) for a, b in zip(rest[::2], rest[1::2], strict=True)] + odd
            else:
                rest[:2] = [self.add(rest[0], rest[1])]
        return rest[0]


@dataclass(frozen=True)
class Emulated:
    """One implementation.

    Attributes:
        format: what it computes in.
        claims: what it claims, and takes.
        dot: how it adds up products: ``fma``, ``pairs`` or ``sequence``.
        total: how it adds up the loss: ``pairs`` or ``sequence``.
        sigma: where ŷ lies: ``ends`` of its κ, ``nearest``, or nearest with ``zero`` below 1/Ω.
        mirrored: 1 − ŷ is σ(−z), not a difference.
        factors: which comes last in Δ = r·p·q: ``r``, ``q`` or ``p``.
        halves: r is multiplied by 2 and ½ in turn: ``2½``, ``½2`` or not at all.
        half_first: ½·r comes before ·r in the loss.
        seed: of the permutations and of ŷ.
    """

    format: Format
    claims: Arithmetic
    dot: str
    total: str
    sigma: str
    mirrored: bool
    factors: str
    halves: str
    half_first: bool
    seed: int

    @property
    def kind(self) -> str:
        """Why more may vanish than in the format: ``flush``, else rounded ``inputs``; else ``plain``."""
        return "flush" if self.claims.flush else "inputs" if self.claims.u_in else "plain"

    def outputs(self, given: Problem) -> dict[str, Float64]:
        """Every quantity of networks ``[S, m, n]`` whose float64 arrays hold numbers of the format."""
        X, y, W = given
        random = np.random.default_rng(self.seed)
        a = Rounded(self.format, self.claims.flush)
        z = self._matmul(a, X, W, random)
        p = self._logistic(a, z, random)
        q = self._logistic(a, -z, random) if self.mirrored else a.add(np.ones_like(p), -p)
        r = a.add(p, -y)
        for factor in {"2½": (2.0, 0.5), "½2": (0.5, 2.0)}.get(self.halves, ()):
            r = a.mul(r, np.asarray(factor))
        slope = a.add(p, -a.mul(p, p)) if self.claims.expanded else a.mul(p, q)
        delta = self._delta(a, self._mean(a, r, r.shape), p, q, slope)
        half = np.asarray(0.5)
        squares = a.mul(a.mul(half, r), r) if self.half_first else a.mul(half, a.mul(r, r))
        whole = random.permutation(np.moveaxis(squares.reshape(len(r), -1), -1, 0))
        named = {"z": z, "y_hat": p, "dL_dyhat": r, "dyhat_dz": slope, "delta": delta}
        named["loss"] = self._mean(a, self._sum(a, whole, self.claims.u_sum), r.shape)
        if not self.claims.rescaled_mean:
            named["row_loss"] = self._sum(a, np.moveaxis(squares, -1, 0), self.claims.u_sum)
        if self.claims.forward:
            return {**named, "grad": self._forward(a, X, r, slope, random)}
        return {**named, "grad": self._matmul(a, np.swapaxes(X, -1, -2), delta, random)}

    def _accumulator(self, a: Rounded, u: float | None) -> Rounded:
        return a if u is None else replace(a, format=FORMATS["float32"])

    def _sum(self, a: Rounded, terms: Float64, u: float | None) -> Float64:
        return a.round(self._accumulator(a, u).total(list(terms), self.total))

    def _matmul(self, a: Rounded, A: Float64, B: Float64, random: Random) -> Float64:
        if self.claims.u_in:
            A, B = (Rounded(TF32, self.claims.flush).round(each) for each in (A, B))
        wide = self._accumulator(a, self.claims.u_acc)
        order = random.permutation(A.shape[-1])
        pairs = [(A[..., k, None], B[..., k, None, :]) for k in order]
        if self.dot != "fma":
            return a.round(wide.total([wide.mul(*pair) for pair in pairs], self.dot))
        result = wide.mul(*pairs[0])
        for pair in pairs[1:]:
            result = wide.fma(*pair, result)
        return a.round(result)

    def _logistic(self, a: Rounded, z: Float64, random: Random) -> Float64:
        """σ(z) in extended precision, moved by up to κu, where that still is within κ after rounding."""
        wide = a.flushed(z).astype(np.longdouble)
        e = np.exp(-np.abs(wide))
        exact = np.where(wide >= 0, 1 / (1 + e), e / (1 + e))
        nearest = np.asarray(a.round(exact), np.float64)
        if self.sigma == "zero":
            return np.where(exact < 1 / np.longdouble(self.format.largest), 0.0, nearest)
        if self.sigma == "nearest":
            return nearest
        allowed = self.claims.kappa * self.format.u * exact
        moved = a.round(exact + allowed * random.choice([-1.0, -0.999, -0.5, 0.0, 0.5, 0.999, 1.0], z.shape))
        within = np.abs(moved - exact) <= allowed + Units.of(self.format, self.claims).phi
        return np.where(within, np.minimum(moved, 1.0), nearest)

    def _mean(self, a: Rounded, value: Float64, shape: tuple[int, ...]) -> Float64:
        if not self.claims.rescaled_mean:
            return value
        count = np.asarray(float(shape[-2] * shape[-1]))
        return a.mul(a.mul(value, a.round(1 / count)), count)

    def _delta(self, a: Rounded, r: Float64, p: Float64, q: Float64, slope: Float64) -> Float64:
        if self.factors == "r" or self.claims.expanded:
            return a.mul(r, slope)
        first, last = (q, p) if self.factors == "p" else (p, q)
        return a.mul(a.mul(r, first), last)

    def _forward(self, a: Rounded, X: Float64, r: Float64, slope: Float64, random: Random) -> Float64:
        """∂L/∂W from x·p·q times r, or times 2r and halved."""
        two = 2.0 if self.halves == "2½" else 1.0
        tangents = a.mul(X[..., :, :, None], slope[..., :, None, :])
        terms = a.mul(a.mul(r, np.asarray(two))[..., :, None, :], tangents)
        ordered = random.permutation(np.moveaxis(terms, -3, 0))
        return a.mul(self._sum(a, ordered, self.claims.u_sum), np.asarray(1 / two))


def drawn(random: Random, format: Format) -> Emulated:
    """An implementation at random."""

    def chance(share: float) -> bool:
        return bool(random.random() < share)

    def one_of(*names: str) -> str:
        return names[random.integers(len(names))]

    narrow, forward = format.precision < FORMATS["float32"].precision, chance(0.25)
    claims = Arithmetic(
        (KAPPA[format.name], 1.0, 16.0)[random.integers(3)],
        flush=chance(0.35),
        u_acc=FORMATS["float32"].u if narrow and chance(0.5) else None,
        u_sum=FORMATS["float32"].u if narrow and chance(0.5) else None,
        u_in=TF32.u if format.name == "float32" and chance(0.2) else 0.0,
        forward=forward,
        expanded=chance(0.2),
        rescaled_mean=not forward and chance(0.2),
    )
    return Emulated(
        format,
        claims,
        dot=one_of("pairs", "sequence", *([] if format.name == "float64" else ["fma"])),
        total=one_of("pairs", "sequence"),
        sigma=one_of("ends", "zero", "nearest"),
        mirrored=chance(0.5),
        factors=one_of("r", "q", "p"),
        halves=one_of("", "", "2½", "½2"),
        half_first=chance(0.5),
        seed=int(random.integers(2**32)),
    )
