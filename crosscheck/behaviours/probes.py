"""The table of all probes, in the order in which they are shown."""

from __future__ import annotations

from crosscheck.behaviours.bits import BITS
from crosscheck.behaviours.probe import Probe
from crosscheck.behaviours.subnormals import SUBNORMALS
from crosscheck.behaviours.sums import SUMS
from crosscheck.behaviours.values import VALUES

PROBES: dict[str, Probe] = {probe.name: probe for probe in (*SUBNORMALS, *SUMS, *VALUES, *BITS)}
