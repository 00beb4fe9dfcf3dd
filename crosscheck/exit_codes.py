"""The exit codes of all commands."""

from __future__ import annotations

from typing import Final

WITHIN_BOUNDS: Final = 0
OUTSIDE: Final = 1  # outside the bounds, without a verdict, or an adapter that misbehaves
UNUSABLE: Final = 2  # unusable input, or an output that cannot be written
INTERNAL: Final = 3  # an error of the suite
CANNOT_BE_JUDGED: Final = 125  # of `check --bisect`, as `git bisect run` expects it
INTERRUPTED: Final = 130  # 128 plus the number of SIGINT, as shells define it
PIPE_CLOSED: Final = 141  # the reader of the output has gone
