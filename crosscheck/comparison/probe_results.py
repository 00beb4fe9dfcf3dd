"""Run the probes of `crosscheck.behaviours` on the adapters of a comparison, after its cases."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console

from adapters import CORE, is_ours
from adapters.conditions import ProcessOptions
from adapters.isolated import ProcessAdapter
from crosscheck.behaviours.probe import Observation
from crosscheck.behaviours.survey import probe_adapter
from crosscheck.comparison.result import Comparison


@dataclass(frozen=True)
class ProbeResults:
    """The results of the probes.

    Attributes:
        observations: the observations of the probes.
        crashes: one sentence for each adapter that crashed or gave no answer in time.
    """

    observations: list[Observation] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)


def run_probes(comparison: Comparison, options: ProcessOptions) -> ProbeResults:
    """Run all probes on the core adapters and those from outside; run none after Ctrl-C."""
    found = ProbeResults()
    if comparison.results.interrupted:
        return found
    try:
        with Console(stderr=True).status("asking for behaviours"):
            for name, adapter in comparison.adapters.items():
                if isinstance(adapter, ProcessAdapter) and (
                    name.partition("@")[0] in CORE or not is_ours(name)
                ):
                    crashes = probe_adapter(adapter, options, found.observations, comparison.plan.dtypes)
                    found.crashes.extend(crashes)
    except KeyboardInterrupt:
        comparison.results.interrupted = True
    return found
