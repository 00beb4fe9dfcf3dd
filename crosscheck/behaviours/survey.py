"""The survey: every probe, put to every adapter in every dtype; and its records as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from adapters.errors import AdapterMisbehaved, one_line
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.probes import PROBES
from crosscheck.trial import Subject
from reference.formats import FORMATS, Format

EVERY = tuple(PROBES.values())
MISBEHAVED = "misbehaved: "


def survey(
    subjects: Mapping[str, Subject], dtypes: Sequence[str], probes: Sequence[Probe] = EVERY
) -> list[Observation]:
    """All observations of all subjects.

    Args:
        subjects: by any name; their observations have their own.
        dtypes: names of formats.
        probes: which questions.

    Raises:
        AdapterDied: a subject died; `observed` gives what the others and its earlier answers were.
    """
    return [seen for subject in subjects.values() for seen in observed(subject, dtypes, probes)]


def observed(
    subject: Subject, dtypes: Sequence[str], probes: Sequence[Probe] = EVERY
) -> Iterator[Observation]:
    """The observations of one subject, one by one; as `survey`.

    What it does not support is an observation that is not `Observation.seen`, with the reason as its value.
    How it breaks the contract is what there is to see, and its value begins with `MISBEHAVED`.

    Raises:
        AdapterDied: the subject died.
    """
    for probe in probes:
        for dtype in dtypes:
            yield _observation(subject, FORMATS[dtype], probe)


def _observation(subject: Subject, format: Format, probe: Probe) -> Observation:
    said, seen = subject.description, True
    try:
        value = _answer(subject, format, probe)
    except NotImplementedError as reason:
        value, seen = one_line(reason, "no reason given"), False
    except AdapterMisbehaved as failure:
        value = MISBEHAVED + " ".join(failure.what.split())
    return Observation(probe.name, said.name, format.name, value, probe.case(format).text, seen)


def _answer(subject: Subject, format: Format, probe: Probe) -> str:
    if format.name not in subject.description.dtypes:
        raise NotImplementedError(f"no {format.name}")
    return probe.observe(subject, format)


def to_plain(observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """The observations as JSON takes them."""
    return [asdict(observation) for observation in observations]


def from_plain(plain: Sequence[Mapping[str, Any]]) -> list[Observation]:
    """The observations that `to_plain` wrote down."""
    return [Observation(**fields) for fields in plain]
