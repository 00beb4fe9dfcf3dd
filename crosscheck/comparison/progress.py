"""What a comparison shows while it runs, and how Ctrl-C ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crosscheck.cases import Case
from crosscheck.comparison.engine import Advance


@contextmanager
def interruption() -> Iterator[threading.Event]:
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
def progress(cases: int, interrupted: threading.Event) -> Iterator[Advance]:
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
