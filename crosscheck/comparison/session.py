"""A whole comparison: the children started, the progress shown, the report printed, everything closed."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from adapters import Spec
from adapters.conditions import ProcessOptions
from adapters.errors import NoAnswer
from crosscheck.comparison.contract_checks import ContractCheck, collect_violations, start_checks
from crosscheck.comparison.engine import Results, compare
from crosscheck.comparison.interpreters import PlanPerInterpreter, gate_interpreters
from crosscheck.comparison.ledger import to_ledger
from crosscheck.comparison.planned import Plan, PlannedCase
from crosscheck.comparison.probe_results import ProbeResults, run_probes
from crosscheck.comparison.progress import interruption, progress
from crosscheck.comparison.report import console_for, heading, show
from crosscheck.comparison.result import Comparison
from crosscheck.known import KnownDifferences
from crosscheck.ledger import begin, write
from crosscheck.ledger.making import header
from crosscheck.pool import AdapterPool

WITHIN_BOUNDS, OUTSIDE, INTERRUPTED = 0, 1, 130


def compare_and_show(  # noqa: PLR0913, each is a choice of its own, by name
    plan: Plan,
    specs: Sequence[Spec],
    options: ProcessOptions,
    *,
    shared: bool = False,
    coverage: bool = False,
    details: bool = False,
    ledger: Path | None = None,
) -> int:
    """Compare the adapters as planned, print the report, and return the exit code.

    Args:
        plan: the cases, each with the adapters that evaluate it.
        specs: the adapters.
        options: where and how they run.
        shared: whether adapters of one framework share a process; otherwise each has its own.
        coverage: whether to print what was judged where.
        details: whether the table shows each output, with the extremes.
        ledger: the file for the ledger of this run; the probes are put to the adapters for it, too.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have one name.
        JournalError: the journal cannot be written.
        KnownError: the record of known differences cannot be used.
        LedgerError: the ledger cannot be written.
    """
    known = KnownDifferences.shipped()
    console = console_for(terminal=sys.stdout.isatty())
    start = time.monotonic()
    with ExitStack() as stack:
        with Console(stderr=True).status("starting the frameworks"):
            pool = stack.enter_context(AdapterPool.start(specs, options, shared=shared, strict=True))
        on_load = {name: str(crash) for name, crash in pool.crashed.items()}
        late = [text for name, text in on_load.items() if isinstance(pool.crashed[name], NoAnswer)]
        said = pool.descriptions
        _print(console, *heading(plan, list(said.values())))
        head = header("matrix" if shared else "compare", plan.seed, said, command())
        if ledger is not None:
            begin(ledger, head)
        results, broken = _compared(plan, pool, known)
        results.late[:0] = late
        seconds = time.monotonic() - start
        comparison = Comparison(
            plan,
            list(said.values()),
            results,
            [text for text in on_load.values() if text not in late],
            broken,
            pool.adapters,
            seconds,
            with_coverage=coverage,
            with_details=details,
            tried_again=options.turns.notes,
        )
        show(comparison, console)
        is_asked = ledger is not None or isinstance(plan, PlanPerInterpreter)
        probe_results = run_probes(comparison, options) if is_asked else ProbeResults()
        _print(console, *probe_results.crashes)
        if ledger is not None:
            write(ledger, to_ledger(comparison, head, probe_results.observations, probe_results.crashes))
            _print(console, f"Ledger: {ledger}")
        is_worse = isinstance(plan, PlanPerInterpreter) and gate_interpreters(
            plan, comparison, head, probe_results.observations, console
        )
    if results.interrupted:
        return INTERRUPTED
    return WITHIN_BOUNDS if comparison.is_green and not probe_results.crashes and not is_worse else OUTSIDE


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def command() -> str:
    """What was executed, as a shell takes it."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _compared(plan: Plan, pool: AdapterPool, known: KnownDifferences) -> tuple[Results, list[str]]:
    """What was found, and the violations of the contract, with the progress on the terminal."""
    begun: list[ContractCheck] = []

    def planned_cases() -> Iterator[PlannedCase]:
        yield from plan.planned_cases(list(pool.adapters))
        begun.extend(start_checks(plan, pool))  # while the last cases are judged

    with interruption() as interrupted, progress(len(plan), interrupted) as advance:
        results = compare(planned_cases(), pool, advance, known)
    with Console(stderr=True).status("checking the contract"):
        return results, collect_violations(results, begun)
