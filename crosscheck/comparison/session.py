"""A whole comparison: the children started, the progress shown, the report printed, everything closed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters import Spec, compilation
from adapters.errors import AdapterDied
from adapters.isolated import Isolated
from crosscheck.cases import Case
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.engine import Advance, Record, compare
from crosscheck.comparison.plan import Plan
from crosscheck.comparison.report import console_for, heading, show
from crosscheck.comparison.result import Comparison
from crosscheck.message import replay
from crosscheck.trial import tell_apart

AGREEMENT, DISAGREEMENT, INTERRUPTED = 0, 1, 130
# Where the contract is checked: several rows, inputs and outputs, and a shape that the plan has anyway.
CONTRACT_SHAPE = (256, 7, 3, 2)


def compare_and_show(plan: Plan, specs: Sequence[Spec], *, journal: Path, timeout: float) -> int:
    """Compare the adapters as planned, print the report, and return the exit code.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have one name.
        JournalError: the journal cannot be written.
    """
    console = console_for(terminal=sys.stdout.isatty())
    start = time.monotonic()
    with ExitStack() as stack:
        subjects = {
            spec.name: stack.enter_context(
                Isolated.alone(spec, journal=journal, timeout=timeout, environment=_environment())
            )
            for spec in specs
        }
        with Console(stderr=True).status("starting the frameworks"):
            contestants, lost = _seated(subjects)
        for contestant in contestants.values():
            stack.callback(contestant.close)
        descriptions = [contestant.description for contestant in contestants.values()]
        for line in heading(plan, descriptions):
            console.print(line, markup=False, soft_wrap=True)
        record, broken = _compared(plan, contestants)
        seconds = time.monotonic() - start
        there = {name: contestant.subject for name, contestant in contestants.items()}
        comparison = Comparison(plan, descriptions, record, lost, broken, there, seconds)
        show(comparison, console)
    if record.interrupted:
        return INTERRUPTED
    return AGREEMENT if comparison.is_green else DISAGREEMENT


def _environment() -> dict[str, str]:
    """What the children keep for the next run; nothing where `CI` is set: a gate compiles afresh."""
    return compilation.FRESH if os.environ.get("CI") else compilation.cache()


def _seated(subjects: dict[str, Isolated]) -> tuple[dict[str, Contestant], list[str]]:
    """The adapters that started, by the name of their spec, and how the others died."""
    contestants: dict[str, Contestant] = {}
    lost: list[str] = []
    for name, subject in subjects.items():
        try:
            contestants[name] = Contestant(subject)
        except AdapterDied as death:
            lost.append(str(death))
    tell_apart(contestant.description for contestant in contestants.values())
    return contestants, lost


def _compared(plan: Plan, contestants: Mapping[str, Contestant]) -> tuple[Record, list[str]]:
    """What was found, and the violations of the contract, with the progress on the terminal."""
    with _interruption() as interrupted, _progress(len(plan), interrupted) as advance:
        record = compare(plan, list(contestants.values()), advance)
    return record, _violations(plan, record, contestants)


def _violations(plan: Plan, record: Record, contestants: Mapping[str, Contestant]) -> list[str]:
    """How the contestants break the contract on an ordinary case of each dtype, all of them at once."""
    if record.interrupted:
        return []
    cases = [Case("ordinary", plan.seed, CONTRACT_SHAPE, dtype=dtype) for dtype in plan.dtypes]
    problems = [(case, case.problem()) for case in cases]
    checks = [
        (case, selector, contestant.contract(problem))
        for selector, contestant in contestants.items()
        for case, problem in problems
    ]
    try:
        return [line for case, selector, check in checks for line in _told(case, selector, check.result())]
    except KeyboardInterrupt:
        record.interrupted = True
        return []


def _told(case: Case, selector: str, sentences: Sequence[str]) -> list[str]:
    """An entry for each sentence; the last one has the line that replays them all."""
    entries = [f"{case.dtype}: {sentence}" for sentence in sentences]
    if entries:
        entries[-1] += f"\n    replay  {replay(case.text, selector)}"
    return entries


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """Set by Ctrl-C, beside the exception, which is lost if it comes up inside a native callback."""
    interrupted = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.default_int_handler(number, frame)

    if before is not signal.default_int_handler:  # somebody else's business, or ignored on purpose
        yield interrupted
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(cases: int, interrupted: threading.Event) -> Iterator[Advance]:
    """A bar on a terminal, silence elsewhere; after Ctrl-C there is no next case."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<23}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=cases)

        def advance(case: Case) -> None:
            bar.update(task, advance=1, description=f"{case.dtype} {case.regime}")
            if interrupted.is_set():
                raise KeyboardInterrupt

        yield advance
