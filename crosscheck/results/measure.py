"""Compute the summaries of the cells of one case from an outcome, with errors in ulp and without."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from msgspec.structs import replace

from adapters.errors import NoAnswer
from adapters.protocol import Description
from crosscheck.inputs import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case, Literal
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import ExactValue, Precision, errors, exact_values
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import AXES, Judge, Judgement, flat
from crosscheck.plans.shapes import shape_class
from crosscheck.results.known import Match, by_regime
from crosscheck.results.summary import EVERY, WORST, Cell, Number, Summary, Worst, add, hash_of
from crosscheck.text import format_set
from reference.arithmetic import Arithmetic
from reference.formats import Format
from reference.types import Array, Float64, Problem
from reference.ulp import Category

# The class of the shapes of `crosscheck compare`.
CORE: Final = "core"
CORE_SHAPES: Final = frozenset((*SHAPES_ELEMENTWISE, *SHAPES_STACKED))
# The regime of a cell whose case is given by its numbers.
LITERAL: Final = "literal"
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
    """Return the exact values of a case; the oracle evaluates at most `oracle_budget` of its problems.

    Half of these are the problems at which the outcomes use the largest shares of a bound.
    """
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
    return Worst(Number(value), case, place, regime_at(judge, output, place))


def class_of(shape: tuple[int, ...]) -> str:
    """Return the name of the class of shapes that a cell has: `CORE`, or a class of the matrix."""
    return CORE if shape in CORE_SHAPES else shape_class(shape)


def regime_of(case: Case | Literal) -> str:
    """Return the regime of a case, or another source; `LITERAL` if its numbers are given."""
    return case.regime if isinstance(case, Case) else LITERAL


def cell_of(case: Case | Literal, description: Description, output: str) -> Cell:
    """Return the cell to which an output of this adapter on this case belongs."""
    return Cell(
        description.name,
        description.framework,
        description.version,
        description.device,
        description.threads or 0,
        case.dtype,
        output,
        regime_of(case),
        class_of(case.shape),
        case.layout,
    )


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
        judge: the judge of that problem; it computes its admissible sets here if it has not before.
        outcome: the outcome of one adapter.
        exact: the exact values of each output, from `crosscheck.judging.accuracy.exact_values`.
        matches: by output, the known differences that cover wrong elements of the outcome.
    """
    found: dict[Cell, Summary] = {}
    add_counts(found, case, judge, outcome, matches)
    text = case.text
    for summary in found.values():
        summary.cases = hash_of(text.encode())
    if outcome.outputs is None:
        return found
    full = judge.sets(outcome.description.arithmetic[case.dtype])
    far = errors(outcome.outputs, dict(exact), judge.format)
    for cell, summary in found.items():
        name = cell.output
        error, category = (flat(each, AXES[name]) for each in far[name])
        known = flat(exact[name].precision != Precision.UNKNOWN, AXES[name])
        returned = getattr(outcome.outputs, name)
        got = returned.astype(np.float64)
        share = flat(full[name].share(got, outcome.judgements[name].admissible), AXES[name])
        narrow = flat(full[name].well_conditioned(judge.format), AXES[name]) & known
        narrow_error = np.where(narrow, error, np.nan)
        kinds = np.bincount(category[known], minlength=len(Category))
        summary.overflow = int(kinds[Category.OVERFLOW])
        summary.lost_to_zero = int(kinds[Category.LOST_TO_ZERO])
        summary.undefined = int(kinds[Category.UNDEFINED])
        summary.bits = _bits(text, got)
        summary.equal = equal_bits(returned, _rounded(full[name].center, judge.format))
        summary.unknown = int(np.sum(~known))
        summary.well_conditioned = int(np.sum(narrow))
        summary.error = _worst(error, text, judge, name)
        summary.well_conditioned_error = _worst(narrow_error, text, judge, name)
        summary.share = _worst(share, text, judge, name)
        summary.errors = histogram(error)
        summary.well_conditioned_errors = histogram(narrow_error)
        summary.shares = histogram(share)
    return found


def add_counts(
    total: dict[Cell, Summary],
    case: Case | Literal,
    judge: Judge,
    outcome: Outcome,
    matches: Mapping[str, Sequence[Match]] = MappingProxyType({}),
) -> None:
    """Add the counts of `summarise` alone to ``total``, in place; they take microseconds to find."""
    if outcome.outputs is None:
        add(total, {cell_of(case, outcome.description, EVERY): _without_output(case, outcome)})
        return
    for name, judgement in outcome.judgements.items():
        summary = total.setdefault(cell_of(case, outcome.description, name), Summary())
        summary.problems += judge.problem.stack_size
        summary.elements += judgement.admissible.size
        summary.not_judged += judgement.not_judged
        summary.unknown += judgement.admissible.size
        if not judgement.admissible.all():
            wrong = wrong_in(judgement, name)
            count_known(wrong, judge, name, matches.get(name, ()))
            summary.add(wrong)


