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
SHARES: dict[tuple[str, str], dict[str, tuple[float, float]]] = {
    ("float64", "document"): {
        "y_hat": (0.178, 0.0395),
        "loss": (0.174, 0.0320),
        "row_loss": (0.174, 0.0320),
        "grad": (0.127, 0.0143),
    },
    ("float64", "samples"): {
        "y_hat": (0.180, 0.0400),
        "loss": (0.090, 0.0166),
        "row_loss": (0.159, 0.0253),
        "grad": (0.114, 0.0097),
    },
    ("float64", "inputs"): {
        "y_hat": (0.122, 0.0135),
        "loss": (0.102, 0.0113),
        "row_loss": (0.118, 0.0144),
        "grad": (0.120, 0.0046),
    },
    ("float32", "document"): {
        "y_hat": (0.440, 0.0946),
        "loss": (0.416, 0.0729),
        "row_loss": (0.416, 0.0729),
        "grad": (0.275, 0.0297),
    },
    ("float32", "samples"): {
        "y_hat": (0.466, 0.0916),
        "loss": (0.200, 0.0319),
        "row_loss": (0.378, 0.0569),
        "grad": (0.240, 0.0199),
    },
    ("float32", "inputs"): {
        "y_hat": (0.244, 0.0281),
        "loss": (0.239, 0.0229),
        "row_loss": (0.306, 0.0285),
        "grad": (0.225, 0.0093),
    },
    ("float16", "document"): {
        "y_hat": (0.555, 0.1194),
        "loss": (0.392, 0.0826),
        "row_loss": (0.392, 0.0826),
        "grad": (0.365, 0.0359),
    },
    ("float16", "samples"): {
        "y_hat": (0.593, 0.1168),
        "loss": (0.128, 0.0264),
        "row_loss": (0.391, 0.0649),
        "grad": (0.280, 0.0186),
    },
    ("float16", "inputs"): {
        "y_hat": (0.296, 0.0236),
        "loss": (0.204, 0.0185),
        "row_loss": (0.242, 0.0253),
        "grad": (0.258, 0.0071),
    },
    ("bfloat16", "document"): {
        "y_hat": (0.589, 0.1426),
        "loss": (0.412, 0.0841),
        "row_loss": (0.412, 0.0841),
        "grad": (0.323, 0.0332),
    },
    ("bfloat16", "samples"): {
        "y_hat": (0.561, 0.1423),
        "loss": (0.253, 0.0359),
        "row_loss": (0.353, 0.0621),
        "grad": (0.171, 0.0170),
    },
    ("bfloat16", "inputs"): {
        "y_hat": (0.310, 0.0389),
        "loss": (0.220, 0.0257),
        "row_loss": (0.259, 0.0335),
        "grad": (0.122, 0.0097),
    },
}


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
def test_the_bound_is_not_loose(dtype: str, shape: str, output: str) -> None:
    measured = SHARES[dtype, shape][output]
    found = shares(dtype, shape)[output]
    assert not too_loose(found, measured), f"{found} of the radius, measured {measured}"
    assert max(found) <= 1


@pytest.mark.long
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_bound_four_times_as_loose_falls_below_the_floor(dtype: str, shape: str, output: str) -> None:
    largest, median = shares(dtype, shape)[output]
    assert too_loose((largest / 4, median / 4), SHARES[dtype, shape][output])
