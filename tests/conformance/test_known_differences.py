"""The record of known differences is true: of what is installed here, and of every release that is pinned."""

from __future__ import annotations

from pathlib import Path

import pytest
from known_entries import here
from known_proof import verify
from packaging.requirements import Requirement

from adapters import spec_of
from adapters.modes import parse
from crosscheck.explain.element import Element
from crosscheck.judging.judge import Judge
from crosscheck.pytest_plugin.matrix_run import MatrixRun
from crosscheck.results.known import KnownDifferences
from crosscheck.results.known_entry import Difference, is_among

RECORD = KnownDifferences.shipped()
CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
PYTHONS = tuple(f"3.{minor}" for minor in range(11, 21))  # that a pin may be for
ROOM = 100  # times as near as the nearest sighting a difference may come on another machine


def of_process(entry: Difference) -> object:
    """The entry, to be tried where its adapter's process is."""
    group = "-".join(map(str, spec_of(parse(entry.mode)).process_key))
    return pytest.param(entry, id=entry.name, marks=pytest.mark.xdist_group(group))


every_entry = pytest.mark.parametrize("entry", [of_process(entry) for entry in RECORD.entries])


@every_entry
def test_a_known_difference_that_was_sighted_in_the_installed_release_is_there_and_in_date(
    matrix: MatrixRun, frameworks: frozenset[str], entry: Difference
) -> None:
    if entry.framework not in frameworks:
        pytest.skip(f"{entry.framework} is not in this run")
    here(entry)
    assert entry not in RECORD.expired(), f"expired on {entry.expires}: look again, then renew or remove it"
    adapter = matrix.pool.load(spec_of(parse(entry.mode)))
    stale = verify(entry, adapter)
    if stale is not None and not entry.is_sighted(adapter.description.version):
        pytest.skip(f"never sighted in {adapter.description.version}: {stale}")
    assert stale is None


@every_entry
def test_every_sighting_lies_a_hundred_times_as_far_outside_as_the_entry_asks(
    matrix: MatrixRun, frameworks: frozenset[str], entry: Difference
) -> None:
    if entry.framework not in frameworks:
        pytest.skip(f"{entry.framework} is not in this run")
    case = entry.source
    element = Element(Judge(case.problem()), entry.output, entry.index)
    claims = matrix.pool.load(spec_of(parse(entry.mode))).description.arithmetic[case.dtype]
    for sighting in entry.sightings:
        assert element.share(float.fromhex(sighting.got), claims) >= ROOM * entry.at_least, sighting


def pinned(framework: str, constraints: str) -> set[str]:
    """The releases of a framework that are pinned, for one interpreter or another."""
    requirements = map(Requirement, (line for line in constraints.splitlines() if line[:1] not in ("", "#")))
    return {
        pin.version
        for requirement in requirements
        if requirement.name == framework
        for python in PYTHONS
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python})
        for pin in requirement.specifier
    }


def unsighted(entry: Difference, constraints: str) -> set[str]:
    """The pinned releases that an entry is about, and which none of its sightings is of."""
    about = {v for v in pinned(entry.framework, constraints) if is_among(v, entry.versions)}
    return {version for version in about if not entry.is_sighted(version)}


@pytest.mark.parametrize("entry", RECORD.entries, ids=lambda entry: entry.name)
def test_every_pinned_release_that_an_entry_is_about_has_a_sighting(entry: Difference) -> None:
    missing = unsighted(entry, CONSTRAINTS.read_text("utf-8"))
    assert not missing, f"add what {entry.mode} returns in {', '.join(sorted(missing))} to its sightings"


def test_a_pin_is_read_with_its_marker() -> None:
    text = """
    # pins
    torch==2.13.0 ; python_version < "3.12"
    torch==2.15.0 ; python_version >= "3.12"
    torch==1.0 ; python_version < "3.0"
    jax==0.10.2
    """.replace("    ", "")
    assert pinned("torch", text) == {"2.13.0", "2.15.0"}
    assert pinned("jax", text) == {"0.10.2"}
    literal = next(entry for entry in RECORD.entries if entry.name == "torch-literal")
    assert unsighted(literal, "torch==99.0") == {"99.0"}
