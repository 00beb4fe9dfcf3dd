"""`crosscheck behaviours`: the children started, every probe put to each, the report printed."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from rich.console import Console

from adapters import Spec
from adapters.conditions import Conditions
from adapters.errors import AdapterDied
from adapters.isolated import Isolated
from crosscheck.behaviours.asked import asked
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.report import heading, show
from crosscheck.behaviours.survey import EVERY, MISBEHAVED
from crosscheck.comparison.report import console_for
from crosscheck.trial import tell_apart

HEALTHY, UNHEALTHY = 0, 1


def survey_and_show(
    specs: Sequence[Spec],
    conditions: Conditions,
    *,
    dtypes: Sequence[str],
    everything: bool = False,
    probes: Sequence[Probe] = EVERY,
) -> int:
    """Put the probes to the adapters, print where they differ, and return the exit code.

    0: whoever was asked answered, whatever it said. 1: an adapter died or broke the contract.

    Raises:
        AdapterError: an adapter cannot be loaded, or two have one name.
        JournalError: the journal cannot be written.
    """
    console = console_for(terminal=sys.stdout.isatty())
    found: list[Observation] = []
    with ExitStack() as children, Console(stderr=True).status("starting the frameworks") as status:
        started = [children.enter_context(Isolated.alone(spec, conditions)) for spec in specs]
        living, deaths = _described(started)
        lines = heading([subject.description for subject in living])
        _print(console, f"Behaviours of adapters, Python {platform.python_version()}", *lines)
        for subject in living:
            status.update(f"asking {subject.name}")
            deaths += asked(subject, conditions, found, dtypes, probes)
    show(found, probes, console, deaths=deaths, everything=everything)
    misbehaved = any(each.value.startswith(MISBEHAVED) for each in found if each.seen)
    return UNHEALTHY if deaths or misbehaved else HEALTHY


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _described(subjects: Sequence[Isolated]) -> tuple[list[Isolated], list[str]]:
    """The adapters that started, and how the others died.

    Raises:
        AdapterError: one cannot be loaded, or two have one name.
    """
    living: list[Isolated] = []
    deaths: list[str] = []
    for subject in subjects:
        try:
            tell_apart([*(other.description for other in living), subject.description])
        except AdapterDied as death:
            deaths.append(str(death))
        else:
            living.append(subject)
    return living, deaths
