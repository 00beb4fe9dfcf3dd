"""Probes of sums: the order of the terms and the width of the accumulators; t is the precision, u = 2^-t."""

from __future__ import annotations

import math

import numpy as np

from crosscheck.behaviours.probe import Probe, by_z, dot, evaluated_number, literal
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.text import format_number
from reference.formats import Format
from reference.ulp import nearest

# The number of terms: two for each lane of the widest vector register, and one more.
TERMS = 33
SMALL = 0.125
KEPT = TERMS // 3 * SMALL


def _overflow(format: Format) -> Literal:
    """Make the sum 2^e_max + 2^e_max − 2^e_max − 2^e_max = 0, where two terms of equal sign overflow."""
    half = math.ldexp(1.0, 1 - format.e_min)
    return dot(format, [half, half, -half, -half])


def _cancelling(format: Format) -> Literal:
    """Make the sum 2^t + 1 + 1 + 1 − 2^t = 3, where 1 is half an ulp of 2^t."""
    big = 1 / format.u
    return dot(format, [big, 1.0, 1.0, 1.0, -big])


def _dot_width(format: Format) -> Literal:
    """Make a sum that repeats the terms big, small, −big, where small is a quarter of an ulp of big."""
    big = 2 * SMALL / format.u
    return dot(format, [float(term) for term in np.resize([big, SMALL, -big], TERMS)])


def _loss_width(format: Format) -> Literal:
    """Make rows with ŷ = ½, where ½r² is large once, and elsewhere ½, at most half an ulp of the large one.

    The large r is the power of two 2^⌈t/2⌉, so that the format holds r² exactly.
    """
    large = math.ldexp(1.0, (format.precision + 1) // 2)
    labels = [[0.5 - r] for r in (large, *[1.0] * (TERMS - 1))]
    return literal(format, [[1.0]] * TERMS, labels, [[0.0]])


def _width_of_loss(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer "wide" if the loss is the number nearest to the exact one, which a few more digits ensure."""
    r = 0.5 - case.problem().y.astype(np.float64)
    want = float(nearest(math.fsum((0.5 * r * r).flat), 0.0, case.format))
    got = evaluated_number(adapter, case, "loss")
    return "wide" if got == want else f"narrow: loss {format_number(got, case.format)}"


# The possible sums: one that loses terms is a smaller multiple of the small term.
WIDTHS = {k * SMALL: "narrow" for k in range(TERMS)} | {KEPT: "wide"}

SUMS = (
    Probe(
        "partial_sum_overflow",
        "Which partial sums of X·W = 0 overflow, as ŷ shows?",
        "z_lo and z_hi where P or N reaches Ω",
        _overflow,
        by_z({-math.inf: "y_hat 0", 0.0: "y_hat 0.5", math.inf: "y_hat 1"}),
    ),
    Probe(
        "cancelling_sum",
        "What is left of 2^t + 1 + 1 + 1 − 2^t, as ŷ shows?",
        "the order of a sum: ν(n)·T in e_z",
        _cancelling,
        by_z({float(z): f"z = {z}" for z in range(5)}),
    ),
    Probe(
        "dot_width",
        "Is the accumulator of dot products wider than the format?",
        "the claim u_acc",
        _dot_width,
        by_z(WIDTHS),
    ),
    Probe(
        "loss_width",
        "Is the accumulator of the loss wider than the format, and if not, what is left of the sum?",
        "the claim u_sum",
        _loss_width,
        _width_of_loss,
    ),
)
