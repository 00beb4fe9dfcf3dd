"""pytest's options ``--ledger`` and ``--gate``, which write and compare ledgers; no run passes without tests.

The ledger has the results that depend on seeds only: the matrix, the survey of behaviours, the known
differences. Hypothesis's examples are left out, since they depend on constants in the imported modules.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from adapters.protocol import Description
    from crosscheck.results.changes import Change
    from crosscheck.results.ledger import Ledger
    from crosscheck.results.lines import Observation
    from crosscheck.results.record import Results

NAME: Final = "crosscheck-recording"
DEFAULT: Final = Path(".crosscheck/ledger.jsonl")
SEED: Final = 0  # of every case of the matrix
PROFILES: Final = {"dev": "pytest-quick", "ci": "pytest", "nightly": "pytest-nightly"}  # one for each plan
OUTPUT: Final = "crosscheck_ledger"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("gradient crosscheck")
    group.addoption("--ledger", metavar="FILE", help="write there what was found, with behaviours")
    group.addoption("--gate", metavar="BASELINE", help="fail where anything is worse than in this ledger")


def pytest_configure(config: pytest.Config) -> None:
    """Write a ledger that says only that a run has begun; a baseline that cannot be used is a usage error."""
    recording = Recording(config)
    if recording.path is not None and not recording.is_worker and not config.option.collectonly:
        recording.begin(recording.path)
    config.pluginmanager.register(recording, NAME)


@pytest.fixture(scope="session")
def recording(pytestconfig: pytest.Config) -> Recording:
    """Return the recording of this process."""
    found = pytestconfig.pluginmanager.get_plugin(NAME)
    assert isinstance(found, Recording)
    return found


@contextmanager
def _usage_errors() -> Iterator[None]:
    from crosscheck.results.ledger import LedgerError

    try:
        yield
    except LedgerError as error:
        raise pytest.UsageError(str(error)) from None


class Recording:
    """The results of one process of a run; xdist's workers send theirs to the controller.

    Attributes:
        path: the path of the ledger; None if no option asks for one.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.baseline = config.getoption("gate")
        given = config.getoption("ledger") or (DEFAULT if self.baseline is not None else None)
        self.path = None if given is None else Path(given)
        self.is_worker = hasattr(config, "workerinput")
        self._results: list[Results] = []
        self._descriptions: dict[str, Description] = {}
        self._observations: list[Observation] = []
        self._failed: Counter[str] = Counter()
        self._passed = 0
        self._given: list[Mapping[str, list[bytes]]] = []
        self._trouble: list[str] = []
        self._changes: list[Change] | None = None

    # ------------------------------------------------------------------------------- what tests say

    def add(self, results: Results, descriptions: Mapping[str, Description]) -> None:
        """Add the results of adapters, given with the descriptions of the adapters by selector."""
        self._results.append(results)
        self._descriptions.update(descriptions)

    def describe(self, descriptions: Mapping[str, Description]) -> None:
        """Add the descriptions of adapters, by selector."""
        self._descriptions.update(descriptions)

    def observe(self, observations: Sequence[Observation]) -> None:
        """Add observations of probes."""
        self._observations += observations

    # ----------------------------------------------------------------------------------- no false green

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Replace ``os._exit``, so that ``os._exit(0)`` cannot end the run as if all tests had passed."""
        really, pid = os._exit, os.getpid()

        def loudly(status: int) -> None:
            if os.getpid() == pid:  # not in a forked child
                if (capture := session.config.pluginmanager.get_plugin("capturemanager")) is not None:
                    capture.suspend(in_=True)  # or nobody would ever read it
                where = os.environ.get("PYTEST_CURRENT_TEST", "no test")
                os.write(2, f"\ncrosscheck: os._exit({status}) in {where}: the run did not finish\n".encode())
                status = status or int(pytest.ExitCode.INTERNAL_ERROR)
            really(status)

        os._exit = loudly  # type: ignore[assignment]  # it never returns, like its model
        session.config.add_cleanup(lambda: setattr(os, "_exit", really))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count passed and failed tests."""
        if report.failed:
            self._failed[report.nodeid.rpartition("]@")[0] or report.nodeid] += 1
        self._passed += report.when == "call" and report.passed

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the results of an xdist worker."""
        if given := getattr(node, "workeroutput", {}).get(OUTPUT):
            self._given.append(given)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the ledger and compare it with the baseline; a run in which no test passed fails."""
        if self.is_worker:
            if self.path is not None:
                session.config.workeroutput[OUTPUT] = self._lines()  # type: ignore[attr-defined]  # of xdist
            return
        if session.config.option.collectonly:
            return
        if session.exitstatus == pytest.ExitCode.OK and not self._passed:
            self._trouble.append("no test passed: all were skipped, so nothing was shown")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.path is not None:
            self._finish(session, self.path)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the path of the ledger, and the changes that the gate found."""
        if self.path is None and not self._trouble:
            return
        terminalreporter.section("ledger")
        if self._changes is not None:
            from rich.console import Console

            from crosscheck.terminal.gate import show

            show(self._changes, Console(file=sys.stdout, highlight=False))
        for line in self._trouble:
            terminalreporter.write_line(line, red=True)
        if self.path is not None:
            terminalreporter.write_line(f"ledger: {self.path}")

    # ---------------------------------------------------------------------------------------- the ledger

    def begin(self, path: Path) -> None:
        """Check that the baseline can be used, and write a ledger that `read` refuses as unfinished."""
        from crosscheck.results.ledger import begin, read

        with _usage_errors():
            if self.baseline is not None:
                read(Path(self.baseline))
            begin(path, self._header())

    def _header(self) -> Any:
        from crosscheck.results.environment import command, header

        profile = PROFILES[str(settings.get_current_profile_name())]
        return header(profile, SEED, self._descriptions, command())

    def _lines(self) -> dict[str, list[bytes]]:
        """Encode the results of this process for the controller, those of cases by number left out."""
        from crosscheck.results.ledger import encoded
        from crosscheck.results.lines import CellLine
        from crosscheck.results.measure import LITERAL

        cells = (item for results in self._results for item in results.summaries.items())
        lines = (CellLine(cell=cell, summary=summary) for cell, summary in cells if cell.regime != LITERAL)
        return {
            "records": [encoded(each) for each in (*lines, *self._observations)],
            "adapters": [
                json.dumps([selector, asdict(said)]).encode() for selector, said in self._descriptions.items()
            ],
        }

    def _finish(self, session: pytest.Session, path: Path) -> None:
        from crosscheck.results.changes import gate, has_regressed
        from crosscheck.results.ledger import LedgerError, read, write

        ledger = self._ledger(session)
        try:
            write(path, ledger)
            if self.baseline is not None:
                self._changes = gate(read(Path(self.baseline)), read(path))
        except LedgerError as error:
            self._trouble.append(str(error))
        if self._trouble or has_regressed(self._changes or ()):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _ledger(self, session: pytest.Session) -> Ledger:
        from adapters.protocol import Description
        from crosscheck.results.known import KnownDifferences
        from crosscheck.results.ledger import DECODER, Ledger
        from crosscheck.results.lines import (
            COMPLETE,
            INTERRUPTED,
            CellLine,
            Fault,
            Observation,
            known_lines,
        )
        from crosscheck.results.summary import Cell, Summary, add

        given = [self._lines(), *self._given]
        for selector, plain in (json.loads(text) for part in given for text in part["adapters"]):
            self._descriptions[selector] = Description.of_plain(plain)
        records = [DECODER.decode(text) for part in given for text in part["records"]]
        cells: dict[Cell, Summary] = {}
        for record in records:
            if isinstance(record, CellLine):
                add(cells, {record.cell: record.summary})
        entries = KnownDifferences.shipped().applicable(self._descriptions.values())
        stopped = session.shouldstop or session.shouldfail
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not stopped
        return Ledger(
            self._header(),
            cells,
            tuple(record for record in records if isinstance(record, Observation)),
            known_lines(entries, cells),
            tuple(Fault(who=name, what="failed") for name in self._failed),
            ending=COMPLETE if ended else INTERRUPTED,
            verdict=int(session.exitstatus != pytest.ExitCode.OK),
        )
