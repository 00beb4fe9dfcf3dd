"""The console of the commands: printing to it, the command line, and Ctrl-C."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console, RenderableType

from crosscheck.formatting import output_width


class _Quiet(Console):
    """A console that raises BrokenPipeError, which the command line handles."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError; rich itself would end the process."""
        raise BrokenPipeError


def console_for(*, terminal: bool) -> Console:
    """Return the console for the report; off a terminal it has no colours, and lines of `PIPED` columns."""
    return _Quiet(width=output_width(terminal=terminal), highlight=False, soft_wrap=False)


def say(console: Console, *lines: str) -> None:
    """Print the lines unchanged."""
    for line in lines:
        console.out(line, highlight=False)


def draw(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print tables without spaces at the ends of their lines."""
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    say(console, "", *(line.rstrip() for line in captured.get().splitlines()))


def command() -> str:
    """Return the command line of this process, quoted for a shell."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


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
