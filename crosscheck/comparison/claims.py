"""Claims that nothing seen supports: a set wider than any result needed.

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

from crosscheck.judge import Judge
from crosscheck.trial import Outcome
from reference.arithmetic import Arithmetic

# Claims that widen the set, and what an adapter says that does not make them. κ is not here: it is a
# documented bound, and how much of it is used is the share in the table.
MODEST: Final[dict[str, Any]] = {
    "flush": False,
    "u_in": 0.0,
    "forward": False,
    "expanded": False,
    "rescaled_mean": False,
}


def widening(claims: Arithmetic) -> list[str]:
    """The claims of `MODEST` that are made."""
    return [name for name, modest in MODEST.items() if getattr(claims, name) != modest]


class Support:
    """What the results of a run support, by adapter, dtype and claim.

    Attributes:
        seen: True where a result needed the claim.
    """

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str, str], bool] = {}

    def hear(self, judge: Judge, outcome: Outcome) -> None:
        """Look whether this outcome needs a claim that nothing needed so far."""
        if outcome.outputs is None:
            return
        name, dtype = outcome.description.name, judge.format.name
        claims = outcome.description.arithmetic[dtype]
        for claim in widening(claims):
            if not self.seen.get((name, dtype, claim)):
                without = dataclasses.replace(claims, **{claim: MODEST[claim]})
                self.seen[name, dtype, claim] = _needs(judge, outcome, without)

    def too_generous(self, tells: Callable[[str], bool] = bool) -> list[str]:
        """One line for each claim that nothing supports.

        Args:
            tells: whether an adapter of that name was given enough to tell.
        """
        return [
            f"{name} claims {claim} for {dtype}, and nothing seen needs it"
            for (name, dtype, claim), needed in self.seen.items()
            if not needed and tells(name)
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
