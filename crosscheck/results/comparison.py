"""A comparison that has ended: its plan, its adapters, its results, and the reasons against a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from adapters.protocol import Description
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.plans.plan import Plan
from crosscheck.results.coverage import CoverageRow, coverage_rows, faults
from crosscheck.results.known import KnownMatch
from crosscheck.results.known_entry import Difference
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import (
    COMPLETE,
    INTERRUPTED,
    NO_VERDICT,
    AdapterFault,
    Fault,
    Header,
    Observation,
    known_lines,
)
from crosscheck.results.record import Results
from crosscheck.results.refusals import ByValues
from crosscheck.results.rows import FAILED, LATE, OUTSIDE, Row, rows
from crosscheck.results.summary import EVERY, known_of


@dataclass
class Comparison:
    """Everything that a report of a comparison contains.

    Attributes:
        plan: the plan of the comparison.
        descriptions: the descriptions of the adapters that started.
        results: the results of the cases.
        crashed_on_load: the crash of each adapter that crashed while it was loaded.
        violations: the violations of the contract other than by values.
        unsteady: as in `crosscheck.pool.AdapterPool`.
        adapters: all adapters, by the name that selects them, for the evaluations that messages need.
        seconds: how long the comparison took.
        with_details: whether the table has a row for each output, with the worst values.
        with_coverage: whether the coverage is printed; then a gap in it without a reason fails the run.
        tried_again: one line for each call that was answered only at its second attempt.
    """

    plan: Plan
    descriptions: Sequence[Description]
    results: Results
    crashed_on_load: Sequence[AdapterFault] = ()
    violations: Sequence[AdapterFault] = ()
    adapters: Mapping[str, CheckedAdapter] = field(default_factory=dict)
    unsteady: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    seconds: float = 0.0
    with_coverage: bool = False
    with_details: bool = False
    tried_again: Sequence[str] = ()

    @cached_property
    def rows(self) -> list[Row]:
        """A row for each adapter, dtype and output; read it only when the results are complete."""
        return rows(self.results.summaries)

    @cached_property
    def table(self) -> list[Row]:
        """The rows of the table in the plan's order, one for all adapters with the same label."""
        labels = list(dict.fromkeys(self.plan.label(said.name) for said in self.descriptions))
        found = rows(self.results.summaries, self.plan.label)
        dtypes = self.plan.dtypes
        return sorted(found, key=lambda row: (labels.index(row.adapter), dtypes.index(row.dtype)))

    @cached_property
    def coverage(self) -> list[CoverageRow]:
        """The rows of the coverage if it is to be printed, else none."""
        if not self.with_coverage:
            return []
        names = {name: adapter.description.name for name, adapter in self.adapters.items()}
        return coverage_rows(self.results.coverage, self.plan, names, interrupted=self.results.interrupted)

    @cached_property
    def known(self) -> dict[str, Counter[str]]:
        """How many elements each known difference covers, by its name and then by regime."""
        return known_of(row.summary for row in self.rows)

    @cached_property
    def refused_by_values(self) -> list[ByValues]:
        """The refusals that depend on values, which are against the contract; read it as `rows`."""
        return self.results.refusals.by_values()

    @property
    def unmatched(self) -> tuple[Difference, ...]:
        """The known differences that concern an adapter and cover nothing; empty unless all cases ran."""
        if not self.plan.is_exhaustive or self.results.interrupted:
            return ()
        covered = {name: counts.total() for name, counts in self.known.items()}
        return self.results.known.unmatched([KnownMatch(covered, {})], self.descriptions)

    @property
    def expired(self) -> list[Difference]:
        """The known differences that concern an adapter and have expired."""
        known = self.results.known
        return [entry for entry in known.applicable(self.descriptions) if entry in known.expired()]

    @property
    def evaluated(self) -> int:
        """How many problems were evaluated, counted once for each adapter and dtype."""
        counts: Counter[tuple[str, str]] = Counter()
        for row in self.rows:
            if row.output != EVERY:
                cell = row.adapter, row.dtype
                counts[cell] = max(counts[cell], row.summary.problems)
        return counts.total()

    @property
    def disagreeing(self) -> list[str]:
        """The adapters that are outside somewhere."""
        return self._with(OUTSIDE)

    @property
    def failing(self) -> list[str]:
        """The adapters that failed somewhere; those that crashed on loading are in `crashed_on_load`."""
        return self._with(FAILED)

    def _with(self, verdict: str) -> list[str]:
        """Return the adapters that have this verdict on some output in some dtype."""
        return list(dict.fromkeys(row.adapter for row in self.rows if row.verdict == verdict))

    @property
    def no_verdict(self) -> list[AdapterFault]:
        """The time-outs; such a call gives no verdict."""
        at_cases = [AdapterFault(row.adapter, t) for row in self.rows for t in sorted(row.summary.no_verdict)]
        return list(dict.fromkeys([*self.results.late, *at_cases]))

    @property
    def _late(self) -> dict[str, None]:
        """The adapters that gave no answer in time somewhere."""
        return dict.fromkeys(each.adapter for each in self.no_verdict)

    @property
    def adapters_without_verdict(self) -> list[str]:
        """The adapters of which nothing was judged, in all dtypes or in one that is named.

        With such an adapter a run does not pass. Adapters that failed or gave no answer in time are reported
        elsewhere.
        """
        reported, found = {*self.failing, *self._late}, list[str]()
        for said in self.descriptions:
            judged = Counter[str]()  # by the dtypes in which the adapter was evaluated
            for row in (row for row in self.rows if row.adapter == said.name):
                judged[row.dtype] += row.judged
            without = [dtype for dtype, count in judged.items() if not count and dtype in said.dtypes]
            if said.name not in reported and not judged.total():
                found.append(said.name)
            elif said.name not in reported:
                found += [f"{said.name} in {dtype}" for dtype in without]
        return found

    @property
    def is_green(self) -> bool:
        """Whether every adapter was judged, and there is no reason against a pass."""
        return not (self.reasons or self.results.interrupted)

    @property
    def reasons(self) -> list[str]:
        """The reasons against a pass; expired and unmatched known differences are among them."""
        named = {
            OUTSIDE: self.disagreeing,
            FAILED: self.failing,
            LATE: list(self._late),
            "nothing judged": () if self.results.interrupted else self.adapters_without_verdict,
        }
        found = [f"{what}: {', '.join(who)}" for what, who in named.items() if who]
        counted = {
            "lost": len(self.crashed_on_load),
            "violations of the contract": len(self.violations) + len(self.refused_by_values),
            "unexplained gaps in the coverage": len(faults(self.coverage)),
            "known differences that matched nothing": len(self.unmatched),
            "known differences that have expired": len(self.expired),
        }
        return found + [f"{what}: {count}" for what, count in counted.items() if count]

    def ledger(
        self, header: Header, observations: Sequence[Observation], crashes: Sequence[AdapterFault] = ()
    ) -> Ledger:
        """Make the ledger of the comparison.

        Args:
            header: the header of the ledger.
            observations: the observations of probes of its adapters.
            crashes: the crashes and time-outs of adapters at the probes.
        """
        results = self.results
        faults = {each.in_ledger() for each in (*self.crashed_on_load, *self.violations, *crashes)}
        faults |= {each.in_ledger(NO_VERDICT) for each in results.late} | results.refusals.faults()
        known = [(entry.name, f"expired on {entry.expires}") for entry in self.expired]
        known += [(entry.name, "matched nothing") for entry in self.unmatched]
        faults |= {Fault(who=name, what=f"known difference {name} {what}") for name, what in known}
        return Ledger(
            header,
            results.summaries,
            observations,
            known_lines(results.known.applicable(self.descriptions), results.summaries),
            tuple(faults),
            ending=INTERRUPTED if results.interrupted else COMPLETE,
            verdict=0 if self.is_green and not crashes else 1,
        )
