"""Compute the summaries of the cells of one case from an outcome."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.errors import NoAnswer
from crosscheck.inputs import Case, Literal
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import ExactValue, Precision, errors, exact_values
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import AXES, Judge, Judgement, flat
from crosscheck.known import Match, by_regime
from crosscheck.summary import EVERY, Cell, Summary, Worst, hash_of
from reference.formats import Format
from reference.types import Array, Float64
from reference.ulp import Category

# The exponents of two that a histogram distinguishes; values beyond count at its ends. Shares of a bound
# below 2^-80 need no distinction, and no error reaches 2^1100 ulp.
LEAST, MOST = -80, 1100
# Problems of one case that the oracle evaluates if nothing cheaper is exact enough: half by priority ...
BUDGET = 32
# ... and half sampled, with at most this many products in all, a second's work.
PRODUCTS = 2**13


def histogram(values: Float64) -> dict[str, int]:
    """Count the values in [2^e, 2^(e+1)) by e, and also ``zero`` and ``inf``; NaN is not counted."""
    known = values[~np.isnan(values)]
    finite = known[(known > 0) & np.isfinite(known)]
    exponents = np.clip(np.frexp(finite)[1] - 1, LEAST, MOST) - LEAST
    counts = np.bincount(exponents.astype(np.int64))
    found = {str(place + LEAST): int(counts[place]) for place in np.flatnonzero(counts).tolist()}
    ends = {"zero": int(np.sum(known == 0)), "inf": int(np.sum(np.isinf(known)))}
    return {**found, **{name: count for name, count in ends.items() if count}}


def priority(judge: Judge, outcomes: Sequence[Outcome]) -> Float64:
    """Return the priority of each problem, ``[problems]``: the largest share of a bound, or 0."""
    most = np.zeros(judge.problem.stack_size)
    for outcome in outcomes:
        if outcome.outputs is None:
            continue
        full = judge.sets(outcome.description.arithmetic[judge.format.name])
        for name, judgement in outcome.judgements.items():
            got = getattr(outcome.outputs, name).astype(np.float64)
            share = flat(full[name].share(got, judgement.admissible), AXES[name])
            most = np.fmax(most, np.fmax.reduce(share.reshape(most.size, -1), axis=1))
    return most


def oracle_budget(judge: Judge) -> int:
    """Return how many problems of a case the oracle may evaluate."""
    *_, m, n = judge.problem.X.shape
    return min(BUDGET, PRODUCTS // (m * n * judge.problem.y.shape[-1]))


def exact_values_within_budget(judge: Judge, outcomes: Sequence[Outcome]) -> dict[str, ExactValue]:
    """Return the exact values of a case; the outcomes decide which problems the oracle evaluates first."""
    budget = oracle_budget(judge)
    return exact_values(judge, budget, priority(judge, outcomes) if budget else None)


def _depends(output: str, b: int, *inner: int) -> tuple[int | slice, ...]:
    """Return which ŷ an element of an output depends on, as an index into ``[problems, m, p]``."""
    if output == "grad":
        return b, slice(None), inner[1]
    return b, *inner


def regime_at(judge: Judge, output: str, place: tuple[int, ...]) -> str:
    """Return the regime of an element: the first that is not ordinary, of the ŷ that it depends on."""
    found = flat(judge.places, 2)[_depends(output, *place)].ravel()
    special = found[found > 0]
    return tuple(REGIMES)[special.min() if special.size else 0]


def _worst(values: Float64, case: str, judge: Judge, output: str) -> Worst | None:
    """Return the largest value of an array ``[problems, …]`` with its place; None if all are NaN."""
    comparable = np.where(np.isnan(values), -1.0, values)
    at = int(np.argmax(comparable))
    value = float(comparable.flat[at])
    if value < 0:
        return None
    place = tuple(map(int, np.unravel_index(at, values.shape)))
    return Worst(value, case, place, regime_at(judge, output, place))


def cell_of(case: Case | Literal, outcome: Outcome, output: str) -> Cell:
    """Return the cell to which an output of this outcome belongs."""
    said = outcome.description
    regime = case.regime if isinstance(case, Case) else "literal"
    shape = "x".join(map(str, case.shape))
    return Cell(
        said.name, said.framework, said.version, said.device, said.threads or 0,
        case.dtype, output, regime, shape, case.layout,
    )  # fmt: skip


def count_of(case: Case | Literal) -> int:
    """Return how many problems the case has."""
    return math.prod(case.shape[:-3])


def summarise(
    case: Case | Literal,
    judge: Judge,
    outcome: Outcome,
    exact: Mapping[str, ExactValue],
    matches: Mapping[str, Sequence[Match]] = MappingProxyType({}),
) -> dict[Cell, Summary]:
    """Return one summary for each output of the outcome, or one for `EVERY` if it has no outputs.

    Args:
        case: the case from which the judge's problem was made.
        judge: the judge of that problem; it computes its full sets here if it has not before.
        outcome: the outcome of one adapter.
        exact: the exact values of each output, from `crosscheck.judging.accuracy.exact_values`.
        matches: by output, the known differences that cover wrong elements of the outcome.
    """
    if outcome.outputs is None:
        return {cell_of(case, outcome, EVERY): _without_output(case, outcome)}
    full = judge.sets(outcome.description.arithmetic[case.dtype])
    far = errors(outcome.outputs, dict(exact), judge.format)
    found: dict[Cell, Summary] = {}
    for name, judgement in outcome.judgements.items():
        error, category = (flat(each, AXES[name]) for each in far[name])
        known = flat(exact[name].precision != Precision.UNKNOWN, AXES[name])
        got = getattr(outcome.outputs, name).astype(np.float64)
        share = flat(full[name].share(got, judgement.admissible), AXES[name])
        narrow = flat(full[name].well_conditioned(judge.format), AXES[name]) & known
        narrow_error = np.where(narrow, error, np.nan)
        counted = _counted(name, judgement, np.bincount(category[known], minlength=len(Category)))
        found[cell_of(case, outcome, name)] = dataclasses.replace(
            counted,
            cases=hash_of(case.text.encode()),
            bits=_bits(case.text, got),
            equal=equal_bits(getattr(outcome.outputs, name), _rounded(full[name].center, judge.format)),
            unknown=int(np.sum(~known)),
            well_conditioned=int(np.sum(narrow)),
            error=_worst(error, case.text, judge, name),
            well_conditioned_error=_worst(narrow_error, case.text, judge, name),
            share=_worst(share, case.text, judge, name),
            errors=histogram(error),
            well_conditioned_errors=histogram(narrow_error),
            shares=histogram(share),
            **known_fields(judge, name, matches.get(name, ())),
        )
    return found


def _without_output(case: Case | Literal, outcome: Outcome) -> Summary:
    """Return the summary of an outcome without outputs: it has the reason."""
    why = frozenset([] if outcome.failure is None else [str(outcome.failure)])
    is_late = isinstance(outcome.failure, NoAnswer)
    return Summary(
        problems=count_of(case),
        cases=hash_of(case.text.encode()),
        unsupported=frozenset([] if outcome.unsupported is None else [outcome.unsupported]),
        failures=frozenset() if is_late else why,
        no_verdict=why if is_late else frozenset(),
    )


def _bits(case: str, got: Float64) -> int:
    """Return a hash of a case and an adapter's results for it; all NaNs count as the same bits."""
    return hash_of(case.encode(), np.where(np.isnan(got), np.nan, got).tobytes())


