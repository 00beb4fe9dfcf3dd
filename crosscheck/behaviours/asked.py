"""One adapter, asked every probe, up to its death."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from adapters.conditions import Conditions
from adapters.errors import AdapterDied, NoAnswer
from adapters.isolated import Isolated
from crosscheck.behaviours.pair import Pair
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.survey import EVERY, observed
from crosscheck.ledger.records import NO_VERDICT
from crosscheck.message import replay


def asked(
    subject: Isolated,
    conditions: Conditions,
    found: list[Observation],
    dtypes: Sequence[str],
    probes: Sequence[Probe] = EVERY,
) -> list[str]:
    """Add what the adapter answers, up to its death; the sentence on that, if it dies or gives no answer."""
    other = replace(subject.spec, threads=2 if subject.threads in (None, 1) else 1)
    with ExitStack() as twins:
        pair = Pair(subject, lambda: twins.enter_context(Isolated.alone(other, conditions)))
        try:
            for observation in observed(pair, dtypes, probes):
                found.append(observation)  # noqa: PERF402, one by one: what came before a death stays
        except AdapterDied as death:
            again = () if death.journal is None else (replay(str(death.journal), subject.spec.name),)
            verdict = NO_VERDICT if isinstance(death, NoAnswer) else ""
            return ["\n    replay  ".join((f"{verdict}{death}", *again))]
    return []
