"""The console, how lines and tables are printed to it, the progress of a comparison, and Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crosscheck.inputs import Case
from crosscheck.text import output_width

Advance = Callable[[Case], None]


class _Quiet(Console):
    """A console that raises BrokenPipeError, which the command line handles."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError; rich itself would end the process."""
        raise BrokenPipeError


def console_for(*, terminal: bool) -> Console:
    """Return the console for the report; off a terminal it has no colours, and lines of `PIPED` columns."""
    return _Quiet(width=output_width(terminal=terminal), highlight=False, soft_wrap=False)


def draw(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print tables without spaces at the ends of their lines."""
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    say(console, "", *(line.rstrip() for line in captured.get().splitlines()))


def say(console: Console, *lines: str) -> None:
    """Print the lines unchanged."""
    for line in lines:
        console.out(line, highlight=False)


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
