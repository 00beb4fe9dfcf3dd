"""The survey: every probe, run on every adapter in every dtype."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.errors import AdapterMisbehaved, one_line
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.probes import PROBES
from crosscheck.evaluation import CheckedAdapter
from reference.formats import FORMATS, Format

EVERY = tuple(PROBES.values())
MISBEHAVED = "misbehaved: "


def observations_of(
    adapter: CheckedAdapter, dtypes: Sequence[str], probes: Sequence[Probe] = EVERY
) -> Iterator[Observation]:
    """The observations of one adapter, one by one: each probe in each dtype.

    What it does not support is an observation that is not `Observation.seen`, with the reason as its value.
    How it breaks the contract is what there is to see, and its value begins with `MISBEHAVED`.

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
    return Observation(probe.name, said.name, format.name, value, probe.case(format).text, seen)


def _answer(adapter: CheckedAdapter, format: Format, probe: Probe) -> str:
    if format.name not in adapter.description.dtypes:
        raise NotImplementedError(f"no {format.name}")
    return probe.run(adapter, format)
