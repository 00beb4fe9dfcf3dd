"""A comparison as a ledger."""

from __future__ import annotations

from collections.abc import Iterable

from crosscheck.behaviours.probe import Observation
from crosscheck.comparison.result import Comparison
from crosscheck.ledger import Fault, Header, Ledger
from crosscheck.ledger.making import behaviours, by_class, known
from crosscheck.ledger.records import COMPLETE, INTERRUPTED, NO_VERDICT


def ledger_of(
    comparison: Comparison, header: Header, observations: Iterable[Observation], deaths: Iterable[str] = ()
) -> Ledger:
    """The ledger of a comparison that has ended.

    Args:
        comparison: of which.
        header: of the run.
        observations: what probes saw of its adapters.
        deaths: of adapters that did not survive the probes.
    """
    record = comparison.record
    told = [*comparison.lost, *comparison.violations, *deaths, *(NO_VERDICT + line for line in record.late)]
    told += [f"known difference {entry.name} expired on {entry.expires}" for entry in comparison.expired]
    told += [f"known difference {entry.name} matched nothing" for entry in comparison.unmatched]
    faults = {
        Fault(who=line.removeprefix(NO_VERDICT).split()[0].rstrip(":"), what=line.splitlines()[0])
        for line in told
    }
    cells = by_class(record.summaries)
    return Ledger(
        header,
        cells,
        behaviours(observations),
        known(record.known.applicable(comparison.descriptions), cells),
        tuple(faults),
        ending=INTERRUPTED if record.interrupted else COMPLETE,
        verdict=0 if comparison.is_green and not deaths else 1,
    )
