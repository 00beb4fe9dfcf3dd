"""Claims that an adapter has not made, and that would admit what it returned.

A result can be outside its set although the arithmetic is legitimate: a compiler flushes subnormal numbers, a
gradient comes from forward mode. Whoever writes an adapter need not know the claims, so they are tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from reference.arithmetic import widening

# The claims that are tried, each with its value and what it says. Inputs are rounded by modes of GPUs only.
TRIED: Final[dict[str, tuple[Any, str]]] = {
    "flush": (True, "subnormal operands and results may become zero"),
    "expanded": (True, "Δ is formed from ŷ − ŷ²"),
    "forward": (True, "the gradient comes from forward mode"),
    "rescaled_mean": (True, "the loss is a mean times its count"),
}
SETS: Final = tuple(names for count in (1, 2) for names in itertools.combinations(TRIED, count))


def admitting(
    judge: Judge, outcome: Outcome, among: Sequence[tuple[str, ...]] = SETS
) -> tuple[tuple[str, ...], ...]:
    """Return the sets of claims of which each, made besides the adapter's own, admits all outputs.

    Args:
        judge: the judge of the problem.
        outcome: the outcome of an adapter that returned outputs.
        among: the sets of claims to try.
    """
    assert outcome.outputs is not None  # noqa: S101, for mypy
    claims = outcome.description.arithmetic[judge.format.name]
    made, found = widening(claims), []
    for names in (names for names in among if {*names}.isdisjoint(made)):
        wider = replace(claims, **{name: TRIED[name][0] for name in names})
        if all(one.admissible.all() for one in judge.judge(outcome.outputs, wider).values()):
            found.append(names)
    return tuple(found)


def described(sets: Sequence[tuple[str, ...]]) -> str:
    """Return those of the sets that have the fewest claims as text, each claim with what it says."""
    texts = (
        " and ".join(f"{name} ({TRIED[name][1]})" for name in names)
        for names in sets
        if len(names) == len(sets[0])
    )
    return ", or ".join(texts)
