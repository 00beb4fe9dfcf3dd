"""The progress display of a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from crosscheck.console import say
from crosscheck.escaping import escape_control_characters
from crosscheck.summary import Cell, Summary

MINUTE: Final = 60.0  # seconds between two lines where there is no bar


class _Rate(ProgressColumn):
    """A column with the number of problems per second."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        return Text(f"{task.speed or 0:,.0f} problems/s")


class Bar:
    """The progress display of a sweep: a bar on a terminal, elsewhere a line every minute."""

    def __init__(self, bar: Progress, task: TaskID, shards: int) -> None:
        self._bar, self._task, self._shards = bar, task, shards
        self._done, self._worst, self._where = 0, -1.0, ""
        self._printed = time.monotonic()

    def advance(self, problems: int, cells: Mapping[Cell, Summary]) -> None:
        """Count a finished shard and its problems."""
        self._done += 1
        for cell, summary in cells.items():
            if summary.error is not None and summary.error.value > self._worst:
                self._worst = summary.error.value
                self._where = f"worst {self._worst:.3g} ulp, {cell.adapter} {cell.dtype}"
        self._bar.update(self._task, advance=problems, shards=self.shards, worst=self._where)
        if not self._bar.console.is_terminal and time.monotonic() - self._printed >= MINUTE:
            self._printed = time.monotonic()
            self.say(self._line())

    def _line(self) -> str:
        """Return one line with the same content as the bar."""
        task = self._bar.tasks[self._task]
        spent = task.finished_time or task.elapsed or 0.0
        rate = task.completed / spent if spent else 0.0
        left = f"{((task.total or 0) - task.completed) / rate:,.0f} s left" if rate else "no rate yet"
        return ", ".join(filter(None, [self.shards, f"{rate:,.0f} problems/s", left, self._where]))

    @property
    def shards(self) -> str:
        """The number of finished shards and of all shards, as text."""
        return f"{self._done:,}/{self._shards:,} shards"

    def say(self, line: str) -> None:
        """Print a line above the bar, with the control characters escaped that an adapter may have put in."""
        self._bar.console.out(escape_control_characters(line), highlight=False)


@contextmanager
def progress(shards: int, problems: int) -> Iterator[Bar]:
    """Show the progress of a sweep with these numbers of shards and problems."""
    console = Console(stderr=True)
    texts = (TextColumn(f"{{task.fields[{name}]}}") for name in ("shards", "worst"))
    columns = (next(texts), BarColumn(), _Rate(), TimeRemainingColumn(), next(texts))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=problems, shards="", worst="")
        shown = Bar(bar, task, shards)
        if not console.is_terminal:
            say(console, f"{shards:,} shards with {problems:,} problems to do")
        yield shown
        if not console.is_terminal:
            say(console, f"{shown.shards} done")
