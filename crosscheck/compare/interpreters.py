"""A comparison under two interpreters: the same cases in one table, and a gate of the second interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from msgspec import structs
from rich.console import Console

from adapters import Spec
from crosscheck.comparison.planned import Plan, PlannedCase
from crosscheck.results.changes import gate, has_regressed
from crosscheck.results.comparison import Comparison
from crosscheck.results.environment import header
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Fault, Header, Observation
from crosscheck.terminal.gate import show, verdict


def suffix_of(python: str) -> str:
    """Return the suffix of adapters' names under this interpreter."""
    return Spec("", "", python=python).suffix


@dataclass(frozen=True)
class PlanPerInterpreter:
    """A plan whose every case is evaluated under each of several interpreters.

    Attributes:
        plan: the cases for one interpreter.
        pythons: the paths of the interpreters.
    """

    plan: Plan
    pythons: tuple[str, ...]

    @property
    def title(self) -> str:
        """The plan's title, with the number of interpreters."""
        return f"{self.plan.title}; under {len(self.pythons)} interpreters"

    @property
    def seed(self) -> int:
        """The seed of the plan."""
        return self.plan.seed

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes of the plan."""
        return self.plan.dtypes

    @property
    def is_whole(self) -> bool:
        """Whether the plan for one interpreter is whole."""
        return self.plan.is_whole

    @property
    def is_exhaustive(self) -> bool:
        """False, since a known difference may concern the version in one interpreter only."""
        return False

    @property
    def unsupported(self) -> list[str]:
        """What the plan for one interpreter cannot contain, with the reasons."""
        return self.plan.unsupported

    def __len__(self) -> int:
        return len(self.plan)

    def _for_names(self, planned_cases: Iterator[PlannedCase], names: Sequence[str]) -> Iterator[PlannedCase]:
        for case, planned_names in planned_cases:
            yield PlannedCase(
                case, tuple(name for name in names if _without_interpreter(name) in planned_names)
            )

    def planned_cases(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield the plan's cases, each with the adapters under every interpreter."""
        return self._for_names(
            self.plan.planned_cases(list(dict.fromkeys(map(_without_interpreter, names)))), names
        )

    def contract(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield the plan's cases for contract checks, each with the adapters under every interpreter."""
        return self._for_names(
            self.plan.contract(list(dict.fromkeys(map(_without_interpreter, names)))), names
        )

    def label(self, name: str) -> str:
        """Return the plan's label of the adapter, with the interpreter."""
        plain, at, where = name.partition("@")
        return f"{self.plan.label(plain)}{at}{where}"

    def classes(self, name: str) -> tuple[str, ...]:
        """Return the plan's classes of shapes for the adapter."""
        return self.plan.classes(_without_interpreter(name))

    def reason_not_planned(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """As `Plan.reason_not_planned`, for the adapter under any interpreter."""
        return self.plan.reason_not_planned(_without_interpreter(name), dtype, shapes, regime)

    def reason_not_hit(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """As `Plan.reason_not_hit`, for the adapter under any interpreter."""
        return self.plan.reason_not_hit(_without_interpreter(name), dtype, shapes, regime)


def _without_interpreter(name: str) -> str:
    return name.partition("@")[0]


def gate_interpreters(
    plan: PlanPerInterpreter,
    comparison: Comparison,
    head: Header,
    observations: Sequence[Observation],
    console: Console,
) -> bool:
    """Print what changes from the first interpreter to the second; print nothing after Ctrl-C.

    Args:
        plan: the plan of the comparison.
        comparison: its results.
        head: the header of a ledger of the comparison.
        observations: the observations of probes of its adapters.
        console: the console to print to.

    Returns:
        Whether any result is worse under the second interpreter.

    Raises:
        LedgerError: nothing was judged under one of them, so that they cannot be compared.
    """
    if comparison.results.interrupted:
        return False
    console.print(f"\nFrom {plan.pythons[0]} to {plan.pythons[1]}:", markup=False, soft_wrap=True)
    found = gate(*(_ledger_under(python, comparison, head, observations) for python in plan.pythons))
    show(found, console, [verdict(found, *plan.pythons)])
    return has_regressed(found)


def _ledger_under(
    python: str, comparison: Comparison, head: Header, observations: Sequence[Observation]
) -> Ledger:
    """Make the ledger of one interpreter, with adapters' names without the interpreter."""
    suffix = suffix_of(python)
    said = {
        _without_interpreter(selector): replace(
            adapter.description, name=adapter.description.name.removesuffix(suffix)
        )
        for selector, adapter in comparison.adapters.items()
        if selector.endswith(f"@{python}")
    }
    own = header(head.profile, head.seed, said, head.command, python=python)
    seen = [
        structs.replace(o, adapter=o.adapter.removesuffix(suffix))
        for o in observations
        if o.adapter.endswith(suffix)
    ]
    whole = comparison.ledger(own, seen)
    return replace(
        whole,
        cells={
            structs.replace(cell, adapter=cell.adapter.removesuffix(suffix)): summary
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
