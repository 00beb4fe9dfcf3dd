"""Evidence for claims: a comparison reports claims that widen a set although no result needed them.

The judge checks that results lie within what an adapter claims. This module checks the converse: a claim that
widens the set is supported by a result that is admissible with it and inadmissible without it. A problem that
the filter accepts without the claim never has such a result.

A claim without support does not fail a run. The processor and the size of the call decide what is flushed, so
a claim can be right although no result on this machine supports it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from reference.arithmetic import Arithmetic

# Claims that widen the set, each with its value if it is not made. κ is not among them: it is a
# documented bound, and the table shows how much of it is used, as a share.
WITHOUT_CLAIM: Final[dict[str, Any]] = {
    "flush": False,
    "u_in": 0.0,
    "forward": False,
    "expanded": False,
    "rescaled_mean": False,
}


def widening(claims: Arithmetic) -> list[str]:
    """Return the names of the claims in `WITHOUT_CLAIM` that are made."""
    return [name for name, unclaimed in WITHOUT_CLAIM.items() if getattr(claims, name) != unclaimed]


class ClaimEvidence:
    """Which claims the results of a run needed, by adapter, dtype and claim.

    Attributes:
        is_needed: whether a result needed the claim, by adapter, dtype and claim.
    """

    def __init__(self) -> None:
        self.is_needed: dict[tuple[str, str, str], bool] = {}

    def add(self, judge: Judge, outcome: Outcome) -> None:
        """Record which claims this outcome needs, among those that no outcome needed before."""
        if outcome.outputs is None:
            return
        name, dtype = outcome.description.name, judge.format.name
        claims = outcome.description.arithmetic[dtype]
        for claim in widening(claims):
            if not self.is_needed.get((name, dtype, claim)):
                without = dataclasses.replace(claims, **{claim: WITHOUT_CLAIM[claim]})
                self.is_needed[name, dtype, claim] = _needs(judge, outcome, without)

    def unneeded_claims(self, is_conclusive: Callable[[str], bool] = bool) -> list[str]:
        """Return one line for each claim that no result needed.

        Args:
            is_conclusive: returns whether the adapter of a name evaluated enough cases to say so.
        """
        return [
            f"{name} claims {claim} for {dtype}, and nothing seen needs it"
            for (name, dtype, claim), needed in self.is_needed.items()
            if not needed and is_conclusive(name)
        ]


def _needs(judge: Judge, outcome: Outcome, without: Arithmetic) -> bool:
    """Whether a result is admissible, but would not be with the claims ``without``."""
    if outcome.outputs is None:
        return False
    narrow = judge.judge(outcome.outputs, without)
    return any(
        bool((judgement.admissible & ~narrow[output].admissible).any())
        for output, judgement in outcome.judgements.items()
    )
