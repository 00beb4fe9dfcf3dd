"""pytest's options, profiles and fixtures for the suite: the pool of adapters, the matrix, the summary."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Generator, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

import adapters
from adapters import compilation
from adapters.process_options import COMPILE_TIMEOUT, TIMEOUT, ProcessOptions, load
from adapters.threads import replaced
from crosscheck.pytest_plugin.parameters import matrix_parameters, parameter_of_relations, selected
from crosscheck.results.run_summary import RunSummary

if TYPE_CHECKING:
    from crosscheck.pool import AdapterPool
    from crosscheck.pytest_plugin.matrix_run import MatrixRun
    from crosscheck.pytest_plugin.recording import Recording

# No deadline: a first call compiles. One bug at a time: a run of all adapters is one failure that lists all.
settings.register_profile("dev", max_examples=100, deadline=None, report_multiple_bugs=False)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.register_profile("nightly", settings.get_profile("dev"), max_examples=3000)
PROFILES = ("dev", "ci", "nightly")

POOL = pytest.StashKey["AdapterPool"]()
MATRIX = pytest.StashKey["MatrixRun"]()
RUN_SUMMARY = pytest.StashKey[RunSummary]()
PROCESS_OPTIONS = pytest.StashKey[ProcessOptions]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("gradient crosscheck")
    group.addoption(
        "--adapter", action="append", default=[], metavar="MODULE:OBJECT", help="run this adapter, too"
    )
    group.addoption(
        "--only",
        action="append",
        default=[],
        metavar="NAMES",
        help="run only these of the suite's adapters: names, frameworks, patterns",
    )
    group.addoption("--profile", choices=PROFILES, help="number of examples, and whether they are random")
    group.addoption(
        "--journal", default=".crosscheck/journal", metavar="DIR", help="keep the inputs of failed calls here"
    )
    group.addoption(
        "--timeout-per-call",
        type=float,
        default=TIMEOUT,
        metavar="SECONDS",
        help="time limit for one call of an adapter",
    )
    group.addoption(
        "--compile-timeout",
        type=float,
        default=COMPILE_TIMEOUT,
        metavar="SECONDS",
        help="time limit for a call that may compile",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile: the option, then CROSSCHECK_PROFILE, then ci where CI is set, else dev."""
    if config.getoption("--hypothesis-profile"):
        raise pytest.UsageError("the suite's own profiles are chosen by --profile, not --hypothesis-profile")
    chosen = config.getoption("profile") or os.environ.get("CROSSCHECK_PROFILE")
    name = chosen or ("ci" if os.environ.get("CI") else "dev")
    if name not in PROFILES:
        raise pytest.UsageError(f"CROSSCHECK_PROFILE is {name!r}; use one of {', '.join(PROFILES)}")
    if name == "ci" and config.getoption("--hypothesis-seed") is not None:
        raise pytest.UsageError("profile ci is derandomised, so --hypothesis-seed would do nothing")
    for option in ("timeout_per_call", "compile_timeout"):
        if not 0 < config.getoption(option) < math.inf:
            raise pytest.UsageError(f"--{option.replace('_', '-')} needs a positive number of seconds")
    os.environ.pop("COLUMNS", None)  # pytest-xdist sets it; what tests print is as wide as in a pipe
    settings.load_profile(name)
    selected(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return lines with the versions and the adapters, without importing a framework."""
    packages = ("numpy", "ml_dtypes", "torch", "jax", "jaxlib", "hypothesis", "python-flint")
    names = ", ".join(spec.name for spec in selected(config))
    profile = settings.get_current_profile_name()
    return [
        f"crosscheck: {', '.join(f'{name} {_version(name)}' for name in packages)}",
        f"crosscheck: adapters {names}; profile {profile}; {platform.machine()}; {load()}",
        *(f"crosscheck: XLA_FLAGS: {flag} is ignored: names of adapters decide it" for flag in replaced()),
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
    if "named_spec" in metafunc.fixturenames:
        specs = selected(metafunc.config, adapters.NAMED)
        metafunc.parametrize("named_spec", [parameter_of_relations(spec) for spec in specs])
    for fixture in ("named_item", "combined_item"):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(("spec", fixture), matrix_parameters(metafunc.config, fixture))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked ``long`` under dev; except under nightly, put all tests of the pool on one worker."""
    profile = settings.get_current_profile_name()
    for item in items:
        if profile == "dev" and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="long: --profile ci or nightly runs it"))
        if profile != "nightly" and "pool" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("the pool"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Start the adapters before the first test, so that an unusable one is reported as a usage error."""
    of_xdist = hasattr(session.config, "workerinput")  # a usage error there would be an internal error
    wanted = any("pool" in item.fixturenames for item in session.items if isinstance(item, pytest.Function))
    if wanted and not session.config.option.collectonly and not of_xdist:
        _start(session.config)


def _process_options(config: pytest.Config) -> ProcessOptions:
    """Return the options of the adapters' processes; profile ci compiles everything afresh."""
    if PROCESS_OPTIONS in config.stash:
        return config.stash[PROCESS_OPTIONS]
    fresh = settings.get_current_profile_name() == "ci"
    environment = compilation.FRESH if fresh else compilation.cache()
    given = config.option
    process_options = ProcessOptions(
        Path(given.journal), given.timeout_per_call, environment, given.compile_timeout
    )
    config.stash[PROCESS_OPTIONS] = process_options
    return process_options


def _start(config: pytest.Config) -> None:
    from crosscheck.pool import AdapterPool

    try:
        pool = AdapterPool.start(selected(config), _process_options(config))
    except (adapters.AdapterError, adapters.JournalError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[POOL] = pool
    config.add_cleanup(pool.close)


@pytest.fixture(scope="session")
def process_options(request: pytest.FixtureRequest) -> ProcessOptions:
    """Return the options of the adapters' processes of this run."""
    return _process_options(request.config)


@pytest.fixture(scope="session")
def pool(request: pytest.FixtureRequest) -> AdapterPool:
    """Return the pool of all adapters of this run, each in a process of its own."""
    if POOL not in request.config.stash:
        try:
            _start(request.config)
        except pytest.UsageError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
    return request.config.stash[POOL]


@pytest.fixture(scope="session")
def frameworks(request: pytest.FixtureRequest) -> frozenset[str]:
    """Return the names of the frameworks of this run."""
    return frozenset(filter(None, (spec.framework for spec in selected(request.config))))


@pytest.fixture(scope="session")
def matrix(request: pytest.FixtureRequest, recording: Recording) -> Iterator[MatrixRun]:
    """Yield the runner of the matrix, whose adapters' processes start when they are first needed."""
    from crosscheck.pool import AdapterPool
    from crosscheck.pytest_plugin.matrix_run import MatrixRun
    from crosscheck.results.known import KnownDifferences
    from crosscheck.results.record import Results

    config = request.config
    pool = AdapterPool.start([], _process_options(config), shared=True)
    config.add_cleanup(pool.close)
    matrix = MatrixRun(pool, Results(KnownDifferences.shipped(), is_measured=recording.path is not None))
    config.stash[MATRIX] = matrix
    yield matrix
    recording.add(matrix.results, pool.descriptions)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test during which an adapter crashed or gave no answer in time, whatever its own outcome."""
    report = yield
    pool = item.config.stash.get(POOL, None)
    crashes = pool.unreported_crashes() if pool is not None and call.when == "call" else {}
    if not crashes:
        return report
    text = "\n".join(line for what, lines in crashes.items() for line in (what, *lines))
    if report.failed:
        report.sections.append(("adapters that are out", text))
    else:
        report.outcome, report.longrepr = "failed", text
    return report


def _run_summary(config: pytest.Config) -> RunSummary:
    """Return the run summary of this process, and under xdist of all workers."""
    total = RunSummary()
    total.add(config.stash.get(RUN_SUMMARY, total).plain())
    if POOL in config.stash:
        total.add(config.stash[POOL].run_summary.plain())
    if MATRIX in config.stash:
        total.add(config.stash[MATRIX].run_summary.plain())
    total.tried_again.update(_process_options(config).turns.notes)
    return total


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the run summary of an xdist worker that has ended."""
    workers = node.config.stash.setdefault(RUN_SUMMARY, RunSummary())
    workers.add(getattr(node, "workeroutput", {}).get("crosscheck", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was judged, what could not be judged, which adapters crashed, and what took long."""
    run_summary = _run_summary(config)
    if any(run_summary.plain().values()):
        terminalreporter.section("crosscheck")
        for line in run_summary.lines():
            terminalreporter.write_line(line)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the adapters' processes; fail the run if an adapter crashed, gave no answer or was never judged.

    Crashes between tests count, too. The processes end here so that pytest-cov finds their data on coverage.
    """
    if POOL in session.config.stash:
        session.config.stash[POOL].close()
    if MATRIX in session.config.stash:
        session.config.stash[MATRIX].pool.close()
    run_summary = _run_summary(session.config)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["crosscheck"] = run_summary.plain()
    elif not run_summary.is_green and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
