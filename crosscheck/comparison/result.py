"""A comparison that has ended: what was compared, what was found, and what speaks against agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from adapters.protocol import Description
from crosscheck.comparison.engine import Record
from crosscheck.comparison.plan import Plan
from crosscheck.comparison.table import Row, rows
from crosscheck.summary import EVERY
from crosscheck.trial import Subject


@dataclass
class Comparison:
    """All that a report is about.

    Attributes:
        plan: what was to be judged.
        descriptions: of the adapters that started.
        record: what was found.
        lost: how adapters died before they were asked anything, one line each.
        violations: how adapters break the contract in other ways than by their values, one line each.
        subjects: the adapters, by the name that they were selected by, for the messages' own questions.
        seconds: how long it took.
    """

    plan: Plan
    descriptions: Sequence[Description]
    record: Record
    lost: Sequence[str] = ()
    violations: Sequence[str] = ()
    subjects: Mapping[str, Subject] = field(default_factory=dict)
    seconds: float = 0.0

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the table; the record is complete when they are first asked for."""
        return rows(self.record.summaries)

    @property
    def evaluated(self) -> int:
        """How many problems were evaluated, each one counted for each adapter and dtype."""
        counts: Counter[tuple[str, str]] = Counter()
        for row in self.rows:
            if row.output != EVERY:
                cell = row.adapter, row.dtype
                counts[cell] = max(counts[cell], row.summary.problems)
        return counts.total()

    @property
    def disagreeing(self) -> list[str]:
        """The adapters that disagree somewhere."""
        return list(dict.fromkeys(row.adapter for row in self.rows if row.verdict == "disagrees"))

    @property
    def failing(self) -> list[str]:
        """The adapters that failed somewhere; those that never answered are `lost`."""
        return list(dict.fromkeys(row.adapter for row in self.rows if row.verdict == "failed"))

    @property
    def unheard(self) -> list[str]:
        """The adapters of which nothing could be judged: a run without a verdict is no agreement."""
        judged = Counter({said.name: 0 for said in self.descriptions})
        for row in self.rows:
            judged[row.adapter] += row.judged
        return [name for name, count in judged.items() if not count and name not in self.failing]

    @property
    def is_green(self) -> bool:
        """Whether every adapter was judged and nothing speaks against any."""
        return not (self.reasons or self.record.interrupted)

    @property
    def reasons(self) -> list[str]:
        """What speaks against agreement."""
        named = {"disagree": self.disagreeing, "failed": self.failing, "without a verdict": self.unheard}
        found = [f"{what}: {', '.join(who)}" for what, who in named.items() if who]
        counted = {"lost": len(self.lost), "violations of the contract": len(self.violations)}
        return found + [f"{what}: {count}" for what, count in counted.items() if count]
