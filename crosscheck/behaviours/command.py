"""`crosscheck behaviours` starts the adapters, runs every probe on each, and prints where they differ."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from rich.console import Console

from adapters import Spec
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed
from adapters.isolated import ProcessAdapter
from crosscheck.behaviours.probe import Probe
from crosscheck.behaviours.report import heading, show
from crosscheck.behaviours.survey import EVERY, probe_adapter
from crosscheck.evaluation import check_unique_names
from crosscheck.results.lines import MISBEHAVED, Observation
from crosscheck.terminal.console import console_for, say

HEALTHY, UNHEALTHY = 0, 1


def survey_and_show(
    specs: Sequence[Spec],
    options: ProcessOptions,
    *,
    dtypes: Sequence[str],
    everything: bool = False,
    probes: Sequence[Probe] = EVERY,
) -> int:
    """Run the probes on the adapters, print where they differ, and return the exit code.

    The exit code is 0 if every adapter answered, and 1 if an adapter crashed or broke the contract.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have the same name.
        JournalError: the journal cannot be written.
    """
    console = console_for(terminal=sys.stdout.isatty())
    found: list[Observation] = []
    with ExitStack() as children, Console(stderr=True).status("starting the frameworks") as status:
        started = [children.enter_context(ProcessAdapter.start(spec, options)) for spec in specs]
        described, crashes = _described(started)
        lines = heading([adapter.description for adapter in described])
        say(console, f"Behaviours of adapters, Python {platform.python_version()}", *lines)
        for adapter in described:
            status.update(f"asking {adapter.name}")
            crashes += probe_adapter(adapter, options, found, dtypes, probes)
    show(found, probes, console, crashes=crashes, everything=everything)
    misbehaved = any(each.value.startswith(MISBEHAVED) for each in found if each.seen)
    return UNHEALTHY if crashes or misbehaved else HEALTHY


def _described(adapters: Sequence[ProcessAdapter]) -> tuple[list[ProcessAdapter], list[str]]:
    """Return the adapters that started, and a sentence on how each of the others crashed.

    Raises:
        AdapterError: one cannot be loaded, or two have the same name.
    """
    described: list[ProcessAdapter] = []
    crashes: list[str] = []
    for adapter in adapters:
        try:
            check_unique_names([*(other.description for other in described), adapter.description])
        except AdapterCrashed as crash:
            crashes.append(str(crash))
        else:
            described.append(adapter)
    return described, crashes
