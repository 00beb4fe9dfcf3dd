"""The console, how lines and tables are printed to it, the progress of a comparison, and Ctrl-C."""

from __future__ import annotations

import signal
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


class Interruption:
    """Turns Ctrl-C into KeyboardInterrupt, at once or after a step that must be completed."""

    def __init__(self) -> None:
        self._requested = self._is_deferred = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle Ctrl-C while the block runs."""
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler:  # SIGINT has another handler, or is ignored on purpose
            yield
            return
        signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._requested = True
        if not self._is_deferred:
            signal.default_int_handler(number, frame)

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed, even if a native callback has swallowed it."""
        if self._requested:
            raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer Ctrl-C to the end of the block."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        self.check()


@contextmanager
def progress(cases: int, interruption: Interruption) -> Iterator[Advance]:
    """Show a bar on a terminal, and nothing elsewhere; after Ctrl-C, `advance` raises KeyboardInterrupt."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<23}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=cases)

        def advance(case: Case) -> None:
            bar.update(task, advance=1, description=f"{case.dtype} {case.regime}")
            interruption.check()

        yield advance
