"""What a ledger holds, and what it amounts to."""

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
# Stands in the footer while the bytes before it are summed up.
UNKNOWN: Final = "0" * 64


@dataclass(frozen=True)
class Ledger:
    """A run and its results.

    Attributes:
        header: what ran where.
        cells: a summary for each.
        behaviours: in any order.
        known: the known differences that concern an adapter of the run.
        faults: what else speaks against somebody.
        acceptances: of this ledger as a baseline, first to last.
        ending: `COMPLETE`, or how else it ended.
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
        """The digest of the results: equal for equal cases and versions, whoever computed what when."""
        return _digest(self._results())

    @property
    def problems(self) -> int:
        """How many problems its cells had, each one counted for each output."""
        return sum(summary.problems for summary in self.cells.values())

    def _results(self) -> Iterator[Line]:
        """The lines of the results, in an order of their own."""
        yield from (CellRecord.of(cell, self.cells[cell]) for cell in sorted(self.cells))
        yield from sorted(self.behaviours, key=lambda b: (b.adapter, b.dtype, b.probe))
        yield from sorted(self.known, key=lambda k: k.name)

    def lines(self) -> Iterator[Line]:
        """All lines but the footer."""
        yield self.header
        yield from self._results()
        yield from sorted(self.faults, key=lambda f: (f.who, f.what))
        yield from self.acceptances

    def footer(self, checksum: str = UNKNOWN) -> Footer:
        """The last line.

        Args:
            checksum: of everything before it.
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
    """A line as it stands in a file."""
    return ENCODER.encode(line) + b"\n"


def _digest(lines: Iterator[Line]) -> str:
    sha = hashlib.sha256()
    for line in lines:
        sha.update(encoded(line))
    return sha.hexdigest()
