"""The exit codes of all commands."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes.

    Attributes:
        PASSED: within bounds, and nothing is worse than the baseline.
        FAILED: outside the bounds, without a verdict, an adapter that misbehaves, or worse than the baseline.
        UNUSABLE: unusable input, or an output that cannot be written.
        INTERNAL: an error of the suite.
        CANNOT_BE_JUDGED: `check --bisect` cannot judge; `git bisect run` skips the revision.
        INTERRUPTED: Ctrl-C; 128 plus the number of SIGINT, as shells define it.
        PIPE_CLOSED: the reader of the output has gone; 128 plus the number of SIGPIPE.
    """

    PASSED = 0
    FAILED = 1
    UNUSABLE = 2
    INTERNAL = 3
    CANNOT_BE_JUDGED = 125
    INTERRUPTED = 130
    PIPE_CLOSED = 141
