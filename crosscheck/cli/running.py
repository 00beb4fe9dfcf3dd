"""Run a command; turn what it returns or raises into an exit code, and an error into one line."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

import click

from crosscheck.errors import OutputError, UserError
from crosscheck.exit_codes import ExitCode

TRACEBACK = "CROSSCHECK_TRACEBACK"
# Errors of writing to a full or broken device; errors of the journal are reported as `JournalError` instead.
NO_MORE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def exit_code(command: Callable[[], int | None]) -> int:
    """Run a command that returns its exit code, or None for 0; report the error that it raises.

    Returns:
        The exit code of the process.
    """
    try:
        return _run_and_flush(command) or ExitCode.PASSED
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        click.echo(f"crosscheck: error: {error.format_message()}", err=True)
        return ExitCode.UNUSABLE
    except BrokenPipeError:  # the reader, such as head, reads no further
        _discard_output()
        return ExitCode.PIPE_CLOSED
    except Exception as error:  # noqa: BLE001, every other error becomes one line instead of a traceback
        return _report_error(_as_output_error(error))


def _run_and_flush(command: Callable[[], int | None]) -> int | None:
    if sys.stdout is None:
        raise OutputError("stdout is closed")
    code = command()
    sys.stdout.flush()
    return code


def _report_error(error: Exception) -> int:
    """Print one line that describes the error, and return the exit code for it."""
    from adapters.errors import AdapterError, JournalError, one_line
    from crosscheck.text import escape_and_shorten

    is_ours = not isinstance(error, (AdapterError, JournalError, UserError))
    if is_ours and os.environ.get(TRACEBACK):
        raise error
    what = escape_and_shorten(one_line(error))
    if is_ours:
        what = f"internal error: {type(error).__name__}: {what}; {TRACEBACK}=1 shows where"
    click.echo(f"crosscheck: error: {what}", err=True)
    return ExitCode.INTERNAL if is_ours else ExitCode.UNUSABLE


def _discard_output() -> None:
    """Redirect stdout to the null device, since Python would try to write the rest again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_output_error(error: Exception) -> Exception:
    """Turn an error of a full or broken device, which names no file, into an `OutputError`."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in NO_MORE:
        return error
    _discard_output()
    return OutputError(os.strerror(error.errno))
