"""The progress of a comparison on the terminal, and how Ctrl-C ends a comparison."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crosscheck.comparison.engine import Advance
from crosscheck.inputs import Case


@contextmanager
def interruption() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C sets; KeyboardInterrupt alone may be lost inside a native callback."""
    interrupted = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.default_int_handler(number, frame)

    if before is not signal.default_int_handler:  # another handler is installed, or SIGINT is ignored
        yield interrupted
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(cases: int, interrupted: threading.Event) -> Iterator[Advance]:
    """Show a bar on a terminal, and nothing elsewhere; after Ctrl-C, `advance` raises KeyboardInterrupt."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<23}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=cases)

        def advance(case: Case) -> None:
            bar.update(task, advance=1, description=f"{case.dtype} {case.regime}")
            if interrupted.is_set():
                raise KeyboardInterrupt

        yield advance
