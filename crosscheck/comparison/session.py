"""A whole comparison: the children started, the progress shown, the report printed, everything closed."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from adapters import CORE, Spec, is_ours
from adapters.conditions import Conditions
from adapters.errors import AdapterDied
from adapters.isolated import Isolated
from crosscheck.behaviours.asked import asked
from crosscheck.behaviours.probe import Observation
from crosscheck.cases import Case
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.engine import Record, compare
from crosscheck.comparison.interpreters import UnderEach, changed
from crosscheck.comparison.planned import Meeting, Planned
from crosscheck.comparison.progress import interruption, progress
from crosscheck.comparison.report import console_for, heading, show
from crosscheck.comparison.result import Comparison
from crosscheck.comparison.written import ledger_of
from crosscheck.gate.command import has_regressed
from crosscheck.gate.show import show as show_changes
from crosscheck.hosts import Hosts
from crosscheck.known import KnownDifferences
from crosscheck.ledger import begin, write
from crosscheck.ledger.making import header
from crosscheck.message import replay
from crosscheck.trial import tell_apart

AGREEMENT, DISAGREEMENT, INTERRUPTED = 0, 1, 130


def compare_and_show(  # noqa: PLR0913, each is a choice of its own, by name
    plan: Planned,
    specs: Sequence[Spec],
    conditions: Conditions,
    *,
    shared: bool = False,
    coverage: bool = False,
    ledger: Path | None = None,
) -> int:
    """Compare the adapters as planned, print the report, and return the exit code.

    Args:
        plan: the cases, and who meets them.
        specs: the adapters.
        conditions: where and how they run.
        shared: whether adapters of one framework share a process; otherwise each has its own.
        coverage: whether to print what was judged where.
        ledger: the file for the ledger of this run; the probes are put to the adapters for it, too.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have one name.
        JournalError: the journal cannot be written.
        KnownError: the record of known differences cannot be used.
        LedgerError: the ledger cannot be written.
    """
    known = KnownDifferences.of_checkout()
    console = console_for(terminal=sys.stdout.isatty())
    start = time.monotonic()
    with ExitStack() as stack:
        with Console(stderr=True).status("starting the frameworks"):
            subjects = _started(specs, stack, conditions, shared=shared)
            rooms = {spec.name: spec.room if shared else spec.name for spec in specs}
            contestants, lost = _seated(subjects, rooms)
        for contestant in contestants.values():
            stack.callback(contestant.close)
        descriptions = [contestant.description for contestant in contestants.values()]
        for line in heading(plan, descriptions):
            console.print(line, markup=False, soft_wrap=True)
        said = {name: contestant.description for name, contestant in contestants.items()}
        head = header("matrix" if shared else "compare", plan.seed, said, command())
        if ledger is not None:
            begin(ledger, head)
        record, broken = _compared(plan, contestants, known)
        seconds = time.monotonic() - start
        there = {name: contestant.subject for name, contestant in contestants.items()}
        comparison = Comparison(plan, descriptions, record, lost, broken, there, seconds, coverage)
        show(comparison, console)
        deaths: list[str] = []
        worse = False
        if isinstance(plan, UnderEach) and not record.interrupted:
            deaths, observations = _observed(comparison, conditions)
            if not record.interrupted:
                console.print(f"\nFrom {plan.pythons[0]} to {plan.pythons[1]}:", markup=False, soft_wrap=True)
                found = changed(plan, comparison, head.profile, observations, command())
                show_changes(found, console)
                worse = has_regressed(found)
        if ledger is not None:
            deaths, observations = _observed(comparison, conditions)
            write(ledger, ledger_of(comparison, head, observations, deaths))
            for line in (*deaths, f"Ledger: {ledger}"):
                console.print(line, markup=False, soft_wrap=True)
    if record.interrupted:
        return INTERRUPTED
    return AGREEMENT if comparison.is_green and not deaths and not worse else DISAGREEMENT


def command() -> str:
    """What was executed, as a shell takes it."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _observed(comparison: Comparison, conditions: Conditions) -> tuple[list[str], list[Observation]]:
    """Put the probes to the adapters, unless Ctrl-C ended all: who died of one, and what was seen."""
    observations: list[Observation] = []
    deaths: list[str] = []
    try:
        with Console(stderr=True).status("asking for behaviours"):
            for name, subject in comparison.subjects.items():
                if comparison.record.interrupted:
                    break
                if isinstance(subject, Isolated) and (name.partition("@")[0] in CORE or not is_ours(name)):
                    deaths += asked(subject, conditions, observations, comparison.plan.dtypes)
    except KeyboardInterrupt:
        comparison.record.interrupted = True
    return deaths, observations


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
) -> tuple[dict[str, Contestant], list[str]]:
    """The adapters that started, by the name of their spec, and how the others died.

    Those of one room share a process, which takes one call at a time, and so they share a thread.
    """
    threads = {room: ThreadPoolExecutor(1, thread_name_prefix=str(room)) for room in rooms.values()}
    contestants: dict[str, Contestant] = {}
    lost: list[str] = []
    for name, subject in subjects.items():
        try:
            contestants[name] = Contestant(subject, threads[rooms[name]])
        except AdapterDied as death:
            lost.append(str(death))
    tell_apart(contestant.description for contestant in contestants.values())
    return contestants, lost


def _compared(
    plan: Planned, contestants: Mapping[str, Contestant], known: KnownDifferences
) -> tuple[Record, list[str]]:
    """What was found, and the violations of the contract, with the progress on the terminal."""
    checks: list[Check] = []

    def meetings() -> Iterator[Meeting]:
        yield from plan.meetings(list(contestants))
        checks.extend(_checks(plan, contestants))  # while the last cases are judged

    with interruption() as interrupted, progress(len(plan), interrupted) as advance:
        record = compare(meetings(), contestants, advance, known)
    with Console(stderr=True).status("checking the contract"):
        return record, _violations(record, checks)


Check = tuple[Case, str, Future[list[str]]]


def _checks(plan: Planned, contestants: Mapping[str, Contestant]) -> Iterator[Check]:
    """The contract on the plan's cases for that, under way: case, name and the violations to come."""
    for case, names in plan.contract(list(contestants)):
        problem = case.problem()
        yield from ((case, name, contestants[name].contract(problem)) for name in names)


def _violations(record: Record, checks: Sequence[Check]) -> list[str]:
    """How the contestants break the contract."""
    if record.interrupted:
        return []
    try:
        return [line for case, name, check in checks for line in _told(case, name, check.result())]
    except KeyboardInterrupt:
        record.interrupted = True
        return []


def _told(case: Case, selector: str, sentences: Sequence[str]) -> list[str]:
    """An entry for each sentence; the last one has the line that replays them all."""
    entries = [f"{case.dtype}: {sentence}" for sentence in sentences]
    if entries:
        entries[-1] += f"\n    replay  {replay(case.text, selector)}"
    return entries
