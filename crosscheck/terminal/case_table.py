"""The table of one case: every output of every adapter, at its worst element."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from adapters.errors import NoAnswer
from crosscheck.inputs.regimes import REGIMES, classify
from crosscheck.judging.accuracy import ExactValue, errors
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from crosscheck.text import format_decimal, format_element, format_endpoint, format_share, format_ulp
from reference.types import Array, Float64
from reference.ulp import Category

ExactValues = dict[str, ExactValue]
COLUMNS = ("adapter", "output", "verdict", "worst ulp", "of bound", "at", "got there", "exact there")
APART = COLUMNS.index("at")  # on a narrow terminal, the columns from here on have a line of their own
LONGEST = 60  # characters of a case in a heading
WORDS = {Category.OVERFLOW: "overflow", Category.LOST_TO_ZERO: "to zero", Category.UNDEFINED: "nan"}


def heading(text: str, judge: Judge) -> str:
    """Return the case, its size and its regimes as text."""
    (*stack, m, n), p = judge.problem.X.shape, judge.problem.W.shape[-1]
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    places, counts = np.unique(classify(*judge.problem, judge.format), return_counts=True)
    found = [(list(REGIMES)[int(i)], int(c)) for i, c in zip(places, counts, strict=True)]
    regimes = ", ".join(name if len(found) == 1 else f"{name} {count}" for name, count in found)
    size = f"{math.prod(stack)} problem{'s' * (math.prod(stack) != 1)}, m = {m}, n = {n}, p = {p}"
    return f"{shown}\n{judge.format.name}, {size}; elements of ŷ: {regimes}"


def table(judge: Judge, outcomes: Sequence[Outcome], exact_values: ExactValues, width: int) -> str:
    """Return a row for each output of each adapter, with the largest error and the element nearest its bound.

    If the columns do not fit the width, the value at that element has a line of its own.
    """
    lines = [COLUMNS, *_rows(judge, outcomes, exact_values)]
    whole = _aligned(lines)
    if max(map(len, whole)) <= width:
        return "\n".join(whole)
    first = _aligned([line[:APART] for line in lines])
    below = [
        f"  got {got}, exact {exact}{' at' * bool(where)} {where}".rstrip() if got else ""
        for *_, where, got, exact in lines
    ]
    pairs = zip(first[1:], below[1:], strict=True)
    return "\n".join([first[0], *(line for pair in pairs for line in pair if line)])


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Align the cells of the lines in columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _rows(judge: Judge, outcomes: Sequence[Outcome], exact_values: ExactValues) -> Iterator[tuple[str, ...]]:
    for outcome in outcomes:
        if outcome.outputs is None:
            yield (
                outcome.description.name,
                "-",
                _without(outcome),
                *[""] * 5,
            )
            continue
        sets = judge.sets(outcome.description.arithmetic[judge.format.name])
        for name, (error, kind) in errors(outcome.outputs, exact_values, judge.format).items():
            got = np.asarray(getattr(outcome.outputs, name)).astype(np.float64)
            share = sets[name].share(got, outcome.judgements[name].admissible)
            at = np.unravel_index(int(np.argmax(np.where(np.isnan(share), -1.0, share))), share.shape)
            index = tuple(map(int, at))
            yield (
                outcome.description.name,
                name,
                outcome.judgements[name].verdict.value,
                _largest(error, kind),
                format_share(float(share[index])),
                format_element("", index),
                format_decimal(float(got[index]), judge.format),
                format_endpoint(float(exact_values[name].hi[index]), judge.format),
            )


def _without(outcome: Outcome) -> str:
    """Return the verdict on an adapter that returned no outputs."""
    if outcome.unsupported is not None:
        return "not supported"
    return "no verdict" if isinstance(outcome.failure, NoAnswer) else "failed"


def _largest(error: Float64, kind: Array) -> str:
    """Return the largest error in ulp, and the categories of elements that have no such error."""
    known = error[~np.isnan(error)]
    words = [word for category, word in WORDS.items() if (kind == category).any()]
    return " ".join([format_ulp(float(known.max())) if known.size else "-", *words])


def largest_error(judge: Judge, outcomes: Sequence[Outcome], exact_values: ExactValues) -> str:
    """Return a sentence with the largest error: results can be within bounds and still be far off."""
    found = [
        (float(np.nanmax(error)), f"in {name} of {outcome.description.name}")
        for outcome in outcomes
        if outcome.outputs is not None
        for name, (error, _) in errors(outcome.outputs, exact_values, judge.format).items()
        if not np.isnan(error).all()
    ]
    if not any(outcome.outputs is not None for outcome in outcomes):
        return "No adapter returned anything of which an error could be measured."
    if not found:
        return "There is no exact value to measure an error from."
    error, where = max(found, key=lambda each: each[0])
    return f"The largest error is {format_ulp(error)} ulp, {where}."
