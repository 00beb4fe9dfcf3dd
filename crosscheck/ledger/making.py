"""Functions that make the records of a ledger from the results of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import starmap

from adapters.protocol import Description
from crosscheck.behaviours.probe import Observation
from crosscheck.cases import SHAPES_ELEMENTWISE, SHAPES_STACKED
from crosscheck.known import Difference
from crosscheck.ledger.environment import environment
from crosscheck.ledger.records import FORMAT, VERSION, Adapter, Behaviour, Header, Known
from crosscheck.matrix.shapes import shape_class
from crosscheck.summary import Cell, Summary, known_of, merge

CORE = "core"


def header(
    profile: str, seed: int, descriptions: Mapping[str, Description], command: str, python: str | None = None
) -> Header:
    """Make the header of a run that begins now.

    Args:
        profile: the kind of run.
        seed: the seed of the first round of cases.
        descriptions: the descriptions of the adapters, by selector.
        command: the command, quoted for a shell.
        python: the interpreter of the adapters; None: this one.
    """
    return Header(
        format=FORMAT,
        version=VERSION,
        suite=suite(),
        created=datetime.now(UTC).replace(microsecond=0),
        command=command,
        profile=profile,
        seed=seed,
        environment=environment(python),
        adapters=tuple(sorted(starmap(_adapter, descriptions.items()), key=lambda one: one.name)),
    )


def suite() -> str:
    """Return the version of the suite in this process."""
    try:
        return version("gradient-crosscheck")
    except PackageNotFoundError:
        return "not installed"


def _adapter(selector: str, said: Description) -> Adapter:
    return Adapter(
        name=said.name,
        selector=selector,
        framework=said.framework,
        version=said.version,
        device=said.device,
        threads=said.threads or 0,
        dtypes=said.dtypes,
    )


def by_class(summaries: Mapping[Cell, Summary]) -> dict[Cell, Summary]:
    """Merge the summaries of cells whose shapes belong to the same class."""
    found: dict[Cell, Summary] = {}
    for cell, summary in summaries.items():
        whole = replace(cell, shape=_class(cell.shape))
        found[whole] = merge(found[whole], summary) if whole in found else summary
    return found


def _class(text: str) -> str:
    shape = tuple(map(int, text.split("x")))
    return CORE if shape in (*SHAPES_ELEMENTWISE, *SHAPES_STACKED) else shape_class(shape)


def behaviours(observations: Iterable[Observation]) -> tuple[Behaviour, ...]:
    """Make the records of the observations of probes."""
    return tuple(Behaviour(**vars(observation)) for observation in observations)


def known(entries: Iterable[Difference], cells: Mapping[Cell, Summary]) -> tuple[Known, ...]:
    """Make the records of known differences that concern an adapter of the run, with what they cover."""
    covered = known_of(cells.values())
    return tuple(
        Known(
            name=entry.name,
            type=entry.kind,
            framework=entry.framework,
            versions=entry.versions,
            mode=entry.mode,
            case=entry.case,
            output=entry.output,
            index=entry.index,
            got=entry.sightings[0].got,
            exact=entry.exact,
            reason=entry.reason,
            upstream=entry.upstream,
            expires=entry.expires,
            covered=dict(sorted(covered.get(entry.name, {}).items())),
        )
        for entry in entries
    )
