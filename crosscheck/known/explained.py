"""Which wrong elements of an outcome are known, and which are not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from crosscheck.judge import Judge
from crosscheck.regimes import REGIMES
from crosscheck.trial import Outcome
from reference.types import Bool

# The axes of ŷ, [*stack, m, p], over which one element of an output depends on it.
SUMMED: Final[dict[str, tuple[int, ...]]] = {"y_hat": (), "loss": (-2, -1), "grad": (-2,), "row_loss": (-1,)}


class Explained(NamedTuple):
    """What the known differences say about one outcome.

    Attributes:
        covered: how many wrong elements each entry covers, by its name; entries that overlap both count them.
        uncovered: which wrong elements none covers, by output, in its shape; without outputs that have none.
        failed: the adapter gave no result, or broke the contract, which no entry covers.
    """

    covered: dict[str, int]
    uncovered: dict[str, Bool]
    failed: bool = False

    @property
    def is_green(self) -> bool:
        """Whether all that speaks against the adapter is known."""
        return not self.failed and not self.uncovered

    def left(self, outcome: Outcome) -> Outcome:
        """The outcome with what is known taken for admissible, to be told about the rest."""
        left = {
            output: judgement._replace(admissible=~self.uncovered[output])
            if output in self.uncovered
            else judgement._replace(admissible=np.ones_like(judgement.admissible))
            for output, judgement in outcome.judgements.items()
        }
        return outcome._replace(judgements=left)


class Cover(NamedTuple):
    """What one entry covers of one output.

    Attributes:
        name: of the entry.
        regimes: that it names; None: any.
        elements: which wrong elements, in the output's shape.
    """

    name: str
    regimes: Collection[str] | None
    elements: Bool


def explained(outcome: Outcome, covering: Mapping[str, Sequence[Cover]]) -> Explained:
    """What the covers of each output that disagrees say about the outcome together."""
    found = Explained({}, {}, failed=outcome.failure is not None)
    for output in outcome.disagreeing:
        left = ~outcome.judgements[output].admissible
        for cover in covering[output]:
            left = left & ~cover.elements
            found.covered[cover.name] = found.covered.get(cover.name, 0) + int(cover.elements.sum())
        if left.any():
            found.uncovered[output] = np.asarray(left)
    return found


def by_regime(judge: Judge, output: str, cover: Cover) -> dict[str, int]:
    """How many covered elements depend on a ŷ in each regime that the entry names, the first one only."""
    found: dict[str, int] = {}
    left = cover.elements
    for name in (*(regime for regime in REGIMES if regime != "ordinary"), "ordinary"):
        if cover.regimes is None or name in cover.regimes:
            here = left & touched(judge, output, [name])
            left = left & ~here
            found[name] = int(here.sum())
    return {name: count for name, count in found.items() if count}


def touched(judge: Judge, output: str, regimes: Collection[str] | None) -> Bool:
    """Which elements of an output depend on a ŷ in one of the regimes; None: on any. The output's shape."""
    names = tuple(REGIMES) if regimes is None else regimes
    inside = np.isin(judge.places, [place for place, name in enumerate(REGIMES) if name in names])
    found = np.asarray(inside.any(axis=SUMMED[output]))
    if output == "grad":  # the same ŷ for every input
        return np.repeat(found[..., None, :], judge.problem.X.shape[-1], axis=-2)
    return found
