"""A whole comparison: the children started, the progress shown, the report printed, everything closed."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from adapters import Spec
from adapters.conditions import Conditions
from adapters.errors import AdapterDied, NoAnswer
from adapters.isolated import Isolated
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.engine import Record, compare
from crosscheck.comparison.interpreters import UnderEach, gated
from crosscheck.comparison.planned import Meeting, Planned
from crosscheck.comparison.probed import Answers, answers_to_probes
from crosscheck.comparison.progress import interruption, progress
from crosscheck.comparison.promises import Check, checks, violations
from crosscheck.comparison.report import console_for, heading, show
from crosscheck.comparison.result import Comparison
from crosscheck.comparison.written import ledger_of
from crosscheck.hosts import Hosts
from crosscheck.known import KnownDifferences
from crosscheck.ledger import begin, write
from crosscheck.ledger.making import header
from crosscheck.trial import tell_apart

WITHIN_BOUNDS, OUTSIDE, INTERRUPTED = 0, 1, 130


def compare_and_show(  # noqa: PLR0913, each is a choice of its own, by name
    plan: Planned,
    specs: Sequence[Spec],
    conditions: Conditions,
    *,
    shared: bool = False,
    coverage: bool = False,
    details: bool = False,
    ledger: Path | None = None,
) -> int:
    """Compare the adapters as planned, print the report, and return the exit code.

    Args:
        plan: the cases, and who meets them.
        specs: the adapters.
        conditions: where and how they run.
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
            subjects = _started(specs, stack, conditions, shared=shared)
            rooms = {spec.name: spec.room if shared else spec.name for spec in specs}
            contestants, lost, late = _seated(subjects, rooms)
        for contestant in contestants.values():
            stack.callback(contestant.close)
        said = {name: contestant.description for name, contestant in contestants.items()}
        _print(console, *heading(plan, list(said.values())))
        head = header("matrix" if shared else "compare", plan.seed, said, command())
        if ledger is not None:
            begin(ledger, head)
        record, broken = _compared(plan, contestants, known)
        record.late[:0] = late
        seconds = time.monotonic() - start
        there = {name: contestant.subject for name, contestant in contestants.items()}
        comparison = Comparison(
            plan,
            list(said.values()),
            record,
            lost,
            broken,
            there,
            seconds,
            with_coverage=coverage,
            with_details=details,
            tried_again=conditions.turns.notes,
        )
        show(comparison, console)
        is_asked = ledger is not None or isinstance(plan, UnderEach)
        answers = answers_to_probes(comparison, conditions) if is_asked else Answers()
        _print(console, *answers.deaths)
        if ledger is not None:
            write(ledger, ledger_of(comparison, head, answers.observations, answers.deaths))
            _print(console, f"Ledger: {ledger}")
        is_worse = isinstance(plan, UnderEach) and gated(
            plan, comparison, head, answers.observations, console
        )
    if record.interrupted:
        return INTERRUPTED
    return WITHIN_BOUNDS if comparison.is_green and not answers.deaths and not is_worse else OUTSIDE


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def command() -> str:
    """What was executed, as a shell takes it."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _started(
    specs: Sequence[Spec], stack: ExitStack, conditions: Conditions, *, shared: bool
) -> dict[str, Isolated]:
    """The adapters by the name of their spec, closed with the stack."""
    if shared:
        hosts = stack.enter_context(Hosts(conditions))
        return {spec.name: hosts.subject(spec) for spec in specs}
    return {spec.name: stack.enter_context(Isolated.alone(spec, conditions)) for spec in specs}


def _seated(
    subjects: Mapping[str, Isolated], rooms: Mapping[str, Hashable]
) -> tuple[dict[str, Contestant], list[str], list[str]]:
    """The adapters that started, by the name of their spec, how others died, and who was not ready in time.

    Those of one room share a process, which takes one call at a time, and so they share a thread.
    """
    threads = {room: ThreadPoolExecutor(1, thread_name_prefix=str(room)) for room in rooms.values()}
    contestants: dict[str, Contestant] = {}
    lost: list[str] = []
    late: list[str] = []
    for name, subject in subjects.items():
        try:
            contestants[name] = Contestant(subject, threads[rooms[name]])
        except AdapterDied as death:
            (late if isinstance(death, NoAnswer) else lost).append(str(death))
    tell_apart(contestant.description for contestant in contestants.values())
    return contestants, lost, late


def _status(text: str) -> AbstractContextManager[Any]:
    """A line on a terminal while something takes long; a notebook would keep it as the output of its cell."""
    console = Console(stderr=True)
    return nullcontext() if console.is_jupyter else console.status(text)


def _compared(
    plan: Planned, contestants: Mapping[str, Contestant], known: KnownDifferences
) -> tuple[Record, list[str]]:
    """What was found, and the violations of the contract, with the progress on the terminal."""
    begun: list[Check] = []

    def meetings() -> Iterator[Meeting]:
        yield from plan.meetings(list(contestants))
        begun.extend(checks(plan, contestants))  # while the last cases are judged

    with interruption() as interrupted, progress(len(plan), interrupted) as advance:
        record = compare(meetings(), contestants, advance, known)
    with _status("checking the contract"):
        return record, violations(record, begun)


def compare_quietly(
    plan: Planned, specs: Sequence[Spec], conditions: Conditions, width: int
) -> tuple[Comparison, str]:
    """Compare the adapters as planned, each in a process of its own, and print nothing.

    Args:
        plan: the cases, and who meets them.
        specs: the adapters.
        conditions: where and how they run.
        width: columns of the report.

    Returns:
        What was found, and the report of it. The adapters have ended.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have one name.
        JournalError: the journal cannot be written.
        KeyboardInterrupt: Ctrl-C.
    """
    known = KnownDifferences.shipped()
    report = StringIO()
    console = Console(file=report, width=width, highlight=False, force_jupyter=False)
    start = time.monotonic()
    with ExitStack() as stack:
        subjects = _started(specs, stack, conditions, shared=False)
        contestants, lost, late = _seated(subjects, {spec.name: spec.name for spec in specs})
        for contestant in contestants.values():
            stack.callback(contestant.close)
        record, broken = _compared(plan, contestants, known)
        if record.interrupted:
            raise KeyboardInterrupt
        record.late[:0] = late
        comparison = Comparison(
            *(plan, [contestant.description for contestant in contestants.values()], record, lost, broken),
            {name: contestant.subject for name, contestant in contestants.items()},
            time.monotonic() - start,
            tried_again=conditions.turns.notes,
        )
        _print(console, *heading(plan, comparison.descriptions))
        show(comparison, console)
    return comparison, report.getvalue().rstrip()
