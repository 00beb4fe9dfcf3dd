"""What a run judged: elements of ŷ by mode, dtype, class of shapes and regime, and why a cell is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from crosscheck.cases import Case, Literal
from crosscheck.judge import Judge, Verdict
from crosscheck.matrix.shapes import LARGE, shape_class
from crosscheck.regimes import REGIMES
from crosscheck.regimes.definitions import regime_counts
from crosscheck.trial import Outcome

SIXTEEN_BITS = ("float16", "bfloat16")


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
        judged: elements of ŷ, by regime, in problems where some output was judged.
        not_judged: those in problems where no output was.
        reasons: why the mode did not take a case, by how many cases.
    """

    judged: Counter[str] = field(default_factory=_counter)
    not_judged: Counter[str] = field(default_factory=_counter)
    reasons: Counter[str] = field(default_factory=_counter)


@lru_cache(maxsize=16)
def regimes_of(judge: Judge) -> dict[str, int]:
    """How many elements of ŷ of the judge's problem lie in each regime; for who asks several times."""
    return regime_counts(judge.problem, judge.format)


@dataclass
class Coverage:
    """The tallies of a run; they add up.

    Attributes:
        groups: by mode, dtype and class of shapes, in the order in which they were first seen.
    """

    groups: dict[Group, Tally] = field(default_factory=dict)

    def hear(self, case: Case | Literal, judge: Judge, outcome: Outcome) -> None:
        """Count one outcome; a failure counts nothing, for it is told elsewhere."""
        group = Group(outcome.description.name, judge.format.name, shape_class(case.shape))
        tally = self.groups.setdefault(group, Tally())
        if outcome.unsupported is not None:
            tally.reasons[outcome.unsupported] += 1
        elif outcome.failure is None:
            verdicts = [judgement.verdict for judgement in outcome.judgements.values()]
            nothing = all(verdict is Verdict.NOT_JUDGED for verdict in verdicts)
            (tally.not_judged if nothing else tally.judged).update(regimes_of(judge))

    def plain(self) -> list[list[Any]]:
        """The coverage in what another process understands."""
        return [
            [*group, dict(tally.judged), dict(tally.not_judged), dict(tally.reasons)]
            for group, tally in self.groups.items()
        ]

    def add(self, plain: list[list[Any]]) -> None:
        """Add the coverage of another process."""
        for mode, dtype, shapes, *counts in plain:
            tally = self.groups.setdefault(Group(mode, dtype, shapes), Tally())
            for counter, more in zip((tally.judged, tally.not_judged, tally.reasons), counts, strict=True):
                counter.update(more)

    def regimes(self) -> Counter[str]:
        """How many judged elements of ŷ fell into each regime, over all modes."""
        return sum((tally.judged for tally in self.groups.values()), Counter())

    @property
    def starved(self) -> list[str]:
        """The regimes that nothing judged fell into."""
        found = self.regimes()
        return [name for name in REGIMES if not found[name]]

    def reason(self, group: Group, regime: str, reasons: Mapping[str, str]) -> str | None:
        """Why a cell of the table is empty; None if it is not, or nobody knows.

        Args:
            group: its row.
            regime: its column.
            reasons: by mode, what is known about it beforehand.
        """
        tally = self.groups.get(group, Tally())
        if tally.judged[regime]:
            return None
        if tally.not_judged[regime]:
            return "not judged: the admissible set is as wide as the trivial one"
        if tally.reasons:
            return next(iter(tally.reasons))
        if group.shapes in LARGE and group.dtype in SIXTEEN_BITS:
            return "large shapes are float64's and float32's"
        return reasons.get(group.mode)

    def __iter__(self) -> Iterator[tuple[Group, Tally]]:
        return iter(self.groups.items())
