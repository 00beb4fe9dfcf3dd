"""The progress of a comparison on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crosscheck.cases import Case
from crosscheck.comparison.engine import Advance
from crosscheck.console import Interruption


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
