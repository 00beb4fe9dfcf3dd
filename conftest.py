"""Loads the suite's pytest plugin; here is only what its own tests need beside it."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator

import pytest
from tracing import untraced

try:
    import beartype  # noqa: F401, it checks the shapes
    from jaxtyping import _decorator, install_import_hook

    # or the first shape imports jax, only to shorten jax's tracebacks;
    # tests/repository/test_collection.py holds it
    _decorator._tb_flag = False  # noqa: SLF001, jaxtyping has no public switch for it
    # before they are imported: the modules whose signatures carry shapes
    SHAPED = ("network", "stable", "oracle", "double_double")
    install_import_hook([f"reference.{module}" for module in SHAPED], "beartype.beartype")
    SHAPES = "enforced"
except ModuleNotFoundError:
    SHAPES = "not enforced, jaxtyping or beartype is not installed"

pytest_plugins = ["crosscheck.pytest_plugin", "crosscheck.pytest_plugin.recording"]


def pytest_report_header() -> str:
    """Say whether shapes are checked at run time."""
    return f"crosscheck: shapes {SHAPES}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Trace no test that is marked ``untraced``, nor the processes that it starts."""
    if item.get_closest_marker("untraced") is None:
        return (yield)
    with untraced():
        return (yield)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Restore the default handling of Ctrl-C for this test's processes, since background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGINT, before)
