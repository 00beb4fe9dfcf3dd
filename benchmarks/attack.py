"""An attack on the bounds with correct implementations: none of their results may lie outside its set.

    python benchmarks/attack.py [--seconds 60] [--seed 0] [--dtype float32 ...]

Every round draws an implementation (benchmarks/emulations.py) and a stack of problems, of a regime or of
random bits, and climbs: it perturbs the problems and keeps those with a larger share of the radius,
|result − center| / radius. Each time the filter is held against the full set as well, which must accept
what the filter accepts at its center and at both ends of its radius. Prints the checks made, the violations,
and the largest share of each output by format and kind: with flush, else with rounded inputs, else plain.
Exits 1 on a violation.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from emulations import Emulated, Rounded, drawn

from crosscheck.inputs import Case, take
from crosscheck.inputs.regimes import REGIMES
from reference import bounds, exact, filter, stable
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS, Format
from reference.types import Array, Bool, Float64, Problem
from reference.units import Units

SHAPES = (
    *((1, 1, 1), (1, 3, 1), (1, 1, 3), (3, 1, 2), (2, 3, 2)),
    *((4, 5, 1), (7, 9, 3), (12, 17, 2), (16, 2, 1), (1, 33, 1)),
)
STEPS = 6  # of the climb
WIDE = np.dtype(np.longdouble)
Shares = dict[str, float]


@dataclass
class Attack:
    """What was seen so far.

    Attributes:
        checks: elements of outputs held against their sets.
        filtered: the same for the filter's edges that the filter accepts.
        violations: elements outside.
        shares: largest share of an output by format and kind.
        told: what was violated and has been printed.
    """

    checks: int = 0
    filtered: int = 0
    violations: int = 0
    shares: dict[tuple[str, str], Shares] = field(default_factory=lambda: defaultdict(dict))
    told: set[tuple[str, ...]] = field(default_factory=set)

    def hold(
        self, name: str, outside: Bool, emulated: Emulated | None, given: Problem, format: Format
    ) -> None:
        """Count violations, and print the first of each kind."""
        self.violations += int(outside.sum())
        key = (name, format.name, "filter" if emulated is None else "result")
        if outside.any() and key not in self.told:
            self.told.add(key)
            own = Problem(*(a.astype(format.dtype) for a in given))
            print("VIOLATION", *key, take(own, int(np.argwhere(outside)[0][0])).text, emulated, flush=True)

    def results(self, emulated: Emulated, given: Problem, sets: dict[str, AdmissibleSet]) -> Float64:
        """Check every output of an implementation; the largest share of each problem, ``[S]``."""
        best = np.zeros(len(given.X))
        largest = self.shares[emulated.format.name, emulated.kind]
        for name, got in emulated.outputs(given).items():
            admissible = sets[name].contains(got)
            self.checks += got.size
            self.hold(name, ~admissible, emulated, given, emulated.format)
            share = np.nan_to_num(sets[name].share(got, admissible), nan=0.0).reshape(len(best), -1).max(1)
            largest[name] = max(largest.get(name, 0.0), float(share.max()))
            best = np.maximum(best, share)
        return best

    def edges(
        self, emulated: Emulated, given: Problem, sets: dict[str, AdmissibleSet], reference: stable.Reference
    ) -> None:
        """Hold the filter's center and ends against the full set."""
        units, centers = Units.of(emulated.format, emulated.claims), filter.centers(reference)
        factors, rounded = filter.Factors.of(units, given), exact.rounded_size(given, reference.T, units)
        for name, radius in filter.radii(given, reference, factors, rounded)._asdict().items():
            center = getattr(centers, name)
            for got in (center, center + radius, center - radius):
                accepted = filter.accepts(name, got, center, radius)
                self.filtered += int(accepted.sum())
                self.hold(name, accepted & ~sets[name].contains(got), None, given, emulated.format)

    def round(self, random: np.random.Generator, format: Format) -> None:
        """One implementation, one stack of problems, one climb."""
        emulated = drawn(random, format)
        given, best = problems(random, format), np.asarray(-1.0)
        for step in range(STEPS):
            tried = Problem(*(perturbed(random, a, format) for a in given)) if step else given
            reference = stable.evaluate(*tried)
            sets = bounds.admissible(tried, format, emulated.claims, reference)
            found = self.results(emulated, tried, sets)
            self.edges(emulated, tried, sets, reference)
            better = (found > best)[:, None, None]
            given = Problem(*(np.where(better, new, old) for new, old in zip(tried, given, strict=True)))
            best = np.maximum(best, found)


