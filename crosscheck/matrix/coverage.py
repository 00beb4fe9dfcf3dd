"""What a run judged: elements of ŷ by mode, dtype, class of shapes and regime, and why it judged none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from crosscheck.cases import Case, Literal
from crosscheck.judge import Judge, Verdict
from crosscheck.known.explained import SUMMED
from crosscheck.matrix.shapes import shape_class
from crosscheck.regimes import REGIMES
from crosscheck.trial import Outcome
from reference.types import Bool

FAILED: Final = "it failed or gave no answer in time, or was not asked again after that"
NOT_JUDGED: Final = "not judged: the sets hold all that the numbers can be"


class Group(NamedTuple):
    """A row of the table: a mode in a dtype at a class of shapes."""

    mode: str
    dtype: str
    shapes: str


def _counter() -> Counter[str]:
    return Counter()


@dataclass
class Tally:
    """What happened in one group.

    Attributes:
        judged: elements of ŷ with a verdict, by regime; see `decided`.
        not_judged: those without.
        reasons: why the mode gave nothing on a case, by how many cases.
    """

    judged: Counter[str] = field(default_factory=_counter)
    not_judged: Counter[str] = field(default_factory=_counter)
    reasons: Counter[str] = field(default_factory=_counter)

    def add(self, other: Tally) -> None:
        """Add what happened in another group."""
        self.judged.update(other.judged)
        self.not_judged.update(other.not_judged)
        self.reasons.update(other.reasons)

    def reason(self, regime: str) -> str | None:
        """Why nothing was judged in a regime, as far as it shows in what happened; the commonest reason."""
        if self.not_judged[regime]:
            return NOT_JUDGED
        return next((text for text, _ in self.reasons.most_common(1)), None)


def decided(judge: Judge, outcome: Outcome) -> Bool:
    """Which elements of ŷ have a verdict, ``[*stack, m, p]``.

    Where an adapter has no ŷ, those that an element of another output with a verdict depends on.
    """
    found = np.zeros(judge.places.shape, np.bool_)
    for output, judgement in outcome.judgements.items():
        if output == "y_hat":
            return judgement.decided
        here = judgement.decided.any(-2, keepdims=True) if output == "grad" else judgement.decided
        found |= np.expand_dims(here, () if output == "grad" else SUMMED[output])
    return found


def regimes_of(judge: Judge, elements: Bool) -> dict[str, int]:
    """How many of these elements of ŷ of the judge's problem lie in each regime that has some."""
    counts = np.bincount(judge.places[elements], minlength=len(REGIMES)).tolist()
    return {regime: count for regime, count in zip(REGIMES, counts, strict=True) if count}


def is_judged(outcome: Outcome) -> bool:
    """Whether some element has a verdict; a refusal has none."""
    return any(judgement.verdict is not Verdict.NOT_JUDGED for judgement in outcome.judgements.values())


@dataclass
class Coverage:
    """The tallies of a run; they add up.

    Attributes:
        groups: by mode, dtype and class of shapes, in the order in which they were first seen.
    """

    groups: dict[Group, Tally] = field(default_factory=dict)

    def _tally(self, mode: str, case: Case | Literal) -> Tally:
        return self.groups.setdefault(Group(mode, case.dtype, shape_class(case.shape)), Tally())

    def hear(self, case: Case | Literal, judge: Judge, outcome: Outcome) -> None:
        """Count one outcome."""
        tally = self._tally(outcome.description.name, case)
        if outcome.failure is not None:
            tally.reasons[FAILED] += 1
        elif outcome.unsupported is not None:
            tally.reasons[outcome.unsupported] += 1
        else:
            found = decided(judge, outcome)
            tally.judged.update(regimes_of(judge, found))
            tally.not_judged.update(regimes_of(judge, ~found))

    def miss(self, mode: str, case: Case | Literal) -> None:
        """Count a case that a mode was not given any more, after a failure."""
        self._tally(mode, case).reasons[FAILED] += 1

    def plain(self) -> list[list[Any]]:
        """The coverage in what another process understands."""
        return [
            [*group, dict(tally.judged), dict(tally.not_judged), dict(tally.reasons)]
            for group, tally in self.groups.items()
        ]

    def add(self, plain: list[list[Any]]) -> None:
        """Add the coverage of another process."""
        for mode, dtype, shapes, *counts in plain:
            other = Tally(*(Counter(count) for count in counts))
            self.groups.setdefault(Group(mode, dtype, shapes), Tally()).add(other)

    def labelled(self, label: Callable[[str], str]) -> Coverage:
        """The modes that share a label, together."""
        found = Coverage()
        for (mode, dtype, shapes), tally in self:
            found.groups.setdefault(Group(label(mode), dtype, shapes), Tally()).add(tally)
        return found

    def regimes(self) -> Counter[str]:
        """How many judged elements of ŷ fell into each regime, over all modes."""
        return sum((tally.judged for tally in self.groups.values()), Counter())

    @property
    def starved(self) -> list[str]:
        """The regimes that nothing judged fell into."""
        found = self.regimes()
        return [name for name in REGIMES if not found[name]]

    def __iter__(self) -> Iterator[tuple[Group, Tally]]:
        return iter(self.groups.items())
