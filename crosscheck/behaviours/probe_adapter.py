"""Run the probes on one adapter, until it crashes or gives no answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, NoAnswer
from adapters.isolated import ProcessAdapter
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.survey import EVERY, observations_of
from crosscheck.behaviours.thread_variant import WithThreadVariant
from crosscheck.ledger.records import NO_VERDICT
from crosscheck.message import replay


def probe_adapter(
    adapter: ProcessAdapter,
    options: ProcessOptions,
    found: list[Observation],
    dtypes: Sequence[str],
    probes: Sequence[Probe] = EVERY,
) -> list[str]:
    """Run the probes on one adapter, and add what they see to ``found``.

    Returns:
        What ended it, one sentence: the adapter crashed, or gave no answer. Empty if all probes ran.
    """
    other = replace(adapter.spec, threads=2 if adapter.threads in (None, 1) else 1)
    with ExitStack() as variants:
        with_variant = WithThreadVariant(
            adapter, lambda: variants.enter_context(ProcessAdapter.start(other, options))
        )
        try:
            for observation in observations_of(with_variant, dtypes, probes):
                found.append(observation)  # noqa: PERF402, one by one: what came before a crash stays
        except AdapterCrashed as crash:
            again = () if crash.journal is None else (replay(str(crash.journal), adapter.spec.name),)
            verdict = NO_VERDICT if isinstance(crash, NoAnswer) else ""
            return ["\n    replay  ".join((f"{verdict}{crash}", *again))]
    return []
