"""`crosscheck report`, which writes a ledger as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from crosscheck import files
from crosscheck.escaping import escape_control_characters
from crosscheck.report.page import page
from crosscheck.results.ledger import LedgerError, read

WRITTEN = 0


def report_and_show(ledger: Path, older: Path | None, output: Path | None) -> int:
    """Write the report of a ledger, print its path, and return the exit code: 0, whatever the run's verdict.

    Args:
        ledger: the file.
        older: an older ledger to compare it with.
        output: the file to write; None: a file beside the ledger.

    Raises:
        LedgerError: a ledger cannot be used, or the page cannot be written.
    """
    target = output or ledger.with_suffix(".html")
    sources = [path for path in (ledger, older) if path is not None]
    ledgers = [read(path) for path in sources]
    if target.resolve() in [path.resolve() for path in sources]:
        raise LedgerError(f"{target}: the report would replace a ledger; choose another --output")
    text = page(*ledgers)
    _write(target, text)
    click.echo(f"Report: {escape_control_characters(str(target))} ({len(text.encode()) / 1e6:.1f} MB)")
    return WRITTEN


def _write(path: Path, text: str) -> None:
    try:
        files.replace(path, text.encode())
    except OSError as error:
        raise LedgerError(f"{path}: the report cannot be written: {error.strerror or error}") from None
