"""A whole comparison: start the adapters, show the progress, print the report, and end the processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from msgspec import structs
from rich.console import Console

from adapters import Spec
from adapters.errors import NoAnswer
from adapters.process_options import ProcessOptions
from crosscheck.compare.checks import (
    ContractCheck,
    ProbeResults,
    check_alone,
    collect_violations,
    run_probes,
    start_checks,
)
from crosscheck.compare.interpreters import gate_interpreters, ledger_under
from crosscheck.console import Advance, Interruption, console_for, progress, say
from crosscheck.exit_codes import ExitCode
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.plans.plan import Plan, PlannedCase, cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from crosscheck.results.environment import command, header
from crosscheck.results.known import KnownDifferences
from crosscheck.results.ledger import Ledger, begin, write
from crosscheck.results.lines import AdapterFault
from crosscheck.results.record import Results
from crosscheck.terminal.report import heading, show


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
        specs: the specifications of the adapters.
        options: the journal's directory, the time limits, the environment and the turns.
        shared: whether adapters of one framework share a process; otherwise each has its own.
        coverage: whether to print the coverage.
        details: whether the table has a row for each output, with the worst values.
        ledger: the file for the ledger of this run; the probes then run on the adapters, too.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have the same name.
        JournalError: the journal cannot be written.
        KnownError: the record of known differences cannot be used.
        LedgerError: the ledger cannot be written.
    """
    console = console_for(terminal=sys.stdout.isatty())
    with ExitStack() as stack:
        with Console(stderr=True).status("starting the frameworks"):
            pool = stack.enter_context(AdapterPool.start(specs, options, shared=shared, strict=True))
        say(console, *heading(plan, list(pool.descriptions.values())))
        head = header("matrix" if shared else "compare", plan.seed, pool.descriptions, command())
        if ledger is not None:
            begin(ledger, head)
        comparison = _comparison(plan, pool, options, with_coverage=coverage, with_details=details)
        show(comparison, console)
        is_asked = ledger is not None or bool(plan.pythons)
        probe_results = run_probes(comparison, options) if is_asked else ProbeResults()
        say(console, *(each.text for each in probe_results.crashes))
        if ledger is not None:
            write(ledger, comparison.ledger(head, probe_results.observations, probe_results.crashes))
            say(console, f"Ledger: {ledger}")
        is_worse = bool(plan.pythons) and gate_interpreters(
            plan, comparison, head, probe_results.observations, console
        )
    if comparison.results.interrupted:
        return ExitCode.INTERRUPTED
    return (
        ExitCode.PASSED
        if comparison.is_green and not probe_results.crashes and not is_worse
        else ExitCode.FAILED
    )


def _status(text: str) -> AbstractContextManager[Any]:
    """Show a line on a terminal during a long step; not in a notebook, which would keep it as output."""
    console = Console(stderr=True)
    return nullcontext() if console.is_jupyter else console.status(text)


def compare(
    planned_cases: Iterable[PlannedCase],
    pool: AdapterPool,
    advance: Advance,
    known: KnownDifferences | None = None,
    measured: Collection[Case] | None = None,
) -> Results:
    """Evaluate the cases with the adapters of the pool, and judge them; Ctrl-C ends it early.

    Args:
        planned_cases: the cases of a plan, each with the names of the adapters that evaluate it.
        pool: the adapters by these names.
        advance: a function that is called after each case.
        known: the known differences, which do not fail the run; None for none.
        measured: the cases whose errors are measured, as in `Plan`.

    Raises:
        JournalError: an input could not be written, so that a crash would have lost it.
    """
    results = Results(known=known or KnownDifferences())
    try:
        for case, problem, calls in pool.stream(planned_cases):
            judge = Judge(problem)
            evaluations = ((name, call.result()) for name, call in calls)
            outcomes = {name: one and judge_evaluation(judge, one) for name, one in evaluations}
            for name in (name for name, outcome in outcomes.items() if outcome is None):
                results.add_skipped(case, pool.adapters[name].description)
            judged = [outcome for outcome in outcomes.values() if outcome is not None]
            results.add(case, judge, judged, is_measured=measured is None or case in measured)
            advance(case)
    except KeyboardInterrupt:
        results.interrupted = True
    return results


