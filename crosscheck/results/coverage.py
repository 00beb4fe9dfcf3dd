"""Coverage: judged elements of ŷ by mode, dtype, class of shapes and regime, and the reasons for gaps."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from crosscheck.inputs import Case, Literal
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge, Verdict
from crosscheck.plans.plan import Gap, Plan
from crosscheck.plans.shapes import shape_class
from crosscheck.results.known import SUMMED
from reference.types import Bool

FAILED: Final = "it failed or gave no answer in time, or was not asked again after that"
INTERRUPTED: Final = "the run was interrupted before"
NOT_JUDGED: Final = "not judged: the sets hold all that the numbers can be"


class Group(NamedTuple):
    """A row of the table: a mode in a dtype at a class of shapes."""

    mode: str
    dtype: str
    shapes: str


def _counter() -> Counter[str]:
    return Counter()


@dataclass
class CoverageCounts:
    """Counts of one group of a coverage table.

    Attributes:
        judged: elements of ŷ with a verdict, by regime; see `decided`.
        not_judged: elements of ŷ without a verdict, by regime.
        reasons: the reasons why the mode returned nothing for a case, each with its number of cases.
    """

    judged: Counter[str] = field(default_factory=_counter)
    not_judged: Counter[str] = field(default_factory=_counter)
    reasons: Counter[str] = field(default_factory=_counter)

    def add(self, other: CoverageCounts) -> None:
        """Add the counts of another group."""
        self.judged.update(other.judged)
        self.not_judged.update(other.not_judged)
        self.reasons.update(other.reasons)

    def reason(self, regime: str) -> str | None:
        """Return the commonest reason why nothing was judged in a regime; None if there is none."""
        if self.not_judged[regime]:
            return NOT_JUDGED
        return next((text for text, _ in self.reasons.most_common(1)), None)


def decided(judge: Judge, outcome: Outcome) -> Bool:
    """Return which elements of ŷ have a verdict, ``[*stack, m, p]``.

    If the adapter returned no ŷ, these are the elements on which an element with a verdict depends.
    """
    if "y_hat" in outcome.judgements:
        return outcome.judgements["y_hat"].decided
    found = np.zeros(judge.places.shape, np.bool_)
    for output, judgement in outcome.judgements.items():
        here = judgement.decided.any(-2, keepdims=True) if output == "grad" else judgement.decided
        found |= np.expand_dims(here, () if output == "grad" else SUMMED[output])
    return found


def is_judged(outcome: Outcome) -> bool:
    """Whether at least one element has a verdict; none has if the adapter refused the case."""
    return any(judgement.verdict is not Verdict.NOT_JUDGED for judgement in outcome.judgements.values())


@dataclass
class Coverage:
    """The judged elements of a run, by mode, dtype and class of shapes.

    Attributes:
        groups: the counts by mode, dtype and class of shapes, in the order of their first case.
    """

    groups: dict[Group, CoverageCounts] = field(default_factory=dict)

    def _counts(self, mode: str, case: Case | Literal) -> CoverageCounts:
        return self.groups.setdefault(Group(mode, case.dtype, shape_class(case.shape)), CoverageCounts())

    def add(self, case: Case | Literal, judge: Judge, outcome: Outcome) -> None:
        """Count one outcome."""
        counts = self._counts(outcome.description.name, case)
        if outcome.failure is not None:
            counts.reasons[FAILED] += 1
        elif outcome.unsupported is not None:
            counts.reasons[outcome.unsupported] += 1
        else:
            found = decided(judge, outcome)
            is_decided = bool(found.all())
            counts.judged.update(judge.regimes if is_decided else judge.regimes_of(found))
            if not is_decided:
                counts.not_judged.update(judge.regimes_of(~found))

    def add_skipped(self, mode: str, case: Case | Literal) -> None:
        """Count a case that was not given to a mode, because the mode had failed before."""
        self._counts(mode, case).reasons[FAILED] += 1

    def labelled(self, label: Callable[[str], str]) -> Coverage:
        """Return the coverage with the counts of modes that share a label added up."""
        found = Coverage()
        for (mode, dtype, shapes), counts in self:
            found.groups.setdefault(Group(label(mode), dtype, shapes), CoverageCounts()).add(counts)
        return found

    def regimes(self) -> Counter[str]:
        """Count the judged elements of ŷ in each regime, over all modes."""
        return sum((counts.judged for counts in self.groups.values()), Counter())

    def __iter__(self) -> Iterator[tuple[Group, CoverageCounts]]:
        return iter(self.groups.items())


@dataclass(frozen=True)
class CoverageRow:
    """A row of the coverage table.

    Attributes:
        group: the mode or the label that several modes share, the dtype and the class of shapes.
        counts: the counts of the group.
        reasons: by regime, for regimes in which nothing was judged, the reason; None if it is unknown.
    """

    group: Group
    counts: CoverageCounts
    reasons: Mapping[str, str | None]


def coverage_rows(
    coverage: Coverage, plan: Plan, names: Mapping[str, str], *, interrupted: bool = False
) -> list[CoverageRow]:
    """Return the rows: modes in the plan's order, then its dtypes, then the classes of shapes.

    Args:
        coverage: the coverage of the run.
        plan: the plan of the run.
        names: the adapter's name for the name of each spec.
        interrupted: whether the run ended early.
    """
    last = INTERRUPTED if interrupted else None
    found: dict[Group, CoverageRow] = {}
    together = coverage.labelled(plan.label)
    for name, adapter in names.items():
        for dtype, shapes in itertools.product(plan.dtypes, plan.classes):
            group = Group(plan.label(adapter), dtype, shapes)
            if group not in found:
                counts = together.groups.get(group, CoverageCounts())
                reasons = {
                    regime: plan.reason_not_planned(Gap(name, dtype, shapes, regime))
                    or counts.reason(regime)
                    or last
                    or plan.reason_not_hit(Gap(name, dtype, shapes, regime))
                    for regime in REGIMES
                    if not counts.judged[regime]
                }
                found[group] = CoverageRow(group, counts, reasons)
    return list(found.values())


def faults(rows: Sequence[CoverageRow]) -> list[str]:
    """Return the gaps without a reason: a mode in a dtype at a class of shapes, and the regimes."""
    found = ((row.group, [regime for regime, why in row.reasons.items() if why is None]) for row in rows)
    return [f"{' '.join(group)}: {', '.join(regimes)}" for group, regimes in found if regimes]
