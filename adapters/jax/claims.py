"""What JAX's modes claim about their arithmetic, and the source of each claim.

κ bounds the error of the logistic (`reference.arithmetic`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from adapters.modes import FORWARD_MODES, Mode
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS

WIDE = FORMATS["float32"].u
TF32 = 2.0**-11  # TF32 keeps 11 digits
# κ is twice the documented error in ulp on CPU: 3.5, 2.5, 2.0 and 2.5.
KAPPA = {"float64": 7.0, "float32": 5.0, "float16": 4.0, "bfloat16": 5.0}
SOURCES = {
    "kappa": "twice the ulp of logistic on CPU in JAX's documentation (docs.jax.dev, Numerical accuracy)",
    "u_acc": "measured: 16-bit products add in float32 (tests/conformance/test_wide_accumulators.py)",
    "u_sum": "jax.numpy.sum adds 16-bit floats in float32 (upcast_f16_for_computation in reductions.py)",
    "flush": "XLA's CPU client sets FTZ and DAZ (tsl::port::ScopedFlushDenormal); not claimed for float16,"
    " where the judge has seen none",
    "u_in": "jax_default_matmul_precision and jax.lax.Precision in JAX's documentation (docs.jax.dev): on a"
    " GPU that has TF32, float32 products use it by default and at 'high', not at 'highest'; nothing was"
    " measured",
    "forward": "jax.jvp, jacfwd and linearize are forward mode",
}
LOOPS = ("map", "scan")  # loops over rows: they accumulate values and cotangents in the arrays' dtype


def claims(mode: Mode, dtype: str) -> Arithmetic:
    """Return the claims measured on the CPU and, on every device, those that follow from the mode's options.

    Nothing was measured on devices other than the CPU; there, all other claims are the default ones.
    """
    found = _on_cpu(mode, dtype) if mode["device"] == "cpu" else default_arithmetic(FORMATS[dtype])
    asked = _asked_for(mode, dtype)
    return replace(found, **asked, sources={**found.sources, **_sources(asked)})


def _on_cpu(mode: Mode, dtype: str) -> Arithmetic:
    """Return the claims on the CPU: κ as documented, wide 16-bit sums except in loops, flushed subnormals."""
    made: dict[str, Any] = {"kappa": KAPPA[dtype]}
    if dtype != "float16":
        made |= {"flush": True}
    if dtype in ("float16", "bfloat16") and mode["batching"] not in LOOPS:
        made |= {"u_acc": WIDE, "u_sum": WIDE}
    return Arithmetic(**made, sources=_sources(made))


def _asked_for(mode: Mode, dtype: str) -> dict[str, Any]:
    """Return the claims that follow from the mode's options.

    On a GPU, float32 products use TF32 unless the mode asks for the highest precision; a derivative may be of
    forward mode.
    """
    made: dict[str, Any] = {}
    if dtype == "float32" and mode["device"] == "gpu" and mode["matmul"] != "matmul_highest":
        made |= {"u_in": TF32}
    if mode["derivative"] in FORWARD_MODES:
        made |= {"forward": True}
    return made


def _sources(made: Iterable[str]) -> dict[str, str]:
    return {claim: SOURCES[claim] for claim in made}
