"""The ledger of a comparison."""

from __future__ import annotations

from collections.abc import Iterable

from crosscheck.behaviours.probe import Observation
from crosscheck.comparison.result import Comparison
from crosscheck.ledger import Fault, Header, Ledger
from crosscheck.ledger.making import behaviours, by_class, known
from crosscheck.ledger.records import COMPLETE, INTERRUPTED, NO_VERDICT


def to_ledger(
    comparison: Comparison, header: Header, observations: Iterable[Observation], crashes: Iterable[str] = ()
) -> Ledger:
    """Make the ledger of a comparison that has ended.

    Args:
        comparison: the results of the comparison.
        header: the header of the ledger.
        observations: the observations of probes of its adapters.
        crashes: one sentence for each adapter that crashed at the probes.
    """
    results = comparison.results
    sentences = [
        *comparison.crashed_on_load,
        *comparison.violations,
        *crashes,
        *(NO_VERDICT + line for line in results.late),
    ]
    sentences += [f"known difference {entry.name} expired on {entry.expires}" for entry in comparison.expired]
    sentences += [f"known difference {entry.name} matched nothing" for entry in comparison.unmatched]
    faults = {
        Fault(who=line.removeprefix(NO_VERDICT).split()[0].rstrip(":"), what=line.splitlines()[0])
        for line in sentences
    }
    cells = by_class(results.summaries)
    return Ledger(
        header,
        cells,
        behaviours(observations),
        known(results.known.applicable(comparison.descriptions), cells),
        tuple(faults),
        ending=INTERRUPTED if results.interrupted else COMPLETE,
        verdict=0 if comparison.is_green and not crashes else 1,
    )
