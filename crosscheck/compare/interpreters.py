"""The gate of ``crosscheck compare --python OLD --python NEW``: what changes between two interpreters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs
from rich.console import Console

from adapters import Spec
from crosscheck.plans.plan import Plan, without_interpreter
from crosscheck.results.changes import gate, has_regressed
from crosscheck.results.comparison import Comparison
from crosscheck.results.environment import header
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Fault, Header, Observation
from crosscheck.terminal.gate import show, verdict


def suffix_of(python: str) -> str:
    """Return the suffix of adapters' names under this interpreter."""
    return Spec("", "", python=python).suffix


def gate_interpreters(
    plan: Plan,
    comparison: Comparison,
    head: Header,
    observations: Sequence[Observation],
    console: Console,
) -> bool:
    """Print what changes from the first interpreter to the second; print nothing after Ctrl-C.

    Args:
        plan: the plan of the comparison, under two interpreters.
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
    found = gate(*(ledger_under(python, comparison, head, observations) for python in plan.pythons))
    show(found, console, [verdict(found, *plan.pythons)])
    return has_regressed(found)


def ledger_under(
    python: str, comparison: Comparison, head: Header, observations: Sequence[Observation]
) -> Ledger:
    """Make the ledger of one interpreter, with adapters' names without the interpreter.

    Args:
        python: the interpreter.
        comparison: the results, also of other interpreters.
        head: the header of a ledger of the comparison.
        observations: the observations of probes of its adapters.
    """
    suffix = suffix_of(python)
    said = {
        without_interpreter(selector): replace(
            adapter.description, name=adapter.description.name.removesuffix(suffix)
        )
        for selector, adapter in comparison.adapters.items()
        if selector.endswith(f"@{python}")
    }

    def plain(who: str) -> str:  # an adapter that could not be loaded has the name of its spec
        return without_interpreter(who) if who.endswith(f"@{python}") else who.removesuffix(suffix)

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
            Fault(who=plain(fault.who), what=fault.what)
            for fault in whole.faults
            if fault.who.endswith((suffix, f"@{python}"))
        ],
        known=(),
        verdict=0,
    )
