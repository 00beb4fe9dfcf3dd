"""Probes of single values: overflow, saturation, infinities and NaN, and the dtypes that are returned."""

from __future__ import annotations

import math

import numpy as np

from crosscheck.behaviours.probe import Probe, evaluated_number, numbers_of, single
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import CheckedAdapter, evaluate_stack
from crosscheck.text import format_hex, format_number
from reference import oracle
from reference.formats import Format


def _twice_r(format: Format) -> Literal:
    """Make r = −1.5·2^e_max, so that 2r overflows, while the product of r with ŷ(1−ŷ) = ¼ is finite."""
    return single(format, 1.0, math.ldexp(1.5, 1 - format.e_min), 0.0)


def _zero_gradient(format: Format) -> Literal:
    """Make ŷ = y = ½, so that the gradient is zero."""
    return single(format, 1.0, 0.5, 0.0)


def _saturated(format: Format) -> Literal:
    """Make z the first integer with e^-z < u, so that 1 + e^-z rounds to 1, and 1 − ŷ to 0."""
    return single(format, 1.0, 0.0, float(math.ceil(-math.log(format.u))))


def _sigma_overflow(format: Format) -> Literal:
    """Make z the first integer below 0 for which e^-z exceeds Ω."""
    return single(format, 1.0, 0.0, -float(math.ceil(math.log(format.largest))))


def _last_digit(format: Format) -> Literal:
    """Make Δ = ⅛, so that ∂L/∂W is exactly X/8 and shows whether the last digit of X is kept."""
    return single(format, 1.0 + 2 * format.u, 0.0, 0.0)


def _sign(adapter: CheckedAdapter, case: Case | Literal) -> str:
    return f"grad {format_hex(evaluated_number(adapter, case, 'grad'))}"


def _beside_the_exact(adapter: CheckedAdapter, case: Case | Literal) -> str:
    exact, _ = oracle.to_floats(oracle.evaluate(*case.problem()).grad)
    got = evaluated_number(adapter, case, "grad") + 0.0
    return f"grad {format_number(got, case.format)}, exact {float(np.ravel(exact)[0]):.3g}"


def _digit(adapter: CheckedAdapter, case: Case | Literal) -> str:
    got = evaluated_number(adapter, case, "grad")
    want = float(np.ravel(case.problem().X)[0]) / 8
    return "kept" if got == want else f"grad {format_number(got, case.format)}, exact {format_hex(want)}"


def _dtype(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer "kept"; an output of another dtype, or of none, raises `AdapterMisbehaved`."""
    evaluate_stack(adapter, case.problem())
    return "kept"


ALL = numbers_of("y_hat", "loss", "grad")

VALUES = (
    Probe(
        "twice_r_overflow",
        "Is r = ŷ − y doubled, so that it overflows, before it is multiplied by ŷ(1−ŷ)?",
        "(13): ∂L/∂W is free where 2r may overflow",
        _twice_r,
        numbers_of("grad"),
    ),
    Probe(
        "zero_gradient_sign",
        "Which sign has ∂L/∂W = 0?",
        "(13): ŷ − y or −(y − ŷ); never judged",
        _zero_gradient,
        _sign,
    ),
    Probe(
        "saturated_gradient",
        "What is left of ∂L/∂W where 1 + e^-z rounds to 1?",
        "(16): ŷ(1−ŷ) from a rounded ŷ; all may agree and all be wrong",
        _saturated,
        _beside_the_exact,
    ),
    Probe(
        "sigma_overflow",
        "What are ŷ and ∂L/∂W where e^-z overflows?",
        "(10.2): the printed form, differentiated, is inf/inf there; φ in e_p",
        _sigma_overflow,
        numbers_of("y_hat", "grad"),
    ),
    Probe(
        "nan_times_zero",
        "Does a NaN in W come through a product with 0?",
        "where only NaN is admissible",
        lambda format: single(format, 0.0, 0.0, math.nan),
        ALL,
    ),
    Probe(
        "z_plus_inf",
        "What are ŷ, L and ∂L/∂W at z = inf?",
        "(10.1), (16) at the limit",
        lambda format: single(format, 1.0, 0.0, math.inf),
        ALL,
    ),
    Probe(
        "z_minus_inf",
        "What are ŷ, L and ∂L/∂W at z = −inf?",
        "(10.1), (16) at the limit",
        lambda format: single(format, 1.0, 0.0, -math.inf),
        ALL,
    ),
    Probe(
        "last_digit",
        "Does the last digit of X reach ∂L/∂W (not without x64, nor with TF32)?",
        "the claim u_in; the precision that a dtype's name promises",
        _last_digit,
        _digit,
    ),
    Probe(
        "dtype",
        "Do the outputs have the dtype that came in?",
        "the contract",
        lambda format: single(format, 1.0, 0.0, 1.0),
        _dtype,
    ),
)
