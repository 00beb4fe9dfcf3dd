"""The summary of a run: elements judged and not judged, and crashes; summaries can be added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosscheck.judging.judge import Judgement

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
        asked: problems for which the adapter returned an answer, outputs or a refusal.
        problems: problems for which the adapter returned outputs.
        judged: elements with a verdict.
        not_judged: elements without a verdict, by adapter, dtype and output.
        unsupported: problems that an adapter does not evaluate, by adapter, dtype and reason.
        crashes: crashes of adapters, by description.
        no_verdict: time-outs of adapters, by description.
        tried_again: calls that were answered only at their second attempt, by description.
        regimes: elements of ŷ with a verdict, by regime; each element counts once for each adapter.
        known: elements outside their sets that a known difference covers, by its name.
    """

    asked: Counter[str] = field(default_factory=_counter)
    problems: Counter[str] = field(default_factory=_counter)
    judged: Counter[str] = field(default_factory=_counter)
    not_judged: Counter[str] = field(default_factory=_counter)
    unsupported: Counter[str] = field(default_factory=_counter)
    crashes: Counter[str] = field(default_factory=_counter)
    no_verdict: Counter[str] = field(default_factory=_counter)
    tried_again: Counter[str] = field(default_factory=_counter)
    regimes: Counter[str] = field(default_factory=_counter)
    known: Counter[str] = field(default_factory=_counter)

    def plain(self) -> dict[str, dict[str, int]]:
        """Return the counts as dictionaries, to be sent to another process."""
        return {member.name: dict(getattr(self, member.name)) for member in fields(self)}

    def add(self, more: Plain) -> None:
        """Add the counts of another process, in the form that `plain` returns."""
        for name, counts in more.items():
            getattr(self, name).update(counts)

    def count(self, name: str, dtype: str, judgements: Mapping[str, Judgement]) -> None:
        """Count the elements of one outcome, with a verdict and without one."""
        for output, judgement in judgements.items():
            not_judged = judgement.not_judged
            self.judged[name] += judgement.admissible.size - not_judged
            if not_judged:
                self.not_judged[f"{name} {dtype} {output}"] += not_judged

    @property
    def adapters_without_verdict(self) -> list[str]:
        """The adapters that answered problems and of which no element was judged."""
        return [name for name in self.asked if not self.judged[name]]

    @property
    def is_green(self) -> bool:
        """Whether no adapter crashed or was late, and at least one element of every adapter was judged."""
        return not (self.crashes or self.no_verdict or self.adapters_without_verdict)

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
        for crash in self.crashes:
            yield f"crashed: {crash}"
        for late in self.no_verdict:
            yield f"no verdict: {late}"
        for note in self.tried_again:
            yield f"tried once more: {note}"
