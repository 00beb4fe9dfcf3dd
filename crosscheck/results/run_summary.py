"""pytest's summary of a run, a view of its results: elements judged and not judged, and crashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

from adapters.errors import AdapterCrashed, NoAnswer

if TYPE_CHECKING:
    from crosscheck.results.record import Results

Plain = Mapping[str, Mapping[str, int]]


def _counter() -> Counter[str]:
    return Counter()


def _regimes() -> tuple[str, ...]:
    """Return the names of all regimes; they are imported late, as conftest.py starts without NumPy."""
    from crosscheck.inputs.regimes import REGIMES

    return tuple(REGIMES)


@dataclass
class RunSummary:
    """Counts, by the name of an adapter or by a sentence that describes the counted event.

    Attributes:
        answered: problems for which the adapter returned an answer, outputs or a refusal.
        problems: problems for which the adapter returned outputs.
        judged: elements with a verdict.
        not_judged: elements without a verdict, by adapter, dtype and output, or by a label for many adapters.
        unsupported: problems that an adapter does not evaluate, by adapter, dtype and reason.
        crashes: crashes of adapters, by description.
        no_verdict: time-outs of adapters, by description.
        tried_again: calls that were answered only at their second attempt, by description.
        by_values: refusals that depend on values, by description.
        regimes: elements of ŷ with a verdict, by regime; each element counts once for each adapter.
        known: elements outside their sets that a known difference covers, by its name.
    """

    answered: Counter[str] = field(default_factory=_counter)
    problems: Counter[str] = field(default_factory=_counter)
    judged: Counter[str] = field(default_factory=_counter)
    not_judged: Counter[str] = field(default_factory=_counter)
    unsupported: Counter[str] = field(default_factory=_counter)
    crashes: Counter[str] = field(default_factory=_counter)
    no_verdict: Counter[str] = field(default_factory=_counter)
    tried_again: Counter[str] = field(default_factory=_counter)
    by_values: Counter[str] = field(default_factory=_counter)
    regimes: Counter[str] = field(default_factory=_counter)
    known: Counter[str] = field(default_factory=_counter)

    def plain(self) -> dict[str, dict[str, int]]:
        """Return the counts as dictionaries, to be sent to another process."""
        return {member.name: dict(getattr(self, member.name)) for member in fields(self)}

    def add(self, more: Plain) -> None:
        """Add the counts of another process, in the form that `plain` returns."""
        for name, counts in more.items():
            getattr(self, name).update(counts)

    @classmethod
    def of(
        cls,
        results: Results,
        crashed: Mapping[str, AdapterCrashed],
        names: Iterable[str] = (),
        label: str | None = None,
    ) -> Self:
        """Make the summary of results.

        Args:
            results: the results of the run.
            crashed: the crash or time-out of each adapter that had one.
            names: the names of adapters that have a count of problems even if it is 0.
            label: the label under which problems, and numbers not judged, of all adapters are counted; None:
                each by its name.
        """
        from crosscheck.results.summary import known_of

        found = cls(problems=Counter(dict.fromkeys(names, 0)), regimes=results.coverage.regimes())
        evaluated: dict[tuple[str, ...], int] = {}
        for cell, summary in results.summaries.items():
            name, kind = cell.adapter, f"{cell.adapter} {cell.dtype}"
            for reason in summary.unsupported:
                found.unsupported[f"{kind}: {reason}"] += summary.problems
            if summary.elements:
                key = name, cell.dtype, cell.regime, cell.shape, cell.layout
                evaluated[key] = max(evaluated.get(key, 0), summary.problems)
                found.judged[name] += summary.elements - summary.not_judged
            if summary.not_judged:
                found.not_judged[label or f"{kind} {cell.output}"] += summary.not_judged
            if summary.elements or summary.unsupported:
                found.answered[name] += summary.problems
        for (name, *_), problems in evaluated.items():
            found.problems[label or name] += problems
        for name, counts in known_of(results.summaries.values()).items():
            found.known[name] = counts.total()
        found.by_values.update(each.sentence for each in results.refusals.by_values())
        for name, crash in crashed.items():
            counter = found.no_verdict if isinstance(crash, NoAnswer) else found.crashes
            counter[f"{name}: {crash}"] += 1
        return found

    @property
    def adapters_without_verdict(self) -> list[str]:
        """The adapters that answered problems and of which no element was judged."""
        return [name for name in self.answered if not self.judged[name]]

    @property
    def is_green(self) -> bool:
        """Whether no adapter crashed, was late or refused by values, and each was judged on some element."""
        return not (self.crashes or self.no_verdict or self.by_values or self.adapters_without_verdict)

    def lines(self) -> Iterator[str]:
        """Yield the summary for readers, line by line."""
        yield "problems: " + ", ".join(f"{name} {count:,}" for name, count in self.problems.items())
        for what, count in self.not_judged.items():
            yield f"not judged: {what}, {count:,} numbers: their sets hold all that they can be"
        for what in self.unsupported:
            yield f"not supported: {what}"
        if self.regimes:
            found = ", ".join(f"{name} {self.regimes[name]:,}" for name in _regimes())
            yield f"judged elements of ŷ by regime: {found}"
        for name, count in sorted(self.known.items()):
            yield f"known difference: {name}, {count:,} elements"
        for name in self.adapters_without_verdict:
            yield f"without a verdict: {name}: nothing that it was asked could be judged"
        for sentence in self.by_values:
            yield f"against the contract: {sentence}"
        for crash in self.crashes:
            yield f"crashed: {crash}"
        for late in self.no_verdict:
            yield f"no verdict: {late}"
        for note in self.tried_again:
            yield f"tried once more: {note}"
