"""The cells of an exhaustive sweep's ledger by interval of z, and the sizes of the exact values."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from crosscheck.cases import Case, parse
from crosscheck.cases.sources import LABELS
from crosscheck.results.ledger import Ledger, LedgerError
from crosscheck.results.summary import EVERY, Summary, Worst, merged
from crosscheck.sweep.exhaustive import MEASURED
from reference.formats import FORMATS, Format

NON_FINITE: Final = "non_finite"
# The outputs, in the order of the page.
DTYPES: Final = ("float32", "float16", "bfloat16")


class Key(NamedTuple):
    """The adapter, dtype and output of a list of steps."""

    dtype: str
    output: str
    adapter: str


class Step(NamedTuple):
    """An interval of z.

    Attributes:
        word: the regime.
        low, high: its ends; NaN for the step of all infinities and NaNs, which has none.
        summary: the summary of one output of one adapter.
    """

    word: str
    low: float
    high: float
    summary: Summary


Steps = Mapping[Key, list[Step]]


def steps_of(ledger: Ledger) -> dict[Key, list[Step]]:
    """Return the steps of each key, from the lowest z to the highest.

    Raises:
        LedgerError: a cell has no interval.
    """
    found: dict[Key, dict[str, Summary]] = {}
    for cell, summary in ledger.cells.items():
        if cell.output != EVERY:
            mine = found.setdefault(Key(cell.dtype, cell.output, cell.adapter), {})
            mine.setdefault(cell.regime, Summary()).add(summary)
    if strange := [key for key in found if key.dtype not in DTYPES or key.output not in MEASURED]:
        raise LedgerError(f"has {strange[0].output} in {strange[0].dtype}, which no exhaustive sweep has")
    order = sorted(found, key=lambda key: (DTYPES.index(key.dtype), MEASURED.index(key.output)))
    return {key: sorted((_step(*each) for each in found[key].items()), key=place_of) for key in order}


def _step(regime: str, summary: Summary) -> Step:
    word, *ends = regime.split(" ")
    try:
        low, high = map(float, ends or ("nan", "nan"))
    except ValueError:
        raise LedgerError(f"has a cell of {regime!r}, which is no interval of z; make it again") from None
    if math.isnan(low) != (word == NON_FINITE):
        raise LedgerError(f"has a cell of {regime!r}, which is no interval of z; make it again")
    return Step(word, low, high, summary)


def place_of(step: Step) -> tuple[bool, float, float]:
    """Return the key that sorts steps by z; infinities and NaN come last."""
    return (True, 0.0, 0.0) if step.word == NON_FINITE else (False, step.low, step.high)


def lacking(ledger: Ledger, dtype: str) -> dict[str, str]:
    """Return the reasons why adapters lack a dtype, by adapter."""
    return {
        cell.adapter: "; ".join(sorted(summary.unsupported))
        for cell, summary in sorted(ledger.cells.items())
        if cell.dtype == dtype and summary.unsupported
    }


def labels_of(dtype: str) -> tuple[float, ...]:
    """Return the labels y that a sweep combines with the values of a format."""
    return LABELS if FORMATS[dtype].dtype.itemsize == 2 else LABELS[:1]


def exact(output: str, z: float, y: float) -> float:
    """Return the size of an output for X = 1, accurate enough to decide whether it is a normal number."""
    e = math.exp(-abs(z))
    p, q = (1 / (1 + e), e / (1 + e)) if z >= 0 else (e / (1 + e), 1 / (1 + e))
    r = -q if y == 1 else p - y
    return abs({"y_hat": p, "loss": r * r / 2, "grad": r * p * q}[output])


def is_normal(step: Step, key: Key) -> bool:
    """Return whether no exact value of the step is below the least normal number.

    Between the ends of a step each output is monotonic, or rises and then falls, so the ends decide.
    """
    if step.word == NON_FINITE:
        return True
    ends = [exact(key.output, z, y) for z in (step.low, step.high) for y in labels_of(key.dtype)]
    return min(ends) >= FORMATS[key.dtype].least_normal


class Input(NamedTuple):
    """An input of an exhaustive sweep, which has X = 1."""

    z: float
    y: float
    format: Format


def input_of(worst: Worst) -> Input:
    """Return the input of a worst value.

    Raises:
        CaseError: the text of its case is no case.
        LedgerError: the case does not belong to an exhaustive sweep.
    """
    case = parse(worst.case)
    if not isinstance(case, Case) or case.regime != "every":
        raise LedgerError(f"has {worst.case} among its worst cases, which is none of an exhaustive sweep")
    one = dataclasses.replace(case, seed=case.seed + worst.place[0], shape=(1, 1, 1)).problem()
    return Input(float(one.W.item()), float(one.y.item()), case.format)


def together(steps: Iterable[Step]) -> Summary:
    """Merge the summaries of all steps."""
    return merged(step.summary for step in steps)
