"""The survey, which runs every probe on every adapter in every dtype; and the table of all probes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, AdapterMisbehaved, NoAnswer, one_line
from adapters.isolated import ProcessAdapter
from crosscheck.behaviours.bits import BITS
from crosscheck.behaviours.probe import Probe, WithThreadVariant
from crosscheck.behaviours.subnormals import SUBNORMALS
from crosscheck.behaviours.sums import SUMS
from crosscheck.behaviours.values import VALUES
from crosscheck.evaluation import CheckedAdapter
from crosscheck.message import replay
from crosscheck.results.lines import MISBEHAVED, NO_VERDICT, Observation
from reference.formats import FORMATS, Format

# All probes, in the order in which they are shown.
PROBES: dict[str, Probe] = {probe.name: probe for probe in (*SUBNORMALS, *SUMS, *VALUES, *BITS)}
EVERY = tuple(PROBES.values())


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
    said, seen = adapter.description, True
    try:
        value = _answer(adapter, format, probe)
    except NotImplementedError as reason:
        value, seen = one_line(reason, "no reason given"), False
    except AdapterMisbehaved as failure:
        value = MISBEHAVED + " ".join(failure.what.split())
    return Observation(
        probe=probe.name,
        adapter=said.name,
        dtype=format.name,
        value=value,
        input=probe.case(format).text,
        seen=seen,
    )


def _answer(adapter: CheckedAdapter, format: Format, probe: Probe) -> str:
    if format.name not in adapter.description.dtypes:
        raise NotImplementedError(f"no {format.name}")
    return probe.run(adapter, format)


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
    other = replace(adapter.spec, threads=2 if adapter.threads in (None, 1) else 1)
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
