"""The ledger as an object: its records, their digest, and the lines of its file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from crosscheck.ledger.records import (
    COMPLETE,
    Acceptance,
    Behaviour,
    CellRecord,
    Fault,
    Footer,
    Header,
    Known,
    Line,
)
from crosscheck.summary import Cell, Summary

ENCODER: Final = msgspec.json.Encoder()
# A placeholder in the footer while the checksum is computed.
UNKNOWN: Final = "0" * 64


@dataclass(frozen=True)
class Ledger:
    """The record of a run and its results.

    Attributes:
        header: the adapters, settings and environment of the run.
        cells: the summary of each cell.
        behaviours: the observations of probes, in any order.
        known: the known differences that concern an adapter of the run.
        faults: crashes, broken contracts and other faults beside wrong values.
        acceptances: the records of its acceptances as a baseline, from the first to the last.
        ending: how the run ended: `COMPLETE` or `INTERRUPTED`.
        verdict: the run's exit code, 0 or 1.
    """

    header: Header
    cells: Mapping[Cell, Summary] = field(default_factory=dict)
    behaviours: Sequence[Behaviour] = ()
    known: Sequence[Known] = ()
    faults: Sequence[Fault] = ()
    acceptances: Sequence[Acceptance] = ()
    ending: str = COMPLETE
    verdict: int = 0

    @property
    def results(self) -> str:
        """The digest of the results: equal for equal cases and versions, wherever and whenever computed."""
        return _digest(self._results())

    @property
    def problems(self) -> int:
        """The number of problems in all cells; a problem counts once for each output."""
        return sum(summary.problems for summary in self.cells.values())

    def _results(self) -> Iterator[Line]:
        """Yield the lines of the results, in an order that depends on their content only."""
        yield from (CellRecord.of(cell, self.cells[cell]) for cell in sorted(self.cells))
        yield from sorted(self.behaviours, key=lambda b: (b.adapter, b.dtype, b.probe))
        yield from sorted(self.known, key=lambda k: k.name)

    def lines(self) -> Iterator[Line]:
        """Yield all lines except the footer."""
        yield self.header
        yield from self._results()
        yield from sorted(self.faults, key=lambda f: (f.who, f.what))
        yield from self.acceptances

    def footer(self, checksum: str = UNKNOWN) -> Footer:
        """Make the last line.

        Args:
            checksum: the checksum of everything before it.
        """
        return Footer(
            ending=self.ending,
            verdict=self.verdict,
            cells=len(self.cells),
            behaviours=len(self.behaviours),
            known=len(self.known),
            faults=len(self.faults),
            problems=self.problems,
            results=self.results,
            checksum=checksum,
        )


def encoded(line: Line) -> bytes:
    """Encode a line for the file."""
    return ENCODER.encode(line) + b"\n"


def _digest(lines: Iterator[Line]) -> str:
    sha = hashlib.sha256()
    for line in lines:
        sha.update(encoded(line))
    return sha.hexdigest()