def equal_bits(got: Array, nearest: Array, *, some_nan: bool = True) -> int:
    """Count the numbers that have the same bits; NaNs count as equal if ``some_nan`` is true."""
    bits = f"i{got.itemsize}"
    same = got.view(bits) == nearest.view(bits)
    if some_nan:
        same |= np.isnan(got) & np.isnan(nearest)
    return int(np.count_nonzero(same))


def _rounded(center: Float64, format: Format) -> Array:
    """Round the center to the format."""
    with np.errstate(over="ignore", invalid="ignore"):
        return center.astype(format.dtype)


def known_fields(judge: Judge, name: str, matches: Sequence[Match]) -> dict[str, Any]:
    """Return the fields of a summary that count the known differences of one output."""
    if not matches:
        return {}
    counts = {
        f"{match.name}:{regime}": count
        for match in matches
        for regime, count in by_regime(judge, name, match).items()
    }
    elements = np.logical_or.reduce([match.elements for match in matches])
    return {"known": counts, "known_elements": int(np.sum(elements))}


def wrong_in(judgement: Judgement, name: str) -> Summary:
    """Return a summary with only the numbers of wrong problems and elements of one output."""
    wrong = ~flat(judgement.admissible, AXES[name])
    problems = int(np.sum(wrong.reshape(len(wrong), -1).any(-1)))
    return Summary(wrong_problems=problems, wrong_elements=int(np.sum(wrong)))


def _counted(name: str, judgement: Judgement, kinds: NDArray[np.int64]) -> Summary:
    """Return the counts of one output; ``kinds`` counts the elements of known exact value by `Category`."""
    problems = len(flat(judgement.admissible, AXES[name]))
    return dataclasses.replace(
        wrong_in(judgement, name),
        problems=problems,
        elements=judgement.admissible.size,
        not_judged=judgement.not_judged,
        overflow=int(kinds[Category.OVERFLOW]),
        lost_to_zero=int(kinds[Category.LOST_TO_ZERO]),
        undefined=int(kinds[Category.UNDEFINED]),
    )
