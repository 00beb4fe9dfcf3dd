"""What PyTorch's modes claim about their arithmetic, and the source of each claim.

κ bounds the error of the logistic (`reference.arithmetic`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from adapters.modes import FORWARD_MODES, Mode
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic
from reference.formats import FORMATS

WIDE = FORMATS["float32"].u
SUMMED = "float16"  # the dtype in which the loss of `torch.nn` is a sum: its range is too small for a mean
# Digits that a product keeps of its inputs where the switch allows fewer: TF32 has 11, bfloat16 has 8.
U_IN = {"matmul_high": 2.0**-11, "matmul_medium": FORMATS["bfloat16"].u}
SOURCES = {
    "kappa": "torch documents none: the reference's κ, above what benchmarks/kappa.py finds",
    "u_acc": "16-bit products add in float32: at::opmath_type in BlasKernel.cpp; oneDNN's accumulation_mode"
    " strict, its default; held by tests/conformance/test_wide_accumulators.py",
    "u_sum": "16-bit sums add in float32: at::acc_type<scalar_t, true> in SumKernel.cpp, cascade_sum",
    "flush": "measured on a CPU with AVX512_BF16, once stack·m·n·p > 4096; `crosscheck compare` says so where"
    " nothing seen needs the claim",
    "u_in": "torch.set_float32_matmul_precision: 'high' allows TF32, 'medium' bfloat16",
    "forward": "torch.func.jvp and jacfwd are forward mode",
    "rescaled_mean": "torch.nn.MSELoss is a mean; the adapter multiplies by its count",
}


def claims(mode: Mode, dtype: str) -> Arithmetic:
    """Return the claims measured on the CPU and, on every device, those that follow from the mode's options.

    Nothing was measured on devices other than the CPU; there, all other claims are the default ones.
    """
    found = _measured(dtype) if mode["device"] == "cpu" else default_arithmetic(FORMATS[dtype])
    asked = _asked_for(mode, dtype)
    return replace(found, **asked, sources={**found.sources, **_sources(asked)})


def _measured(dtype: str) -> Arithmetic:
    """Return the claims on the CPU: κ, wide 16-bit sums, and possibly flushed subnormals in bfloat16."""
    made: dict[str, Any] = {"kappa": KAPPA[dtype]}
    if dtype in ("float16", "bfloat16"):
        made |= {"u_acc": WIDE, "u_sum": WIDE}
    if dtype == "bfloat16":
        made |= {"flush": True}
    return Arithmetic(**made, sources=_sources(made))


def _asked_for(mode: Mode, dtype: str) -> dict[str, Any]:
    """Return the claims that follow from the mode's options.

    A switch may round the inputs of matrix products, a derivative may be of forward mode, and the loss of
    `torch.nn` is a mean times its count, except in float16.
    """
    made: dict[str, Any] = {}
    if dtype == "float32" and mode["matmul"] in U_IN:
        made |= {"u_in": U_IN[mode["matmul"]]}
    if mode["derivative"] in FORWARD_MODES:
        made |= {"forward": True}
    if mode["derivative"] == "module" and dtype != SUMMED:
        made |= {"rescaled_mean": True}
    return made


def _sources(made: Iterable[str]) -> dict[str, str]:
    return {claim: SOURCES[claim] for claim in made}
