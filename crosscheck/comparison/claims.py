"""Evidence for claims: a claim that widens a set, and that no result needed, is reported.

Results must lie within what an adapter claims; the judge sees to that. Here is the other direction: a claim
that widens the set is supported by a result that is admissible with it and inadmissible without it. Such a
result never comes from a problem that the filter accepts without the claim.

A claim without support does not fail a run. What flushes is decided by the processor and the size of the
call, so that a claim can be right and unsupported on this machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from crosscheck.evaluation import Outcome
from crosscheck.judge import Judge
from reference.arithmetic import Arithmetic

# Claims that widen the set, each with its value where it is not made. κ is not here: it is a
# documented bound, and how much of it is used is the share in the table.
WITHOUT_CLAIM: Final[dict[str, Any]] = {
    "flush": False,
    "u_in": 0.0,
    "forward": False,
    "expanded": False,
    "rescaled_mean": False,
}


def widening(claims: Arithmetic) -> list[str]:
    """The claims of `WITHOUT_CLAIM` that are made."""
    return [name for name, unclaimed in WITHOUT_CLAIM.items() if getattr(claims, name) != unclaimed]


class ClaimEvidence:
    """Which claims the results of a run needed, by adapter, dtype and claim.

    Attributes:
        is_needed: whether a result needed the claim.
    """

    def __init__(self) -> None:
        self.is_needed: dict[tuple[str, str, str], bool] = {}

    def add(self, judge: Judge, outcome: Outcome) -> None:
        """Results which claims this outcome needs, of those that no outcome needed before."""
        if outcome.outputs is None:
            return
        name, dtype = outcome.description.name, judge.format.name
        claims = outcome.description.arithmetic[dtype]
        for claim in widening(claims):
            if not self.is_needed.get((name, dtype, claim)):
                without = dataclasses.replace(claims, **{claim: WITHOUT_CLAIM[claim]})
                self.is_needed[name, dtype, claim] = _needs(judge, outcome, without)

    def unneeded_claims(self, is_conclusive: Callable[[str], bool] = bool) -> list[str]:
        """One line for each claim that no result needed.

        Args:
            is_conclusive: whether the adapter of that name evaluated enough cases to say so.
        """
        return [
            f"{name} claims {claim} for {dtype}, and nothing seen needs it"
            for (name, dtype, claim), needed in self.is_needed.items()
            if not needed and is_conclusive(name)
        ]


def _needs(judge: Judge, outcome: Outcome, without: Arithmetic) -> bool:
    """Whether a result is admissible, and would not be with the claims ``without``."""
    if outcome.outputs is None:
        return False
    narrow = judge.judge(outcome.outputs, without)
    return any(
        bool((judgement.admissible & ~narrow[output].admissible).any())
        for output, judgement in outcome.judgements.items()
    )
