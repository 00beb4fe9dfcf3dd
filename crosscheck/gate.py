"""`crosscheck gate`: reads two ledgers, prints what changed between them, and returns the exit code."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from crosscheck.console import console_for
from crosscheck.exit_codes import ExitCode
from crosscheck.results.changes import Change, gate, has_regressed, place_of
from crosscheck.results.ledger import Ledger, LedgerError, read, write
from crosscheck.results.lines import Acceptance
from crosscheck.terminal.gate import condense, markdown, show, verdict
from crosscheck.text import escape_control_characters


def gate_and_show(
    baseline: Path,
    new: Path,
    *,
    accept: str | None = None,
    summary: Path | None = None,
    everything: bool = False,
) -> int:
    """Print whether anything is worse and what changed from a baseline to a new ledger; return the exit code.

    The exit code is 0 if nothing is worse or the changes are accepted, and 1 for a regression. If the
    baseline is a symbolic link, accepting replaces the link by a file; the link's target stays as it was.

    Args:
        baseline: the file of the baseline, which may be missing with ``accept``.
        new: the file of the new ledger.
        accept: the reason why the new ledger becomes the baseline; None: it does not.
        summary: a file to which the same report is appended in Markdown.
        everything: whether each change is shown; see `crosscheck.terminal.gate.condense`.

    Raises:
        LedgerError: a ledger cannot be read, gated or written.
    """
    latest = read(new)
    first = accept is not None and not os.path.exists(baseline)  # noqa: PTH110, pathlib's method may raise
    old = latest if first else read(baseline)
    found = gate(old, latest)
    code = ExitCode.FAILED if accept is None and has_regressed(found) else ExitCode.PASSED
    said = f"{verdict(found, str(baseline), str(new))} Exit code {code}."
    if first:
        said = f"No baseline was there: {new} becomes the first. Exit code {code}."
    console = console_for(terminal=sys.stdout.isatty())
    show(found, console, [said, compared(old, latest)], everything=everything)
    if summary is not None:
        title = f"{baseline.name} and {new.name}"
        _append(summary, markdown(found, title, said, everything=everything))
    if accept is None:
        return code
    earlier = () if first else old.acceptances
    why = accept.encode("utf-8", "backslashreplace").decode()  # a command line may contain any bytes
    accepted = Acceptance(when=_now(), why=why, changes=tuple(_one_line(each) for each in condense(found)))
    write(baseline, replace(latest, acceptances=(*earlier, accepted)))
    click.echo(f"Accepted as the new baseline: {escape_control_characters(str(baseline))}")
    return ExitCode.PASSED


def compared(baseline: Ledger, new: Ledger) -> str:
    """Return a sentence: how many cells both ledgers have, of how many adapters, and if the cases match."""
    was, now = ({place_of(cell): s for cell, s in ledger.cells.items()} for ledger in (baseline, new))
    both = was.keys() & now.keys()
    same = sum(was[place].cases == now[place].cases for place in both)
    adapters = len({place[0] for place in both})
    return (
        f"Compared: {len(both):,} cells of {adapters} adapter{'s' * (adapters != 1)}, "
        f"{'all' if same == len(both) else f'{same:,}'} with the same cases."
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _one_line(change: Change | str) -> str:
    if isinstance(change, str):
        return change
    where = f"{change.where}: " if change.where else ""
    return f"{change.kind}: {where}{change.what} {change.old} -> {change.new}"


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise LedgerError(f"{path}: the summary cannot be written: {error.strerror or error}") from None