def _without_output(case: Case | Literal, outcome: Outcome) -> Summary:
    """Return the summary of an outcome without outputs, which has the reason."""
    why = frozenset([] if outcome.failure is None else [str(outcome.failure)])
    is_late = isinstance(outcome.failure, NoAnswer)
    return Summary(
        problems=count_of(case),
        unsupported=frozenset([] if outcome.unsupported is None else [outcome.unsupported]),
        failures=frozenset() if is_late else why,
        no_verdict=why if is_late else frozenset(),
    )


def add_measured(
    total: dict[Cell, Summary],
    more: Mapping[Cell, Summary],
    judge: Judge,
    outcome: Outcome,
    exact: Mapping[str, ExactValue],
) -> None:
    """Add summaries from `summarise` to ``total``; describe the worst values that are larger than before.

    Args:
        total: the summaries so far.
        more: the summaries of one outcome.
        judge: the judge of the case.
        outcome: the outcome.
        exact: the exact values of each output.
    """
    add(total, more)
    for cell in more if outcome.outputs is not None else ():
        summary, name = total[cell], cell.output
        for field in WORST:
            worst = getattr(summary, field)
            if worst is not None and worst.got is None:
                index = _index(judge, worst.place)
                got, hi, lo = (a[index] for a in (getattr(outcome.outputs, name), *exact[name][:2]))
                claims = outcome.description.arithmetic[judge.format.name]
                setattr(summary, field, described(worst, judge, claims, name, (got, hi, lo)))


def _index(judge: Judge, place: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of an element in its output's array, whose stack may have any number of axes."""
    return (*map(int, np.unravel_index(place[0], judge.problem.X.shape[:-2])), *place[1:])


def described(
    worst: Worst, judge: Judge, claims: Arithmetic, output: str, values: tuple[float, float, float]
) -> Worst:
    """Return a worst value with what was returned, the exact value, z and the admissible set.

    Args:
        worst: the worst value, whose place is one in the judge's stack.
        judge: the judge of its problem.
        claims: the claims of the adapter.
        output: the name of the output.
        values: the returned value, and hi and lo of the exact value, NaN where it is unknown.
    """
    got, hi, lo = map(float, values)
    if math.isnan(hi):
        hi, lo = _exact_value(judge, output, worst.place)
    z = flat(judge.reference.z, 2)[_depends(output, *worst.place)]
    index = _index(judge, worst.place)
    one = judge.sets(claims)[output].mapped(lambda array: array[index])
    return replace(
        worst,
        got=Number(got),
        exact=None if math.isnan(hi) else (Number(hi), Number(lo)),
        z=(Number(np.min(z)), Number(np.max(z))),
        admissible=format_set(one, judge.format),
    )


def _exact_value(judge: Judge, output: str, place: tuple[int, ...]) -> tuple[float, float]:
    """Return the exact value of one element, from the rows and columns that it depends on.

    It is NaN if they have too many products, or a number that is not finite.
    """
    X, y, W = (flat(array, 2)[place[0]] for array in judge.problem)
    inner = list(place[1:])
    if output in ("y_hat", "row_loss"):
        X, y, inner[0] = X[inner[0], None], y[inner[0], None], 0
    if output in ("y_hat", "grad"):
        y, W, inner[1] = y[:, inner[1], None], W[:, inner[1], None], 0
    alone = Judge(Problem(X, y, W))
    if not oracle_budget(alone):
        return math.nan, math.nan
    found = exact_values(alone)[output]
    return float(found.hi[tuple(inner)]), float(found.lo[tuple(inner)])


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


def count_known(summary: Summary, judge: Judge, name: str, matches: Sequence[Match]) -> None:
    """Count the known differences of one output in its summary."""
    for match in matches:
        for regime, count in by_regime(judge, name, match).items():
            summary.known[f"{match.name}:{regime}"] = count
    if matches:
        covered = np.logical_or.reduce([match.elements for match in matches])
        summary.known_elements = int(np.sum(covered))


def wrong_in(judgement: Judgement, name: str) -> Summary:
    """Return a summary with only the numbers of wrong problems and elements of one output."""
    wrong = ~flat(judgement.admissible, AXES[name])
    problems = int(np.sum(wrong.reshape(len(wrong), -1).any(-1)))
    return Summary(wrong_problems=problems, wrong_elements=int(np.sum(wrong)))
