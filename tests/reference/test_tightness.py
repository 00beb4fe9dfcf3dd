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
