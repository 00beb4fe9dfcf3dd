"""The table of probes: each question, what it bears on, the input that shows it, and how its answer is read.

In the comments λ is the least normal number, Ω the largest one, t the precision, and Δ = ∂L/∂z.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from crosscheck.behaviours import answers
from crosscheck.behaviours.answers import ALONE, LENGTHS, RUNS, by_z, numbers_of
from crosscheck.behaviours.probe import Probe, dot, literal, single
from crosscheck.inputs import Case, Literal
from reference.formats import Format

# The terms of a sum: two for each lane of the widest vector register, and one more.
TERMS: Final = 33
SMALL: Final = 0.125
# The possible sums: one that loses terms is a smaller multiple of the small term.
WIDTHS: Final = {k * SMALL: "narrow" for k in range(TERMS)} | {TERMS // 3 * SMALL: "wide"}
# A z at which torch's vectorized and scalar loops return different neighbours, in float64 and in float32.
POSITIONED: Final = -float.fromhex("0x1.3f50be80ff35cp+1")
STACK: Final = (8192, 1, 3, 1)
LAID_OUT: Final = (64, 2, 33, 1)
LONG: Final = (16385, 3, 1)  # long enough to be shared among threads
ALL: Final = numbers_of("y_hat", "loss", "grad")


def _largest_power(format: Format) -> float:
    """Return 2^e_max = 2/λ, the largest power of two."""
    return 2.0 / format.least_normal


def _loss_width(format: Format) -> Literal:
    """Make rows with ŷ = ½, where ½r² is large once, and elsewhere ½, at most half an ulp of the large one.

    The large r is the power of two 2^⌈t/2⌉, so that the format holds r² exactly.
    """
    large = math.ldexp(1.0, (format.precision + 1) // 2)
    labels = [[0.5 - r] for r in (large, *[1.0] * (TERMS - 1))]
    return literal(format, [[1.0]] * TERMS, labels, [[0.0]])


def _position(format: Format) -> Literal:
    """Make many rows with the same z."""
    z = float(np.float64(POSITIONED).astype(format.dtype))
    return literal(format, [[z]] * LENGTHS[-1], [[0.0]] * LENGTHS[-1], [[1.0]])


# In the order in which they are shown: subnormal numbers, sums, single values, bits.
EVERY: Final = (
    Probe(
        "subnormal_operand",
        "Is a subnormal operand of X·W taken for zero (DAZ)?",
        "the claim flush: Σ|x·w| over subnormal operands in e_z",
        # z = λ/2 · 2/λ is 1, or 0 where the subnormal operand is flushed
        lambda format: single(format, format.least_normal / 2, 0.0, _largest_power(format)),
        by_z({0.0: "flushed", 1.0: "kept"}),
    ),
    Probe(
        "subnormal_result",
        "Does a subnormal ∂L/∂W of normal operands become zero (FTZ)?",
        "the claim flush: h is the least normal number in every e",
        # Δ = ⅛ and x = λ, so that ∂L/∂W = λ/8
        lambda format: single(format, format.least_normal, 0.0, 0.0),
        answers.kept_or_flushed,
    ),
    Probe(
        "subnormal_times_inf",
        "What is σ of a subnormal number times infinity?",
        "where NaN is admissible: the claim flush",
        # z is inf, or 0·inf where the subnormal operand is flushed
        lambda format: single(format, format.least_subnormal, 0.0, math.inf),
        by_z({0.0: "y_hat 0.5", math.inf: "y_hat 1"}),
    ),
    Probe(
        "subnormal_sigma",
        "What is a subnormal ŷ?",
        "φ in e_p",
        # z is the first integer below 0 with σ(z) < λ, for which e^-z is still finite
        lambda format: single(format, 1.0, 0.0, float(math.floor(math.log(2.0) * format.e_min))),
        numbers_of("y_hat"),
    ),
    Probe(
        "forward_underflow",
        "Is ∂L/∂W lost where x·ŷ(1−ŷ) is subnormal and the product with r is not?",
        "the claim forward: 6h·Σ(1+A) in e_G",
        # x = 2λ and r = −2^k: x·ŷ(1−ŷ) = λ/2 is subnormal, its product with r is not, and r² is finite
        lambda format: single(format, 2 * format.least_normal, math.ldexp(1.0, -format.e_min // 2), 0.0),
        numbers_of("grad"),
    ),
    Probe(
        "partial_sum_overflow",
        "Which partial sums of X·W = 0 overflow, as ŷ shows?",
        "z_lo and z_hi where P or N reaches Ω",
        # 2^e_max + 2^e_max − 2^e_max − 2^e_max, where two terms of equal sign overflow
        lambda format: dot(format, [sign * _largest_power(format) for sign in (1, 1, -1, -1)]),
        by_z({-math.inf: "y_hat 0", 0.0: "y_hat 0.5", math.inf: "y_hat 1"}),
    ),
    Probe(
        "cancelling_sum",
        "What is left of 2^t + 1 + 1 + 1 − 2^t, as ŷ shows?",
        "the order of a sum: ν(n)·T in e_z",
        # 1 is half an ulp of 2^t
        lambda format: dot(format, [1 / format.u, 1.0, 1.0, 1.0, -1 / format.u]),
        by_z({float(z): f"z = {z}" for z in range(5)}),
    ),
    Probe(
        "dot_width",
        "Is the accumulator of dot products wider than the format?",
        "the claim u_acc",
        # the terms big, small and −big, repeated, where small is a quarter of an ulp of big
        lambda format: dot(
            format, np.resize([2 * SMALL / format.u, SMALL, -2 * SMALL / format.u], TERMS).tolist()
        ),
        by_z(WIDTHS),
    ),
    Probe(
        "loss_width",
        "Is the accumulator of the loss wider than the format, and if not, what is left of the sum?",
        "the claim u_sum",
        _loss_width,
        answers.width_of_loss,
    ),
    Probe(
        "twice_r_overflow",
        "Is r = ŷ − y doubled, so that it overflows, before it is multiplied by ŷ(1−ŷ)?",
        "(13): ∂L/∂W is free where 2r may overflow",
        # r = −1.5·2^e_max, so that 2r overflows, while the product of r with ŷ(1−ŷ) = ¼ is finite
        lambda format: single(format, 1.0, 1.5 * _largest_power(format), 0.0),
        numbers_of("grad"),
    ),
    Probe(
        "zero_gradient_sign",
        "Which sign has ∂L/∂W = 0?",
        "(13): ŷ − y or −(y − ŷ); never judged",
        lambda format: single(format, 1.0, 0.5, 0.0),  # ŷ = y
        answers.sign_of_gradient,
    ),
    Probe(
        "saturated_gradient",
        "What is left of ∂L/∂W where 1 + e^-z rounds to 1?",
        "(16): ŷ(1−ŷ) from a rounded ŷ; all may agree and all be wrong",
        # z is the first integer with e^-z < u, so that 1 − ŷ rounds to 0
        lambda format: single(format, 1.0, 0.0, float(math.ceil(-math.log(format.u)))),
        answers.gradient_and_exact,
    ),
    Probe(
        "sigma_overflow",
        "What are ŷ and ∂L/∂W where e^-z overflows?",
        "(10.2): the printed form, differentiated, is inf/inf there; φ in e_p",
        # z is the first integer below 0 for which e^-z exceeds Ω
        lambda format: single(format, 1.0, 0.0, -float(math.ceil(math.log(format.largest)))),
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
        lambda format: single(format, 1.0 + 2 * format.u, 0.0, 0.0),  # Δ = ⅛, so that ∂L/∂W is exactly x/8
        answers.eighth_of_x,
    ),
    Probe(
        "dtype",
        "Do the outputs have the dtype that came in?",
        "the contract",
        lambda format: single(format, 1.0, 0.0, 1.0),
        answers.dtypes_kept,
    ),
    Probe(
        "position",
        "Does σ depend on the place of z in the array?",
        f"κ: loops over vectors and what is left of them (columns of {', '.join(map(str, LENGTHS))} rows)",
        _position,
        answers.by_position,
    ),
    Probe(
        "stacking",
        "Does a network alone have the bits that it has in a stack?",
        f"reducing a failure to one network (of the first {ALONE} of {STACK[0]})",
        lambda format: Case("ordinary", 0, STACK, dtype=format.name),
        answers.alone,
    ),
    Probe(
        "stacking_subnormal",
        "The same where operands are subnormal, which large calls may flush?",
        "the claim flush, which may hold for large calls only",
        lambda format: Case("subnormal", 0, STACK, dtype=format.name),
        answers.alone,
    ),
    Probe(
        "alignment",
        "Do 8 bytes beyond an alignment of 64 change bits?",
        "the contract: any strides",
        lambda format: Case("ordinary", 0, LAID_OUT, "offset8", format.name),
        answers.by_alignment,
    ),
    Probe(
        "threads",
        "Does a second thread change bits?",
        "the order of a sum: ν in e_L and e_G; thread counts are set, never inherited",
        lambda format: Case("ordinary", 0, LONG, dtype=format.name),
        answers.by_threads,
    ),
    Probe(
        "runs",
        f"Has the same problem the same bits {RUNS} times?",
        "the contract",
        lambda format: Case("ordinary", 0, LAID_OUT, dtype=format.name),
        answers.by_run,
    ),
)
PROBES: Final = {probe.name: probe for probe in EVERY}
