"""Stop the tracing of coverage for a while, since it makes Python two thirds slower, children included."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CHILDREN = "COVERAGE_PROCESS_CONFIG"  # with it coverage traces what a process starts


@contextmanager
def untraced() -> Iterator[None]:
    """Trace neither the block nor the processes that it starts; without coverage this does nothing."""
    coverage = sys.modules.get("coverage")
    current = coverage and coverage.Coverage.current()
    if current is None:
        yield
        return
    current.stop()
    config = os.environ.pop(CHILDREN, None)
    try:
        yield
    finally:
        if config is not None:
            os.environ[CHILDREN] = config
        current.start()
