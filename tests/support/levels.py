"""The instruction sets of this CPU, for tests of them."""

from __future__ import annotations

import pytest

from adapters.instructions import LEVELS, unavailable

HERE = tuple(level for level in LEVELS if unavailable(level) is None)


def needs(level: str) -> pytest.MarkDecorator:
    """A mark that skips a test, with the reason, where this CPU cannot be held to the level."""
    reason = unavailable(level)
    return pytest.mark.skipif(reason is not None, reason=reason or "")
