"""The console script. It imports nothing by itself, so that Ctrl-C is an exit code from the first moment."""

from __future__ import annotations

import sys

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells count


def main() -> None:
    """Do what the command line says, and exit."""
    try:
        from crosscheck.commands import command_line

        code = command_line()
    except KeyboardInterrupt:
        print("crosscheck: interrupted", file=sys.stderr)  # noqa: T201, click may not be there yet
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
