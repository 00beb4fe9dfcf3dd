"""Two interpreters side by side: the same cases in one table, and one held against the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from adapters import Spec
from crosscheck.behaviours.probe import Observation
from crosscheck.comparison.planned import Meeting, Planned
from crosscheck.comparison.result import Comparison
from crosscheck.comparison.written import ledger_of
from crosscheck.gate.command import gate, has_regressed
from crosscheck.gate.show import show, verdict
from crosscheck.ledger import Fault, Header, Ledger
from crosscheck.ledger.making import header


def suffix_of(python: str) -> str:
    """What names end with under this interpreter."""
    return Spec("", "", python=python).suffix


@dataclass(frozen=True)
class UnderEach:
    """A plan whose every case is met under each interpreter.

    Attributes:
        plan: for one.
        pythons: the interpreters.
    """

    plan: Planned
    pythons: tuple[str, ...]

    @property
    def title(self) -> str:
        """The plan's, and how often."""
        return f"{self.plan.title}; under {len(self.pythons)} interpreters"

    @property
    def seed(self) -> int:
        """The plan's."""
        return self.plan.seed

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The plan's."""
        return self.plan.dtypes

    @property
    def is_whole(self) -> bool:
        """The plan's."""
        return self.plan.is_whole

    @property
    def is_exhaustive(self) -> bool:
        """Not: a known difference may concern one version alone."""
        return False

    @property
    def lacking(self) -> list[str]:
        """The plan's."""
        return self.plan.lacking

    def __len__(self) -> int:
        return len(self.plan)

    def _met(self, meetings: Iterator[Meeting], names: Sequence[str]) -> Iterator[Meeting]:
        for case, met in meetings:
            yield Meeting(case, tuple(name for name in names if _plain(name) in met))

    def meetings(self, names: Sequence[str]) -> Iterator[Meeting]:
        """The plan's, each adapter as often as it is there."""
        return self._met(self.plan.meetings(list(dict.fromkeys(map(_plain, names)))), names)

    def contract(self, names: Sequence[str]) -> Iterator[Meeting]:
        """Likewise."""
        return self._met(self.plan.contract(list(dict.fromkeys(map(_plain, names)))), names)

    def label(self, name: str) -> str:
        """The plan's, with the interpreter's."""
        plain, at, where = name.partition("@")
        return f"{self.plan.label(plain)}{at}{where}"

    def classes(self, name: str) -> tuple[str, ...]:
        """The plan's."""
        return self.plan.classes(_plain(name))

    def why_empty(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """The plan's."""
        return self.plan.why_empty(_plain(name), dtype, shapes, regime)

    def why_missed(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """The plan's."""
        return self.plan.why_missed(_plain(name), dtype, shapes, regime)


def _plain(name: str) -> str:
    return name.partition("@")[0]


def gated(
    plan: UnderEach,
    comparison: Comparison,
    head: Header,
    observations: Sequence[Observation],
    console: Console,
) -> bool:
    """Print what is different under the second interpreter; whether it is worse. Nothing after Ctrl-C.

    Args:
        plan: of the comparison.
        comparison: that has ended.
        head: of a ledger of it.
        observations: what probes saw of its adapters.
        console: where to print.

    Raises:
        LedgerError: nothing can be said: nothing was judged under one of them.
    """
    if comparison.record.interrupted:
        return False
    console.print(f"\nFrom {plan.pythons[0]} to {plan.pythons[1]}:", markup=False, soft_wrap=True)
    found = gate(*(_under(python, comparison, head, observations) for python in plan.pythons))
    show(found, console, [verdict(found, *plan.pythons)])
    return has_regressed(found)


def _under(python: str, comparison: Comparison, head: Header, observations: Sequence[Observation]) -> Ledger:
    """The ledger of one interpreter, with the adapters' own names."""
    suffix = suffix_of(python)
    said = {
        _plain(selector): replace(subject.description, name=subject.description.name.removesuffix(suffix))
        for selector, subject in comparison.subjects.items()
        if selector.endswith(f"@{python}")
    }
    own = header(head.profile, head.seed, said, head.command, python=python)
    seen = [
        replace(o, adapter=o.adapter.removesuffix(suffix)) for o in observations if o.adapter.endswith(suffix)
    ]
    whole = ledger_of(comparison, own, seen)
    return replace(
        whole,
        cells={
            replace(cell, adapter=cell.adapter.removesuffix(suffix)): summary
            for cell, summary in whole.cells.items()
            if cell.adapter.endswith(suffix)
        },
        faults=[
            Fault(who=fault.who.removesuffix(suffix), what=fault.what)
            for fault in whole.faults
            if fault.who.endswith(suffix)
        ],
        known=(),
        verdict=0,
    )
