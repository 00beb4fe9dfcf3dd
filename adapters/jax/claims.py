"""What JAX's modes claim about their arithmetic, and the source of each claim."""

from __future__ import annotations

from typing import Any

from adapters.modes import FORWARD_MODES, Mode
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS

WIDE = FORMATS["float32"].u
# κ is twice the documented error in ulp on CPU: 3.5, 2.5, 2.0 and 2.5.
KAPPA = {"float64": 7.0, "float32": 5.0, "float16": 4.0, "bfloat16": 5.0}
SOURCES = {
    "kappa": "twice the ulp of logistic on CPU in JAX's documentation (docs.jax.dev, Numerical accuracy)",
    "u_acc": "measured: 16-bit products add in float32 (tests/test_accumulators.py)",
    "u_sum": "jax.numpy.sum adds 16-bit floats in float32 (upcast_f16_for_computation in reductions.py)",
    "flush": "XLA's CPU client sets FTZ and DAZ (tsl::port::ScopedFlushDenormal); not claimed for float16,"
    " where the judge has seen none",
    "forward": "jax.jvp, jacfwd and linearize are forward mode",
}
LOOPS = ("map", "scan")  # over rows: their carries and cotangents add up in the dtype of the arrays


def claims(mode: Mode, dtype: str) -> Arithmetic:
    """κ as documented; in 16 bits sums are wide but those of loops; all but float16 flush subnormals.

    Nothing was measured on other devices than the CPU, so that nothing is claimed there.
    """
    if mode["device"] != "cpu":
        return default_arithmetic(FORMATS[dtype])
    made: dict[str, Any] = {"kappa": KAPPA[dtype]}
    if dtype != "float16":
        made |= {"flush": True}
    if dtype in ("float16", "bfloat16") and mode["batching"] not in LOOPS:
        made |= {"u_acc": WIDE, "u_sum": WIDE}
    if mode["derivative"] in FORWARD_MODES:
        made |= {"forward": True}
    return Arithmetic(**made, sources={claim: SOURCES[claim] for claim in made})
