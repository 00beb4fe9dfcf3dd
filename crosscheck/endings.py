"""How a command ends: the exit codes, and one clear line for every error.

0 within bounds, 1 outside, no verdict or an adapter that misbehaves, 2 unusable input, 3 an error of the
suite, 125 where ``check --bisect`` cannot judge, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

import click

AGREEMENT, DISAGREEMENT, UNUSABLE, INTERNAL, PIPE_CLOSED = 0, 1, 2, 3, 141
CANNOT_BE_JUDGED = 125
TRACEBACK = "CROSSCHECK_TRACEBACK"
# What a write comes to where nothing can be written; the journal has an error of its own.
NO_MORE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class OutputError(Exception):
    """What was found cannot be written to where it should go."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot write the output: {why}")


def exit_code(command: Callable[[], int | None]) -> int:
    """Run a command that gives its exit code, None for agreement; the code of whatever comes of it."""
    try:
        return _written(command) or AGREEMENT
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        click.echo(f"crosscheck: error: {error.format_message()}", err=True)
        return UNUSABLE
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _discard_output()
        return PIPE_CLOSED
    except Exception as error:  # noqa: BLE001, the last stop: one line instead of a traceback
        return _explained(_cause(error))


def _written(command: Callable[[], int | None]) -> int | None:
    if sys.stdout is None:
        raise OutputError("stdout is closed")
    code = command()
    sys.stdout.flush()
    return code


def _explained(error: Exception) -> int:
    """Say in one line what went wrong, and give the exit code for it."""
    from adapters.errors import AdapterError, JournalError, one_line
    from crosscheck.cases.literals import CaseError
    from crosscheck.inert import told
    from crosscheck.known import KnownError
    from crosscheck.ledger import LedgerError
    from crosscheck.sweep.errors import SweepError

    theirs = (AdapterError, JournalError, CaseError, KnownError, LedgerError, OutputError, SweepError)
    is_ours = not isinstance(error, theirs)
    if is_ours and os.environ.get(TRACEBACK):
        raise error
    what = told(one_line(error))
    if is_ours:
        what = f"internal error: {type(error).__name__}: {what}; {TRACEBACK}=1 shows where"
    click.echo(f"crosscheck: error: {what}", err=True)
    return INTERNAL if is_ours else UNUSABLE


def _discard_output() -> None:
    """Have what is left to be written go nowhere, or Python would try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cause(error: Exception) -> Exception:
    """The error; where it is that of a device which takes no more, and of no file, the one of the output."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in NO_MORE:
        return error
    _discard_output()
    return OutputError(os.strerror(error.errno))
