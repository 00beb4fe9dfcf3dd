"""The survey: every probe, run on every adapter in every dtype; and its observations as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from adapters.errors import AdapterMisbehaved, one_line
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.probes import PROBES
from crosscheck.evaluation import CheckedAdapter
from reference.formats import FORMATS, Format

EVERY = tuple(PROBES.values())
MISBEHAVED = "misbehaved: "


def survey(
    adapters: Mapping[str, CheckedAdapter], dtypes: Sequence[str], probes: Sequence[Probe] = EVERY
) -> list[Observation]:
    """All observations of all adapters.

    Args:
        adapters: by any name; their observations have their own.
        dtypes: names of formats.
        probes: which questions.

    Raises:
        AdapterCrashed: an adapter crashed; `observations_of` gives the answers until then.
    """
    return [seen for adapter in adapters.values() for seen in observations_of(adapter, dtypes, probes)]


def observations_of(
    adapter: CheckedAdapter, dtypes: Sequence[str], probes: Sequence[Probe] = EVERY
) -> Iterator[Observation]:
    """The observations of one adapter, one by one; as `survey`.

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


def to_plain(observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """The observations as JSON takes them."""
    return [asdict(observation) for observation in observations]


def from_plain(plain: Sequence[Mapping[str, Any]]) -> list[Observation]:
    """The observations that `to_plain` wrote down."""
    return [Observation(**fields) for fields in plain]