def _compared(
    plan: Plan, pool: AdapterPool, options: ProcessOptions, known: KnownDifferences
) -> tuple[Results, list[AdapterFault]]:
    """Compare while showing the progress; return the results and the violations of the contract."""
    begun: list[ContractCheck] = []

    def planned_cases() -> Iterator[PlannedCase]:
        # In new processes, so that what depends on the number of calls shows as that.
        begun.extend(start_checks(plan, pool))
        yield from cases_of(plan.cases, pool.adapters)

    interruption = Interruption()
    with interruption.handled(), progress(len(plan.cases), interruption) as advance:
        results = compare(planned_cases(), pool, advance, known, plan.measured)
    with _status("checking the contract"):
        violations = collect_violations(results, begun)
        return results, [*violations, *check_alone(results, pool, options)]


def _comparison(plan: Plan, pool: AdapterPool, options: ProcessOptions, **shown: bool) -> Comparison:
    """Compare the adapters of a pool that has just started.

    Args:
        plan: the cases, each with the adapters that evaluate it.
        pool: the adapters.
        options: the options with which they were started.
        shown: the parts that the report shows, as fields of `Comparison`.
    """
    start = time.monotonic()
    on_load = [
        (isinstance(crash, NoAnswer), AdapterFault(crash.adapter, str(crash)))
        for crash in pool.crashed.values()
    ]
    results, violations = _compared(plan, pool, options, KnownDifferences.shipped())
    results.late[:0] = [crash for is_late, crash in on_load if is_late]
    return Comparison(
        plan,
        list(pool.descriptions.values()),
        results,
        [crash for is_late, crash in on_load if not is_late],
        violations,
        pool.adapters,
        pool.unsteady,
        time.monotonic() - start,
        tried_again=options.turns.notes,
        **shown,
    )


def compare_under(
    plan: Plan, specs: Sequence[Spec], options: ProcessOptions, *, shared: bool = False
) -> Ledger:
    """Compare the adapters as planned under another interpreter, and return its ledger.

    Adapters have the names that they have under this interpreter; their selectors name the other one.

    Args:
        plan: the cases, as `crosscheck.plans.plan.per_interpreter` makes it for one interpreter.
        specs: the specifications of the adapters under it.
        options: the journal's directory, the time limits, the environment and the turns.
        shared: whether adapters of one framework share a process; otherwise each has its own.

    Raises:
        AdapterError: an adapter cannot be loaded.
        JournalError: the journal cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    (python,) = plan.pythons
    with AdapterPool.start(specs, options, shared=shared, strict=True) as pool:
        comparison = _comparison(plan, pool, options)
        probe_results = run_probes(comparison, options)
        if comparison.results.interrupted:
            raise KeyboardInterrupt
        head = header("matrix" if shared else "compare", plan.seed, pool.descriptions, command())
        ledger = ledger_under(python, comparison, head, probe_results.observations)
    adapters = [structs.replace(one, selector=f"{one.selector}@{python}") for one in ledger.header.adapters]
    return replace(ledger, header=structs.replace(ledger.header, adapters=tuple(adapters)))


def compare_quietly(
    plan: Plan, specs: Sequence[Spec], options: ProcessOptions, width: int
) -> tuple[Comparison, str]:
    """Compare the adapters as planned, each in a process of its own, and print nothing.

    Args:
        plan: the cases, each with the adapters that evaluate it.
        specs: the specifications of the adapters.
        options: the journal's directory, the time limits, the environment and the turns.
        width: the width of the report in columns.

    Returns:
        The comparison, and its report as text. The adapters' processes have ended.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have the same name.
        JournalError: the journal cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    report = StringIO()
    console = Console(file=report, width=width, highlight=False, force_jupyter=False)
    with AdapterPool.start(specs, options, strict=True) as pool:
        comparison = _comparison(plan, pool, options)
        if comparison.results.interrupted:
            raise KeyboardInterrupt
        say(console, *heading(plan, comparison.descriptions))
        show(comparison, console)
    return comparison, report.getvalue().rstrip()
