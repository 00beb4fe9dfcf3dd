"""pytest wiring only: options, Hypothesis profiles, run-time shapes, the panel of adapters, the header."""

from __future__ import annotations

import os
import platform
from collections.abc import Generator, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import adapters
from adapters import compilation

try:
    from jaxtyping import _decorator, install_import_hook

    # or the first shape imports jax, only to shorten jax's tracebacks; tests/test_collection.py holds it
    _decorator._tb_flag = False  # noqa: SLF001, jaxtyping has no public switch for it
    # before they are imported: the modules whose signatures carry shapes
    SHAPED = ("network", "stable", "oracle", "double_double")
    install_import_hook([f"reference.{module}" for module in SHAPED], "beartype.beartype")
    SHAPES = "enforced"
except ModuleNotFoundError:
    SHAPES = "not enforced, jaxtyping is not installed"

if TYPE_CHECKING:
    from crosscheck.panel import Panel

# No deadline: a first call compiles. One bug at a time: a run of all adapters is one failure that lists all.
settings.register_profile("dev", max_examples=100, deadline=None, report_multiple_bugs=False)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.register_profile("nightly", settings.get_profile("dev"), max_examples=3000)
PROFILES = ("dev", "ci", "nightly")

PANEL = pytest.StashKey["Panel"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("gradient crosscheck")
    group.addoption(
        "--adapter", action="append", default=[], metavar="MODULE:OBJECT", help="try this adapter as well"
    )
    group.addoption(
        "--only", default="", metavar="NAMES", help="of our own adapters only these names or frameworks"
    )
    group.addoption("--profile", choices=PROFILES, help="how many examples, and whether they are random")
    group.addoption("--journal", default=".crosscheck/journal", metavar="DIR", help="inputs of failed calls")
    group.addoption(
        "--timeout-per-call", type=float, default=60.0, metavar="SECONDS", help="an adapter's time for a call"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile: the option, then CROSSCHECK_PROFILE, then ci where CI is set, else dev."""
    chosen = config.getoption("profile") or os.environ.get("CROSSCHECK_PROFILE")
    name = chosen or ("ci" if os.environ.get("CI") else "dev")
    if name not in PROFILES:
        raise pytest.UsageError(f"CROSSCHECK_PROFILE is {name!r}; use one of {', '.join(PROFILES)}")
    if name == "ci" and config.getoption("--hypothesis-seed") is not None:
        raise pytest.UsageError("profile ci is derandomised, --hypothesis-seed does nothing: --profile dev")
    settings.load_profile(name)
    selected(config)


def selected(config: pytest.Config) -> list[adapters.Spec]:
    """The adapters of this run; one that cannot be chosen is a usage error."""
    only = [name for name in config.getoption("only").split(",") if name]
    try:
        return adapters.select(only, config.getoption("adapter"))
    except adapters.AdapterError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The versions, without importing a framework."""
    packages = ("numpy", "ml_dtypes", "torch", "jax", "jaxlib", "hypothesis", "python-flint")
    names = ", ".join(spec.name for spec in selected(config))
    profile = settings.get_current_profile_name()
    return [
        f"crosscheck: {', '.join(f'{name} {_version(name)}' for name in packages)}",
        f"crosscheck: adapters {names}; profile {profile}; shapes {SHAPES}; {platform.machine()}",
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise ``adapter_name`` by the adapters of this run."""
    if "adapter_name" in metafunc.fixturenames:
        metafunc.parametrize("adapter_name", [spec.name for spec in selected(metafunc.config)])


@pytest.fixture(scope="session")
def panel(request: pytest.FixtureRequest) -> Iterator[Panel]:
    """All adapters of this run, each in a process of its own."""
    from crosscheck.panel import Panel

    options = request.config.option
    profile = settings.get_current_profile_name()
    panel = Panel.of(
        selected(request.config),
        journal=Path(options.journal),
        timeout=options.timeout_per_call,
        environment={} if profile == "ci" else compilation.cache(Path(".crosscheck/compiled")),
    )
    request.config.stash[PANEL] = panel
    yield panel
    panel.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test during which an adapter died fails, whatever else it found."""
    before = _casualties(item.config)
    result = yield
    deaths = [str(death) for name, death in _casualties(item.config).items() if name not in before]
    if deaths:
        pytest.fail("an adapter died; the others went on\n" + "\n".join(deaths), pytrace=False)
    return result


def _casualties(config: pytest.Config) -> dict[str, Exception]:
    panel = config.stash.get(PANEL, None)
    return {} if panel is None else dict(panel.casualties)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was judged, what could not be, and who died."""
    panel = config.stash.get(PANEL, None)
    if panel is None:
        return
    terminalreporter.section("crosscheck")
    for line in panel.account():
        terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in which an adapter died is not green, even where it died between two tests."""
    if _casualties(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
