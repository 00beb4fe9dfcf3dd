"""What a sweep shows on the terminal: the progress, then the verdict, the table and the faults."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from crosscheck.console import draw, say
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import COMPLETE, NO_VERDICT, Fault, Header
from crosscheck.results.summary import Cell, Summary
from crosscheck.sweep.record import SweepResults
from crosscheck.terminal.table import sentence, tables
from crosscheck.text import escape_control_characters, wrap_line

MINUTE: Final = 60.0  # seconds between two lines where there is no bar
MOST_FAULTS: Final = 20  # that are shown; the ledger has the others too


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


def heading(header: Header) -> Iterator[str]:
    """Yield the lines that say what is swept, with the versions."""
    yield f"Gradient Crosscheck {header.suite}, Python {platform.python_version()}, seed {header.seed}"
    yield header.profile[:1].upper() + header.profile[1:]
    yield from (
        f"  {escape_control_characters(one.name)}: {escape_control_characters(one.about)}"
        for one in header.adapters
    )


def show(results: SweepResults, ledger: Ledger, console: Console, counted: str, *, details: bool) -> None:
    """Print the report of the results and their ledger: the verdict, the table, faults and figures.

    ``counted`` is a line with the number of problems and the time that they took. With details the table
    shows each output, with the extremes.
    """
    if not results.done and not results.failed_shards:
        say(console, "", "No shard is finished, so nothing is judged yet.")
        return
    said = sentence(", ".join(one.name for one in results.header.adapters), results.reasons, results.rows)
    say(
        console, "", *wrap_line(escape_control_characters(f"{_extent(results, ledger)}{said}"), console.width)
    )
    draw(console, tables(results.rows, console.width, details=details))
    say(console, "", *_faults(results.faults))
    end = f"{'Not all within' if ledger.verdict else 'Within'} bounds: {counted}; results {ledger.results}"
    say(console, *wrap_line(end, console.width))


def _faults(faults: Iterable[Fault]) -> Iterator[str]:
    for title, is_late in (("Faults:", False), ("No verdict:", True)):
        found = sorted(
            (fault.who, fault.what) for fault in faults if fault.what.startswith(NO_VERDICT) == is_late
        )
        if found:
            yield title
            yield from (
                f"  {escape_control_characters(who)}: {escape_control_characters(what)}"
                for who, what in found[:MOST_FAULTS]
            )
            if len(found) > MOST_FAULTS:
                yield f"  and {len(found) - MOST_FAULTS:,} more, which a ledger has"
            yield ""


def _extent(results: SweepResults, ledger: Ledger) -> str:
    """Return a sentence with the number of shards if some are missing, otherwise an empty text."""
    sweep = results.header.sweep
    if ledger.ending == COMPLETE or sweep is None:
        return ""
    return f"Not complete: {len(results.done):,} of {sweep.of:,} shards, and this is of those. "
