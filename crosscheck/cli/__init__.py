"""The console script. It imports nothing heavy itself, so that Ctrl-C always gives the exit code 130."""

from __future__ import annotations

import sys


def main() -> None:
    """Execute the command line, and exit with its code."""
    try:
        from crosscheck.cli.commands import command_line

        code = command_line()
    except KeyboardInterrupt:
        from crosscheck.exit_codes import ExitCode

        print("crosscheck: interrupted", file=sys.stderr)  # noqa: T201, click may not be imported yet
        code = ExitCode.INTERRUPTED
    sys.exit(code)
