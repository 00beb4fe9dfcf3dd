"""The probes, put to the adapters of a comparison that has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console

from adapters import CORE, is_ours
from adapters.conditions import Conditions
from adapters.isolated import Isolated
from crosscheck.behaviours.asked import asked
from crosscheck.behaviours.probe import Observation
from crosscheck.comparison.result import Comparison


@dataclass(frozen=True)
class Answers:
    """What came of the probes.

    Attributes:
        observations: what was seen.
        deaths: who died of a probe, a sentence each.
    """

    observations: list[Observation] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)


def answers_to_probes(comparison: Comparison, conditions: Conditions) -> Answers:
    """Put the probes to the core adapters and those from outside; none after Ctrl-C, which ends the run."""
    found = Answers()
    if comparison.record.interrupted:
        return found
    try:
        with Console(stderr=True).status("asking for behaviours"):
            for name, subject in comparison.subjects.items():
                if isinstance(subject, Isolated) and (name.partition("@")[0] in CORE or not is_ours(name)):
                    deaths = asked(subject, conditions, found.observations, comparison.plan.dtypes)
                    found.deaths.extend(deaths)
    except KeyboardInterrupt:
        comparison.record.interrupted = True
    return found
