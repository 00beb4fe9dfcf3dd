"""Values of several adapters that differ while each is within its own bounds: how many there are, and why.

Either the adapters' claims differ, and so do their sets, or one set is wide enough for all values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from crosscheck.evaluation import Outcome
from crosscheck.explain.element import Element
from crosscheck.formatting import format_decimal, format_element
from crosscheck.judge import AXES, Judge
from crosscheck.results.claims import WITHOUT_CLAIM, all_judged, different
from reference.arithmetic import Arithmetic
from reference.types import Bool
from reference.ulp import ulp

# The meaning of each claim, for a sentence about sets that differ.
MEANING: Final = {
    "kappa": "how far its logistic may be off, κ = {value:g}",
    "flush": "subnormal operands and results may become zero",
    "u_acc": "its dot products add in a wider format",
    "u_sum": "its loss adds in a wider format",
    "u_in": "its matrix products round their inputs",
    "forward": "its gradient is of forward mode, which multiplies in another order",
    "expanded": "Δ is formed from ŷ − ŷ²",
    "rescaled_mean": "its loss is a mean times its count",
}
UNCLAIMED: Final = {**WITHOUT_CLAIM, "u_acc": None, "u_sum": None}
# From this factor on an error counts as amplified: three bits are lost.
AMPLIFIED: Final = 8


def difference_lines(judge: Judge, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield, for each output that differs, the values at their largest distance; then yield the reasons."""
    reasons: dict[str, list[str]] = {}
    for output in AXES:
        there = [outcome for outcome in outcomes if output in outcome.judgements]
        found = different(there, output) if len(there) > 1 else np.zeros((), np.bool_)
        if found.any():
            element = Element(judge, output, _farthest(judge, there, output, found))
            values = "; ".join(_values(element, there))
            note = "" if all_judged(there, output)[element.index] else "; not judged"
            yield f"{format_element(output, element.index)}: {values}{note}"
            for reason in _reasons(element, there):
                reasons.setdefault(reason, []).append(output)
    for reason, of in reasons.items():
        yield f"{', '.join(of)}: {reason}"


def _farthest(judge: Judge, outcomes: Sequence[Outcome], output: str, found: Bool) -> tuple[int, ...]:
    """Return the index of the element at which the values are farthest apart in ulp."""
    with np.errstate(all="ignore"):
        values = [getattr(outcome.outputs, output).astype(np.float64) for outcome in outcomes]
        apart = np.max(values, axis=0) - np.min(values, axis=0)
        apart = np.where(np.isnan(apart), np.inf, apart) / ulp(getattr(judge.centers, output), judge.format)
    return tuple(map(int, np.unravel_index(np.argmax(np.where(found, apart, -1.0)), found.shape)))


def _values(element: Element, outcomes: Sequence[Outcome]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        value = format_decimal(element.got(outcome), element.format)
        groups.setdefault(value, []).append(outcome.description.name)
    return [f"{value} ({', '.join(names)})" for value, names in groups.items()]


def _reasons(element: Element, outcomes: Sequence[Outcome]) -> list[str]:
    """Return the claims that make the sets differ, or else the reason why one set holds all values."""
    dtype = element.format.name
    found: dict[str, list[str]] = {}
    sources: dict[str, str] = {}
    for mine in outcomes:
        for theirs in outcomes:
            claims, others = (one.description.arithmetic[dtype] for one in (mine, theirs))
            got = element.got(mine)
            if claims == others or _admits(element, others, got):
                continue
            for name in _needed(element, got, claims, others):
                who, made = (
                    (mine, claims) if getattr(claims, name) != UNCLAIMED.get(name) else (theirs, others)
                )
                text = f"{name}: {MEANING[name].format(value=getattr(made, name))}"
                if who.description.name not in found.setdefault(text, []):
                    found[text].append(who.description.name)
                sources.setdefault(text, made.sources.get(name, ""))
    if not found:
        return [f"the set holds them all: {why_wide(element, outcomes[0].description.arithmetic[dtype])}"]
    return [
        f"{', '.join(who)} claim{'s' * (len(who) == 1)} {text}"
        + (f" ({sources[text]})" if sources[text] else "")
        for text, who in found.items()
    ]


def _admits(element: Element, claims: Arithmetic, got: float) -> bool:
    return bool(element.set_of(claims).contains(np.array(got)))


def _needed(element: Element, got: float, claims: Arithmetic, others: Arithmetic) -> list[str]:
    """Return the claims without which the value is outside: single ones, or else all that differ."""
    names = [name for name in MEANING if getattr(claims, name) != getattr(others, name)]
    alone = [
        name
        for name in names
        if not _admits(element, dataclasses.replace(claims, **{name: getattr(others, name)}), got)
    ]
    return alone or names


def why_wide(element: Element, claims: Arithmetic) -> str:
    """Say what makes the admissible set of an element as wide as it is."""
    sets, reference = element.alone.sets(claims), element.alone.reference
    one, z = element.set_of(claims), sets["z"]
    sources = element.sources[len(element.problem_index) :]
    if bool(one.well_conditioned(element.format)):
        return f"{one.roundings:.3g} roundings lead to it, of at most an ulp each"
    if np.any((z.plus | z.minus | z.may)[sources]):
        return "X·W may overflow in one order of operations and not in another"
    if bool(one.plus | one.minus | one.may):
        return "it may overflow in one order of operations and not in another"
    with np.errstate(all="ignore"):
        parts = {
            "the products of X·W cancel: they are {:.2g} times their sum": reference.T / np.abs(reference.z),
            "ŷ − y cancels: ŷ is {:.2g} times the difference": reference.p / np.abs(reference.r),
            "1 − ŷ cancels: ŷ is {:.2g} times the difference": reference.p / reference.q,
            "σ is steep: a rounding of z counts {:.2g} times in ŷ": np.abs(reference.z) * reference.q,
        }
        factors = {text: float(np.nanmax(factor[sources])) for text, factor in parts.items()}
    text, most = max(factors.items(), key=lambda each: each[1])
    if most >= AMPLIFIED:
        return f"{text.format(most)}, and roundings with it"
    return "so near to zero the roundings of what leads to it are larger than its ulp"
