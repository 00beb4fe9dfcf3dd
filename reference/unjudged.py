"""Which numbers are judged: those whose admissible set holds less than everything that the output can be.

For most networks the sizes of their numbers decide; only the few others need the sets of `reference.bounds`
(``docs/accuracy.md``, "Not judged"). T is |X|·|W|, r is ŷ − y, ν is that of `reference.units`, and Ω is the
largest finite number.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reference import stable
from reference.types import Float64, Problem
from reference.units import UNJUDGED, Units

# Sizes so far below Ω that no sum made of them overflows, and more than any residual of a loss whose set
# begins at zero.
ROOM_FOR_SUMS, RESIDUAL = 64.0, 8.0


def judged(shape: tuple[int, ...], units: Units) -> dict[str, bool]:
    """Whether each output's set is narrower than the trivial one: every ν it depends on is below ¼.

    Args:
        shape: ends with m, n and p.
        units: the error constants of the implementation.
    """
    m, n, p = shape[-3:]
    z, dot = units.nu_dot(n), units.nu_gradient(m)
    return {
        "y_hat": z < UNJUDGED,
        "loss": max(z, units.nu_loss(m * p)) < UNJUDGED,
        "row_loss": max(z, units.nu_loss(p)) < UNJUDGED,
        "grad": max(z, dot) < UNJUDGED,
    }


class Sizes(NamedTuple):
    """The largest numbers of a stack by size, each NaN where one is NaN.

    Attributes:
        rounded: the largest |X|·|W| where X·W may be rounded.
        T: the largest |X|·|W|.
        r, X, W: the largest size of a number in r, X and W.
    """

    rounded: float
    T: float
    r: float
    X: float
    W: float

    @classmethod
    def of(cls, problem: Problem, reference: stable.Reference, rounded: Float64) -> Self:
        """Find the largest sizes in a float64 problem, its reference, and ``rounded`` as in `doubtful`."""
        arrays = (rounded, reference.T, reference.r, problem.X, problem.W)
        return cls(*(float(np.maximum(np.max(a), -np.min(a))) for a in arrays))


def doubtful(
    problem: Problem, reference: stable.Reference, units: Units, rounded: Float64, sizes: Sizes
) -> NDArray[np.intp]:
    """The networks in which a set may hold everything that its output can be; all others are judged.

    The result has their places in the flat stack, rather too many than too few (``docs/accuracy.md``, "Not
    judged").

    Args:
        problem: in float64.
        reference: the float64 reference of the problem.
        units: the error constants of the implementation.
        rounded: T where the implementation may round X·W, else 0, as in `reference.filter.radii`.
        sizes: the largest sizes of all these numbers.
    """
    (m, n), p, largest = problem.X.shape[-2:], problem.y.shape[-1], units.format.largest
    mu, own = units.with_inputs(units.nu_dot(n)), 2 * n * units.h * (1 + units.nu_dot(n))
    if max(units.kappa_u + units.phi, own) > UNJUDGED or RESIDUAL**2 * m * p > largest:
        return np.arange(problem.stack_size)
    partner = UNJUDGED / (n * units.format.least_normal) if units.flushes else largest
    limits = (
        (rounded, sizes.rounded, UNJUDGED / mu),
        (reference.T, sizes.T, largest / ROOM_FOR_SUMS),
        (problem.X, sizes.X, partner),
        (problem.W, sizes.W, partner),
    )
    found = [_reaching(array, limit) for array, size, limit in limits if not size < limit]
    if not ROOM_FOR_SUMS * m * max(1, sizes.X) * (sizes.r + 2) < largest:
        found.append(_large_products(problem.X, reference.r, largest))
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.intp)


def _large_products(X: Float64, r: Float64, largest: float) -> NDArray[np.intp]:
    """The networks whose sums of x·Δ or of residuals may come near Ω, or contain a NaN.

    These are the networks in which m·max(1, |x|)·(|r| + 2) comes near it.
    """
    m = X.shape[-2]
    root = math.sqrt(
        largest / (ROOM_FOR_SUMS * m)
    )  # of two factors one reaches it where the product is so large
    networks = np.unique(np.concatenate([_reaching(X, root), _reaching(r, root - 2)]))
    x, size = (np.abs(a.reshape(-1, *a.shape[-2:])[networks]).max((-2, -1), initial=1) for a in (X, r))
    with np.errstate(over="ignore"):
        return networks[~(ROOM_FOR_SUMS * m * x * (size + 2) < largest)]


def _reaching(array: Float64, limit: float) -> NDArray[np.intp]:
    """The networks with a number of at least that size, or a NaN."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(~(np.abs(array) < limit)) // math.prod(array.shape[-2:])
