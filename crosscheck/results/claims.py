"""Evidence for claims: a comparison reports claims that widen a set although no result needed them.

The judge checks that results lie within what an adapter claims. This module checks the converse: a claim that
widens the set is supported by a result that is admissible with it and inadmissible without it. A problem that
the filter accepts without the claim never has such a result.

A claim without support does not fail a run. The processor and the size of the call decide what is flushed, so
a claim can be right although no result on this machine supports it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from crosscheck.judging.claims import SETS, admitting, described
from crosscheck.judging.evaluation import Outcome, all_judged, different
from crosscheck.judging.judge import AXES, Judge
from reference.arithmetic import WITHOUT_CLAIM, widening
from reference.types import Outputs


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
                self.is_needed[name, dtype, claim] = _needing(judge, outcome, outcome.outputs, [claim]) > 0

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


class MissingClaims:
    """Which claims, made besides an adapter's own, would admit every number that it returned in a dtype."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {}
        self._wrong: Counter[tuple[str, str]] = Counter()

    def add(self, judge: Judge, outcome: Outcome) -> None:
        """Try which claims admit a wrong outcome, of those that admit all before it."""
        key = outcome.description.name, judge.format.name
        self._wrong[key] += sum(int(np.sum(~each.admissible)) for each in outcome.judgements.values())
        self._left[key] = admitting(judge, outcome, self._left.get(key, SETS))

    def lines(self) -> list[str]:
        """Return a line for each adapter and dtype whose wrong numbers are all within bounds by a claim."""
        return [
            f"{name} {dtype}: all {self._wrong[name, dtype]:,} numbers outside would be within bounds if it "
            f"claimed {described(left)}"
            for (name, dtype), left in self._left.items()
            if left
        ]


def _needing(judge: Judge, outcome: Outcome, outputs: Outputs, names: Sequence[str]) -> int:
    """Count the elements that are admissible and would not be without these claims."""
    claims = outcome.description.arithmetic[judge.format.name]
    without = dataclasses.replace(claims, **{name: WITHOUT_CLAIM[name] for name in names})
    narrow = judge.judge(outputs, without)
    return sum(
        int(np.count_nonzero(judgement.admissible & ~narrow[output].admissible))
        for output, judgement in outcome.judgements.items()
    )


@dataclass
class Differences:
    """How often the adapters of a run differ while each is within its bounds.

    Attributes:
        elements: numbers that at least two adapters returned.
        different: those of them that are judged, differ between adapters, and are within bounds for each.
        by_claim: numbers that are within bounds only because of a claim, by adapter, dtype and claims.
    """

    elements: int = 0
    different: int = 0
    by_claim: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, judge: Judge, outcomes: Sequence[Outcome]) -> None:
        """Count where adapters differ on one case, and which numbers only claims keep within bounds."""
        for output in AXES:
            there = [outcome for outcome in outcomes if output in outcome.judgements]
            if len(there) > 1:
                found = different(there, output) & all_judged(there, output)
                self.elements += found.size
                self.different += int(np.count_nonzero(found))
        for outcome in outcomes:
            said, dtype = outcome.description, judge.format.name
            if outcome.outputs is not None and (made := widening(said.arithmetic[dtype])):
                needing = _needing(judge, outcome, outcome.outputs, made)
                self.by_claim[said.name, dtype, ", ".join(made)] += needing
