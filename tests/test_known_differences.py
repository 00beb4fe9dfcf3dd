"""The record of known differences is true today: every entry applies, is in date, and differs as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import spec_of
from adapters.modes import parse
from crosscheck.known import Difference, KnownDifferences, prove
from crosscheck.matrix.hearing import Matrix

FILE = Path(__file__).with_name("known_differences.toml")
RECORD = KnownDifferences.read(FILE)


def of_process(entry: Difference) -> object:
    """The entry, to be tried where its adapter's process is."""
    group = "-".join(map(str, spec_of(parse(entry.mode)).room))
    return pytest.param(entry, id=entry.name, marks=pytest.mark.xdist_group(group))


@pytest.mark.parametrize("entry", [of_process(entry) for entry in RECORD.entries])
def test_a_known_difference_is_in_date_and_still_as_recorded(
    matrix: Matrix, frameworks: frozenset[str], entry: Difference
) -> None:
    if entry.framework not in frameworks:
        pytest.skip(f"{entry.framework} is not in this run")
    assert entry not in RECORD.expired(), f"expired on {entry.expires}: look again, then renew or remove it"
    subject = matrix.hosts.subject(spec_of(parse(entry.mode)))
    said = subject.description
    where = f"{said.framework} {said.version} on {RECORD.machine}"
    assert entry.concerns(said, RECORD.machine), f"{entry.name} matches nothing: this is {where}; remove it"
    assert prove(entry, subject) is None
