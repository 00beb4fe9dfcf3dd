"""The instruction sets of this CPU, for tests of them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.instructions import LEVELS, unavailable

OLDEST = "sse42"
HERE = tuple(level for level in LEVELS if unavailable(level) is None)


def needs(level: str) -> pytest.MarkDecorator:
    """Make a mark that skips a test, with the reason, where this CPU does not support the level."""
    reason = unavailable(level)
    return pytest.mark.skipif(reason is not None, reason=reason or "")


def levels(*, all_quick: bool = False) -> list[Any]:
    """Return all levels as parameters; those after the oldest are marked ``long`` unless all are quick."""
    long = pytest.mark.long
    return [
        pytest.param(level, marks=[needs(level), *[long] * (not (all_quick or level == OLDEST))])
        for level in LEVELS
    ]
