"""Tests that end a run as if all were well; collected only where this file is named."""

from __future__ import annotations

import os

import pytest


def test_exits() -> None:
    os._exit(0)


@pytest.mark.skip(reason="planted")
def test_is_skipped() -> None:
    raise AssertionError
