"""Diagnosis of a wrong ŷ of equation probes: is σ wrong, or the z = X·W that σ is taken of?

σ sees nothing but z. So z is wrong if ŷ changes with X and W while their product stays, if ŷ belongs to the
weights of another network of the stack, or if it is exactly σ of a z with fewer digits. Otherwise σ is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from crosscheck.explain.element import at
from crosscheck.explain.probes import EquationProbes, evaluate_alone, evaluate_doubled, sets_at
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.text import format_number
from reference.types import Float64

# The significant bits of float32, of float16 and TF32, and of bfloat16, and how they are made.
BITS: Final = (24, 11, 8)
ROUNDINGS: Final[dict[str, Callable[[Float64], Float64]]] = {"rounded": np.round, "cut": np.trunc}


def wrong_z(adapter: CheckedAdapter, probes: EquationProbes) -> str | None:
    """Return the evidence that z is wrong at equation probes whose ŷ is outside; None if σ must be.

    Raises:
        AdapterCrashed, AdapterMisbehaved, NotImplementedError: the adapter does not evaluate further probes.
    """
    return next(
        (found for test in (_by_factors, _by_network, _by_digits) for found in test(adapter, probes)), None
    )


def _by_factors(adapter: CheckedAdapter, probes: EquationProbes) -> Iterator[str]:
    """Yield where ŷ depends on X and W beyond their product."""
    found = evaluate_doubled(adapter, probes).get("y_hat")
    if found is not None and found[1].any():
        i = int(np.argmax(found[1]))
        got, once = (format_number(float(a[i]), probes.format) for a in (found[0], probes.got["y_hat"]))
        yield f"at z = {probes.z[i]:.9g}, ŷ is {got} with X = 2 and W = z/2, and {once} with X = 1 and W = z"


def _by_network(adapter: CheckedAdapter, probes: EquationProbes) -> Iterator[str]:
    """Yield which network has the ŷ of another one, if all wrong ones do and the first is right alone."""
    got = probes.got["y_hat"]
    wrong = np.flatnonzero(probes.outside["y_hat"])
    fits = probes.sets["y_hat"].mapped(lambda array: array[np.newaxis]).contains(got[wrong, np.newaxis])
    if fits.any(1).all():
        i, j = int(wrong[0]), int(np.argmax(fits[0]))
        alone = evaluate_alone(adapter, probes, i).y_hat
        if alone is not None and at(probes.sets["y_hat"], (i,)).contains(alone.astype(np.float64)).all():
            z = f"z = {probes.z[j]:.9g}"
            yield f"network {i} of the stack has the ŷ of network {j}, {z}; alone it is right"


def _by_digits(adapter: CheckedAdapter, probes: EquationProbes) -> Iterator[str]:
    """Yield to how many significant bits z is rounded, if that explains all ŷ."""
    claims = adapter.description.arithmetic[probes.format.name]
    significand, exponent = np.frexp(probes.z)
    for bits in BITS:
        for word, change in ROUNDINGS.items():
            z = np.ldexp(change(np.ldexp(significand, bits)), exponent - bits)
            whole = sets_at(z, probes.y, probes.format, claims)["y_hat"]
            if whole.contains(probes.got["y_hat"]).all():
                yield f"ŷ is σ of z {word} to {bits} significant bits at every probe"
