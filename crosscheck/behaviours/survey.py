"""The survey, which runs every probe on every adapter in every dtype; and `crosscheck behaviours`."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from rich.console import Console

from adapters import Spec
from adapters.errors import AdapterCrashed, AdapterMisbehaved, NoAnswer, one_line
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.behaviours.probe import Probe, WithThreadVariant
from crosscheck.behaviours.questions import EVERY
from crosscheck.behaviours.report import show
from crosscheck.console import console_for
from crosscheck.exit_codes import ExitCode
from crosscheck.explain.message import replay
from crosscheck.judging.evaluation import CheckedAdapter, check_unique_names
from crosscheck.results.lines import MISBEHAVED, NO_VERDICT, Observation
from reference.formats import FORMATS, Format


def survey_and_show(
    specs: Sequence[Spec],
    options: ProcessOptions,
    *,
    dtypes: Sequence[str],
    everything: bool = False,
    probes: Sequence[Probe] = EVERY,
) -> int:
    """Start the adapters, run the probes on them, print where they differ, and return the exit code.

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
        _print(console, f"Behaviours of adapters, Python {platform.python_version()}")
        for said in (adapter.description for adapter in described):
            _print(console, f"  {said.name}: {said.framework} {said.version}, {said.device}")
        for adapter in described:
            status.update(f"asking {adapter.name}")
            crashes += probe_adapter(adapter, options, found, dtypes, probes)
    show(found, probes, console, crashes=crashes, everything=everything)
    misbehaved = any(each.value.startswith(MISBEHAVED) for each in found if each.seen)
    return ExitCode.FAILED if crashes or misbehaved else ExitCode.PASSED


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


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


def probe_adapter(
    adapter: ProcessAdapter,
    options: ProcessOptions,
    found: list[Observation],
    dtypes: Sequence[str],
    probes: Sequence[Probe] = EVERY,
) -> list[str]:
    """Run the probes on one adapter, and add the observations to ``found``.

    Returns:
        One sentence if the adapter crashed or gave no answer; empty if all probes ran.
    """
    other = replace(adapter.spec, threads=2 if adapter.description.threads in (None, 1) else 1)
    with ExitStack() as variants:
        with_variant = WithThreadVariant(
            adapter, lambda: variants.enter_context(ProcessAdapter.start(other, options))
        )
        try:
            for observation in observations_of(with_variant, dtypes, probes):
                found.append(observation)  # noqa: PERF402, one by one, to keep those before a crash
        except AdapterCrashed as crash:
            again = () if crash.journal is None else (replay(str(crash.journal), adapter.spec.name),)
            verdict = NO_VERDICT if isinstance(crash, NoAnswer) else ""
            return ["\n    replay  ".join((f"{verdict}{crash}", *again))]
    return []


def observations_of(
    adapter: CheckedAdapter, dtypes: Sequence[str], probes: Sequence[Probe] = EVERY
) -> Iterator[Observation]:
    """Yield the observations of one adapter, one by one: each probe in each dtype.

    If the adapter does not support something, `Observation.seen` is False and the value is the reason. If it
    breaks the contract, the value says how, and begins with `MISBEHAVED`.

    Raises:
        AdapterCrashed: the adapter crashed.
    """
    for probe in probes:
        for dtype in dtypes:
            yield _observation(adapter, FORMATS[dtype], probe)


def _observation(adapter: CheckedAdapter, format: Format, probe: Probe) -> Observation:
    case, seen = probe.case(format), format.name in adapter.description.dtypes
    try:
        value = probe.answer(adapter, case) if seen else f"no {format.name}"
    except NotImplementedError as reason:
        value, seen = one_line(reason, "no reason given"), False
    except AdapterMisbehaved as failure:
        value = MISBEHAVED + " ".join(failure.what.split())
    return Observation(
        probe=probe.name,
        adapter=adapter.description.name,
        dtype=format.name,
        value=value,
        input=case.text,
        seen=seen,
    )