def problems(random: np.random.Generator, format: Format) -> Problem:
    """A stack of a regime, of random bits or of few digits, as float64 arrays of numbers of the format."""
    m, n, p = SHAPES[random.integers(len(SHAPES))]
    shape = (64 if m * n * p > 50 else 256, m, n, p)
    kind = (*REGIMES, "bits", "digits", "digits")[random.integers(len(REGIMES) + 3)]
    if kind in REGIMES and not REGIMES[kind].unsupported(shape, format):
        made = Case(kind, int(random.integers(2**63)), shape, dtype=format.name).problem()
    else:
        S, make = shape[0], few_digits if kind == "digits" else bits
        made = Problem(*(make(random, size, format) for size in ((S, m, n), (S, m, p), (S, n, p))))
    return Problem(*(a.astype(np.float64) for a in made))


def few_digits(random: np.random.Generator, shape: tuple[int, ...], format: Format) -> Array:
    """Small integers times a power of two for each network, so that many sums are exact or cancel."""
    integers = random.integers(-(2 ** random.integers(1, 6)), 2 ** random.integers(1, 6) + 1, shape)
    reach = (1 - format.e_min) // int(random.choice([2, 2, 16]))
    scales = random.integers(-reach, reach + 1, (shape[0], 1, 1))
    made = np.ldexp(integers.astype(np.float64), scales if random.integers(2) else reach - 4)
    return np.clip(made, -format.largest, format.largest).astype(format.dtype)


def bits(random: np.random.Generator, shape: tuple[int, ...], format: Format) -> Array:
    """Finite numbers of random bits: their exponents are spread evenly over the whole range."""
    raw = random.integers(0, 256, (*shape, format.dtype.itemsize), np.uint8).view(format.dtype)[..., 0]
    return np.where(np.isfinite(raw), raw, np.ones_like(raw))


def perturbed(random: np.random.Generator, a: Float64, format: Format) -> Float64:
    """Three in ten of the numbers changed: by some ulp, a power of two, the sign, or up to a half."""
    factors = (
        1 + format.u * 2 * random.integers(-3, 4, a.shape),
        np.exp2(random.integers(-1, 2, a.shape)),
        np.full(a.shape, -1.0),
        0.5 + random.random(a.shape),
    )
    changed = Rounded(format, flush=False).round(a * factors[random.integers(len(factors))])
    return np.where(np.isfinite(changed) & (random.random(a.shape) < 0.3), changed, a)


def report(attack: Attack, rounds: int) -> None:
    """Print the counts and the table of shares."""
    print(
        f"{rounds:,} implementations, {attack.checks:,} results and {attack.filtered:,} edges of the filter"
    )
    print(f"checks: {attack.checks + attack.filtered:,}   violations: {attack.violations}")
    print(f"{'largest share':<18}" + "".join(f"{name:>10}" for name in bounds.NAMES))
    for (dtype, kind), shares in sorted(attack.shares.items()):
        row = "".join(f"{shares.get(name, 0.0):>10.2f}" for name in bounds.NAMES)
        print(f"{dtype:<9}{kind:<9}{row}")


def main() -> int:
    """Attack for so many seconds."""
    parser = argparse.ArgumentParser(description="an attack on the bounds with correct implementations")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", nargs="+", choices=tuple(FORMATS), default=tuple(FORMATS))
    options = parser.parse_args()
    if np.finfo(WIDE).nmant < 63 and "float64" in options.dtype:
        parser.error("float64 needs a longer long double for σ; use --dtype float32 float16 bfloat16")
    random, attack, rounds = np.random.default_rng(options.seed), Attack(), 0
    end = time.monotonic() + options.seconds
    with np.errstate(all="ignore"):
        while time.monotonic() < end or not rounds:
            attack.round(random, FORMATS[options.dtype[rounds % len(options.dtype)]])
            rounds += 1
    report(attack, rounds)
    return 1 if attack.violations else 0


if __name__ == "__main__":
    sys.exit(main())
