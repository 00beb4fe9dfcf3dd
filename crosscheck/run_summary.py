"""The summary of a run: what was judged, what was not, and which adapters crashed; summaries add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosscheck.judge import Judgement

Plain = Mapping[str, Mapping[str, int]]


def _counter() -> Counter[str]:
    return Counter()


def _regimes() -> tuple[str, ...]:
    """The names of all regimes; imported late, as conftest.py starts without NumPy."""
    from crosscheck.regimes import REGIMES

    return tuple(REGIMES)


@dataclass
class RunSummary:
    """Counts by the name of an adapter, or by a line that says what was counted.

    Attributes:
        asked: problems put to an adapter that answered something.
        problems: problems that it gave outputs for.
        judged: elements with a verdict.
        not_judged: elements without one, by adapter, dtype and output.
        unsupported: problems that an adapter does not take, by adapter, dtype and reason.
        crashes: how adapters crashed.
        no_verdict: how adapters gave no answer in time.
        tried_again: what was tried once more and then answered.
        regimes: elements of ŷ that adapters were judged on, by regime; each counts for each adapter.
        known: elements that lie outside their sets as a known difference says, by its name.
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
        """The counts as dictionaries, to be sent to another process."""
        return {member.name: dict(getattr(self, member.name)) for member in fields(self)}

    def add(self, more: Plain) -> None:
        """Add the counts of another process, as `plain` gives them."""
        for name, counts in more.items():
            getattr(self, name).update(counts)

    def count(self, name: str, dtype: str, judgements: Mapping[str, Judgement]) -> None:
        """Count the elements of one outcome, with a verdict and without."""
        for output, judgement in judgements.items():
            not_judged = judgement.not_judged
            self.judged[name] += judgement.admissible.size - not_judged
            if not_judged:
                self.not_judged[f"{name} {dtype} {output}"] += not_judged

    @property
    def adapters_without_verdict(self) -> list[str]:
        """The adapters that evaluated problems of which not one element was judged."""
        return [name for name in self.asked if not self.judged[name]]

    @property
    def is_green(self) -> bool:
        """Whether no adapter crashed or was late, and something was judged of every adapter."""
        return not (self.crashes or self.no_verdict or self.adapters_without_verdict)

    def lines(self) -> Iterator[str]:
        """The summary for a reader, line by line."""
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
            yield f"died: {crash}"
        for late in self.no_verdict:
            yield f"no verdict: {late}"
        for note in self.tried_again:
            yield f"tried once more: {note}"
