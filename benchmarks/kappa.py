"""κ of every adapter's logistic, found beside claimed: |σ̂(z) − σ(z)| ≤ κ·u·σ(z) + φ.

    python benchmarks/kappa.py [--dtype float32 ...] [--sample 0] [--float64 2097152] [--seed 0]

A stack of networks with m = n = p = 1, X = 1 and W = z is given to the adapter, whose ŷ then is σ(z). The z
are every finite number of float16 and bfloat16; in float32 all with 2^-26 ≤ |z| < 104, or --sample of them
at random; in float64 random ones. The exact σ is the float64 reference, which errs by at most 2^-27 of a
unit of float32; in float64 double-double and, where that is not certified, the oracle. Prints the largest
(|σ̂ − σ| − φ)/(u·σ) with its z, for the reference as well; exits 1 where one exceeds its claim.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# one thread each, as in the children of a run; before NumPy, torch or JAX read it
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np

import adapters
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.text import format_hex
from reference import double_double, oracle, stable
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array, Float64
from reference.units import KAPPA_REFERENCE, Units

BLOCK = 1 << 16  # z at a time: what a framework computes of them stays in the cache
SMALLEST, LIMIT = 2.0**-26, 104.0  # of |z| in float32
DTYPES = ("float16", "bfloat16", "float64", "float32")  # float32 takes longest

Exact = tuple[Float64, Float64]  # hi + lo


@dataclass
class Logistic:
    """An implementation of σ, and the largest κ found.

    Attributes:
        name: the adapter's.
        sigma: σ of an array of z, in its dtype.
        claimed: the κ that it claims.
        phi: the absolute error that it may have besides.
        found: largest (|σ̂ − σ| − φ)/(u·σ).
        z: where.
        count: of how many z.
    """

    name: str
    sigma: Callable[[Array], Array]
    claimed: float
    phi: float
    found: float = 0.0
    z: float = 0.0
    count: int = 0

    def measure(self, z: Array, exact: Exact, format: Format) -> None:
        """Take a block of z into account."""
        hi, lo = exact
        error = np.abs((self.sigma(z).astype(np.float64) - hi) - lo)
        unit = np.maximum(format.u * hi, FORMATS["float64"].least_subnormal)  # σ = 0 in float64: φ or nothing
        kappa = np.maximum(error - self.phi, 0) / unit
        worst = int(np.argmax(kappa))  # NaN counts as the largest
        if not kappa[worst] <= self.found:
            self.found, self.z = float(kappa[worst]), float(z[worst])
        self.count += z.size

    @property
    def keeps(self) -> bool:
        """Whether the claim holds for all that was seen."""
        return self.found <= self.claimed


def through(adapter: InProcessAdapter) -> Callable[[Array], Array]:
    """σ as the adapter computes it inside the network: ŷ for X = 1 and W = z."""

    def sigma(z: Array) -> Array:
        W = z[:, None, None]
        y_hat = adapter.evaluate(np.ones_like(W), np.zeros_like(W), W).y_hat
        return np.asarray(y_hat)[:, 0, 0]

    return sigma


def logistics(loaded: list[InProcessAdapter], format: Format) -> list[Logistic]:
    """The adapters that have this format; in float64 also the reference that judges them."""
    found = []
    for adapter in loaded:
        described = adapter.description
        if format.name in described.dtypes:
            claims = described.arithmetic[format.name]
            phi = Units.of(format, claims).phi
            found.append(Logistic(described.name, through(adapter), claims.kappa, phi))
    if format.name == "float64":
        phi = Units.of(format, Arithmetic(KAPPA_REFERENCE)).phi
        found.append(Logistic("reference", lambda z: stable.logistic(z)[0], KAPPA_REFERENCE, phi))
    return found


def every_finite(format: Format) -> Iterator[Array]:
    """All finite numbers of a 16-bit format."""
    z = np.arange(1 << 16, dtype=np.uint16).view(format.dtype)
    yield z[np.isfinite(z)]


def every_float32() -> Iterator[Array]:
    """All z of float32 with SMALLEST ≤ |z| < LIMIT; numbers of one sign are ordered as their bits."""
    first, end = (int(np.float32(value).view(np.uint32)) for value in (SMALLEST, LIMIT))
    for start in range(first, end, BLOCK):
        z = np.arange(start, min(start + BLOCK, end), dtype=np.uint32).view(np.float32)
        yield z
        yield -z


def sampled(count: int, random: np.random.Generator, format: Format) -> Iterator[Array]:
    """So many z: a quarter each around 0, in ±40, in the whole range, and with exponents spread evenly."""
    low = -745.0 if format.name == "float64" else -LIMIT
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        spread = np.exp2(random.uniform(-26, 6, size)) * random.choice([-1.0, 1.0], size)
        near, far = random.normal(0, 3, size), random.uniform(low, 40, size)
        kinds = near, random.uniform(-40, 40, size), far, spread
        yield np.choose(random.integers(0, 4, size), kinds).astype(format.dtype)


def exact_sigma(z: Array, format: Format) -> Exact:
    """σ(z) as hi + lo, far more accurate than the format."""
    if format.name != "float64":
        hi = stable.logistic(z.astype(np.float64))[0]
        return hi, np.zeros_like(hi)
    W = z[:, None, None]
    hi, lo, radius = (a[:, 0, 0] for a in double_double.evaluate(np.ones_like(W), np.zeros_like(W), W).y_hat)
    rest = ~np.isfinite(radius)
    W = W[rest]
    found = oracle.to_floats(oracle.evaluate(np.ones_like(W), np.zeros_like(W), W).y_hat)
    hi[rest], lo[rest] = (a[:, 0, 0] for a in found)
    return hi, lo


def blocks(format: Format, options: argparse.Namespace) -> Iterator[Array]:
    """The z of a format."""
    random = np.random.default_rng(options.seed)
    if format.name == "float64":
        return sampled(options.float64, random, format)
    if format.name != "float32":
        return every_finite(format)
    return sampled(options.sample, random, format) if options.sample else every_float32()


def measured(loaded: list[InProcessAdapter], format: Format, options: argparse.Namespace) -> list[Logistic]:
    """The logistics of one format after all its z."""
    found = logistics(loaded, format)
    with np.errstate(all="ignore"):
        for z in blocks(format, options):
            exact = exact_sigma(z, format)
            for each in found:
                each.measure(z, exact, format)
    return found


def main() -> int:
    """Measure, print a row for each adapter and dtype, and say whether every claim holds."""
    parser = argparse.ArgumentParser(description="κ of the adapters' logistic, found beside claimed")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=DTYPES)
    for option, value in (("--sample", 0), ("--float64", 1 << 21), ("--seed", 0)):
        parser.add_argument(option, type=int, default=value)
    options = parser.parse_args()
    loaded = [InProcessAdapter(adapters.load(name)) for name in adapters.CORE if adapters.installed(name)]
    kept = True
    print(f"{'adapter':<10} {'dtype':<9} {'κ found':>8} {'claimed':>8} {'z':>13}  at z")
    for dtype in options.dtype:
        for each in measured(loaded, FORMATS[dtype], options):
            kept &= each.keeps
            row = f"{each.name:<10} {dtype:<9} {each.found:>8.3f} {each.claimed:>8.1f} {each.count:>13,}"
            print(f"{row}  {format_hex(each.z)}{'' if each.keeps else '  EXCEEDED'}", flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
