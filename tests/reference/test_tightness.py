"""Floors on how loose the bounds may be: what the document's own arithmetic uses of them.

SHARES are the largest and the median of |error| / radius over stacks of the ordinary regime, the least of
seeds 1 to 4, measured on x86-64 with AVX-512, NumPy 2.4 (largest, median). A floor is half of that: the
geometric middle between the figure and what a bound four times as loose would leave of it, so that other
kernels, which change single bits, stay above and a loosened bound falls below.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from crosscheck.inputs import Case
from reference import bounds, network, oracle
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Problem

SHAPES = {"document": (4096, 1, 3, 1), "samples": (512, 7, 3, 2), "inputs": (512, 2, 33, 1)}
OUTPUTS = ("y_hat", "loss", "row_loss", "grad")
# dtype, shape: the largest and the median share of each output
TABLE = """
          shape     y_hat          loss           row_loss       grad
float64   document  0.178 0.0395  0.174 0.0320  0.174 0.0320  0.127 0.0143
float64   samples   0.180 0.0400  0.090 0.0166  0.159 0.0253  0.114 0.0097
float64   inputs    0.122 0.0135  0.102 0.0113  0.118 0.0144  0.120 0.0046
float32   document  0.440 0.0946  0.416 0.0729  0.416 0.0729  0.275 0.0297
float32   samples   0.466 0.0916  0.200 0.0319  0.378 0.0569  0.240 0.0199
float32   inputs    0.244 0.0281  0.239 0.0229  0.306 0.0285  0.225 0.0093
float16   document  0.555 0.1194  0.392 0.0826  0.392 0.0826  0.365 0.0359
float16   samples   0.593 0.1168  0.128 0.0264  0.391 0.0649  0.280 0.0186
float16   inputs    0.296 0.0236  0.204 0.0185  0.242 0.0253  0.258 0.0071
bfloat16  document  0.589 0.1426  0.412 0.0841  0.412 0.0841  0.323 0.0332
bfloat16  samples   0.561 0.1423  0.253 0.0359  0.353 0.0621  0.171 0.0170
bfloat16  inputs    0.310 0.0389  0.220 0.0257  0.259 0.0335  0.122 0.0097
"""


def read_table() -> dict[tuple[str, str, str], tuple[float, float]]:
    """The figures of the table by dtype, shape and output."""
    found = {}
    for line in TABLE.strip().splitlines()[1:]:
        dtype, shape, *figures = line.split()
        for output, largest, median in zip(OUTPUTS, figures[::2], figures[1::2], strict=True):
            found[dtype, shape, output] = float(largest), float(median)
    return found


SHARES = read_table()


@cache
def shares(dtype: str, shape: str, seed: int = 1) -> dict[str, tuple[float, float]]:
    """The largest and the median share of the radius, over the finite results."""
    given = Case("ordinary", seed, SHAPES[shape], dtype=dtype).problem()
    outputs, exact = network.evaluate(*given)._asdict(), oracle.evaluate(*given)
    sets = bounds.admissible(given, FORMATS[dtype], default_arithmetic(FORMATS[dtype]))
    found = {}
    for name in OUTPUTS:
        hi, lo = oracle.to_floats(getattr(exact, name))
        got = outputs[name].astype(np.float64)
        share = (np.abs((got - hi) - lo) / sets[name].radius)[np.isfinite(got)]
        found[name] = float(share.max()), float(np.median(share))
    return found


def too_loose(found: tuple[float, float], measured: tuple[float, float]) -> bool:
    return any(share < figure / 2 for share, figure in zip(found, measured, strict=True))


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_bound_is_not_loose_and_one_four_times_as_loose_falls_below_the_floor(
    dtype: str, shape: str, output: str
) -> None:
    measured, found = SHARES[dtype, shape, output], shares(dtype, shape)[output]
    assert not too_loose(found, measured), f"{found} of the radius, measured {measured}"
    assert max(found) <= 1
    largest, median = found
    assert too_loose((largest / 4, median / 4), measured)


LONG = 1025  # terms of a sum


def chain(terms: Array) -> float:
    """The sum of float32 numbers that are added one after the other."""
    return float(np.add.accumulate(terms.ravel(), dtype=np.float32)[-1])


def lost(first: float, others: float) -> Array:
    """Numbers of which all but the first vanish when they are added to it: half an ulp, a tie to even."""
    return np.array([first, *([others] * (LONG - 1))], dtype=np.float32)


def used(name: str, got: float, X: Array, y: Array, W: Array) -> float:
    """The share of the radius of an output's first element."""
    found = bounds.admissible(Problem(X, y, W), FORMATS["float32"], default_arithmetic(FORMATS["float32"]))
    value = np.full(found[name].center.shape, got)
    assert found[name].contains(value).all()
    return float(found[name].share(value, np.ones(value.shape, np.bool_)).ravel()[0])


def test_a_chain_of_additions_uses_the_bound_of_a_long_loss() -> None:
    r, zero = lost(1.0, 2.0**-12), np.zeros((1, 1), np.float32)
    y = (np.float32(0.5) - r)[:, None]  # ŷ is ½
    assert used("loss", chain(np.float32(0.5) * r * r), np.zeros_like(y), y, zero) >= 0.95


def test_a_chain_of_additions_uses_the_bound_of_a_long_gradient() -> None:
    x, zero = lost(1.0, 2.0**-24)[:, None], np.zeros((1, 1), np.float32)
    y = np.full_like(x, -0.5)  # r is 1, ŷ and 1 − ŷ are ½
    assert used("grad", chain(x * np.float32(0.25)), x, y, zero) >= 0.95


def test_a_chain_of_additions_uses_the_bound_of_a_long_product() -> None:
    x = lost(1.0, 2.0**-24)[None]
    z = chain(x)
    assert used("z", z, x, np.zeros((1, 1), np.float32), np.ones((LONG, 1), np.float32)) >= 0.95
    y_hat = 1 / (1 + np.exp(-z))
    assert used("y_hat", y_hat, x, np.zeros((1, 1), np.float32), np.ones((LONG, 1), np.float32)) >= 0.95
