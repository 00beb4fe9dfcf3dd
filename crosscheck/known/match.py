"""The wrong elements of an outcome that known differences cover, and those that none covers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from reference.types import Bool

# The axes of ŷ, [*stack, m, p], over which one element of an output depends on it.
SUMMED: Final[dict[str, tuple[int, ...]]] = {"y_hat": (), "loss": (-2, -1), "grad": (-2,), "row_loss": (-1,)}


class KnownMatch(NamedTuple):
    """The wrong elements of one outcome, covered and not covered by known differences.

    Attributes:
        covered: how many wrong elements each entry covers, by its name; entries that overlap both count them.
        uncovered: which wrong elements no entry covers, by output, in its shape; only outputs that have some.
        failed: whether the adapter gave no result or broke the contract, which no entry covers.
    """

    covered: dict[str, int]
    uncovered: dict[str, Bool]
    failed: bool = False

    @property
    def is_green(self) -> bool:
        """Whether the adapter did not fail and known differences cover all its wrong elements."""
        return not self.failed and not self.uncovered

    def without_known(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the covered elements marked as admissible, to report the others."""
        judgements = {
            output: judgement._replace(admissible=~self.uncovered[output])
            if output in self.uncovered
            else judgement._replace(admissible=np.ones_like(judgement.admissible))
            for output, judgement in outcome.judgements.items()
        }
        return outcome._replace(judgements=judgements)


class Match(NamedTuple):
    """The elements of one output that one entry covers.

    Attributes:
        name: the name of the entry.
        regimes: the regimes that the entry names; None for any.
        elements: which wrong elements the entry covers, in the output's shape.
    """

    name: str
    regimes: Collection[str] | None
    elements: Bool


def combine_matches(outcome: Outcome, matches: Mapping[str, Sequence[Match]]) -> KnownMatch:
    """Combine the matches of all disagreeing outputs, given by output, into one `KnownMatch`."""
    found = KnownMatch({}, {}, failed=outcome.failure is not None)
    for output in outcome.disagreeing:
        uncovered = ~outcome.judgements[output].admissible
        for match in matches[output]:
            uncovered = uncovered & ~match.elements
            found.covered[match.name] = found.covered.get(match.name, 0) + int(match.elements.sum())
        if uncovered.any():
            found.uncovered[output] = np.asarray(uncovered)
    return found


def by_regime(judge: Judge, output: str, match: Match) -> dict[str, int]:
    """Count the covered elements by the first regime, among those of the entry, of a ŷ they depend on."""
    found: dict[str, int] = {}
    left = match.elements
    for name in (*(regime for regime in REGIMES if regime != "ordinary"), "ordinary"):
        if match.regimes is None or name in match.regimes:
            here = left & in_regimes(judge, output, [name])
            left = left & ~here
            found[name] = int(here.sum())
    return {name: count for name, count in found.items() if count}


def in_regimes(judge: Judge, output: str, regimes: Collection[str] | None) -> Bool:
    """Return which elements depend on a ŷ in one of the regimes, or in any; the output's shape."""
    names = tuple(REGIMES) if regimes is None else regimes
    inside = np.isin(judge.places, [place for place, name in enumerate(REGIMES) if name in names])
    found = np.asarray(inside.any(axis=SUMMED[output]))
    if output == "grad":  # all weights of a column depend on the same ŷ
        return np.repeat(found[..., None, :], judge.problem.X.shape[-1], axis=-2)
    return found
