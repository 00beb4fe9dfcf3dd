"""Probes of subnormal numbers: whether they become zero as operands or results, and the consequences.

λ is the least normal number, 2^e_min, and 2^(1 − e_min) = 2/λ the largest power of two.
"""

from __future__ import annotations

import math

from crosscheck.behaviours.probe import Probe, by_z, evaluated_number, numbers_of, single
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import CheckedAdapter
from reference.formats import Format


def _operand(format: Format) -> Literal:
    """Make z = λ/2 · 2/λ, which is 1, or 0 where the subnormal operand is flushed."""
    return single(format, format.least_normal / 2, 0.0, math.ldexp(1.0, 1 - format.e_min))


def _result(format: Format) -> Literal:
    """Make Δ = ⅛ and x = λ, so that ∂L/∂W = λ/8 is a subnormal result of normal operands."""
    return single(format, format.least_normal, 0.0, 0.0)


def _times_inf(format: Format) -> Literal:
    """Make z the least subnormal number times inf, which is inf, or 0·inf where the operand is flushed."""
    return single(format, format.least_subnormal, 0.0, math.inf)


def _sigma(format: Format) -> Literal:
    """Make z the first integer below 0 with σ(z) < λ, for which e^-z is still finite."""
    return single(format, 1.0, 0.0, float(math.floor(math.log(2.0) * format.e_min)))


def _forward(format: Format) -> Literal:
    """Make x = 2λ and r = −2^k: x·ŷ(1−ŷ) = λ/2 is subnormal, its product with r is not, and r² is finite."""
    return single(format, 2 * format.least_normal, math.ldexp(1.0, -format.e_min // 2), 0.0)


def _kept_or_flushed(adapter: CheckedAdapter, case: Case | Literal) -> str:
    return "kept" if evaluated_number(adapter, case, "grad") else "flushed"


SUBNORMALS = (
    Probe(
        "subnormal_operand",
        "Is a subnormal operand of X·W taken for zero (DAZ)?",
        "the claim flush: Σ|x·w| over subnormal operands in e_z",
        _operand,
        by_z({0.0: "flushed", 1.0: "kept"}),
    ),
    Probe(
        "subnormal_result",
        "Does a subnormal ∂L/∂W of normal operands become zero (FTZ)?",
        "the claim flush: h is the least normal number in every e",
        _result,
        _kept_or_flushed,
    ),
    Probe(
        "subnormal_times_inf",
        "What is σ of a subnormal number times infinity?",
        "where NaN is admissible: the claim flush",
        _times_inf,
        by_z({0.0: "y_hat 0.5", math.inf: "y_hat 1"}),
    ),
    Probe("subnormal_sigma", "What is a subnormal ŷ?", "φ in e_p", _sigma, numbers_of("y_hat")),
    Probe(
        "forward_underflow",
        "Is ∂L/∂W lost where x·ŷ(1−ŷ) is subnormal and the product with r is not?",
        "the claim forward: 6h·Σ(1+A) in e_G",
        _forward,
        numbers_of("grad"),
    ),
)
