"""What a sweep, or a part of one, has come to so far: shards in, one ledger out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from msgspec.structs import replace

from crosscheck.comparison.table import FAILED, NO_VERDICT, OUTSIDE, Row, rows
from crosscheck.known import Difference
from crosscheck.ledger import Fault, Header, Known, Ledger, LedgerError
from crosscheck.ledger.making import known
from crosscheck.ledger.records import COMPLETE, INTERRUPTED
from crosscheck.summary import Cell, Summary, add, known_of
from crosscheck.sweep.messages import Done, Failed
from crosscheck.sweep.numbers import numbers, written

# Of each adapter so many faults are kept: a ledger shall be read, and memory stay flat.
FAULTS: Final = 100


class Shards(NamedTuple):
    """The numbers of the shards that a ledger speaks of.

    Attributes:
        done: there is a result of them.
        aside: they were set aside.
    """

    done: frozenset[int]
    aside: frozenset[int]

    @property
    def both(self) -> frozenset[int]:
        """All of them."""
        return self.done | self.aside


def shards_of(header: Header) -> Shards:
    """The shards of a ledger with this header.

    Raises:
        LedgerError: it is of no sweep, or its numbers are in disorder.
    """
    if header.sweep is None:
        raise LedgerError(f"is of no sweep but of `{header.profile}`; name ledgers or stores of sweeps")
    of = header.sweep.of
    return Shards(numbers(header.sweep.shards, of), numbers(header.sweep.aside, of))


def with_shards(header: Header, done: Iterable[int], aside: Iterable[int]) -> Header:
    """The header of a ledger with these shards."""
    sweep = header.sweep
    return replace(header, sweep=sweep and replace(sweep, shards=written(done), aside=written(aside)))


def shard_ledger(header: Header, entries: Iterable[Difference], shard: int, answer: Done | Failed) -> Ledger:
    """What became of a shard, as a ledger.

    Args:
        header: of the sweep.
        entries: the known differences that concern its adapters.
        shard: the number.
        answer: of the worker that had it.
    """
    if isinstance(answer, Failed):
        fault = Fault(who=answer.who, what=f"shard {shard} is set aside: {answer.what}")
        return Ledger(with_shards(header, [], [shard]), faults=(fault,), verdict=1)
    cells = {record.cell: record.summary for record in answer.cells}
    verdict = 1 if answer.faults or against(rows(cells)) else 0
    done = with_shards(header, [shard], [])
    return Ledger(done, cells, known=known(entries, cells), faults=answer.faults, verdict=verdict)


def against(lines: Sequence[Row]) -> list[str]:
    """What is not within bounds in the values."""
    found = {
        verdict: dict.fromkeys(row.adapter for row in lines if row.verdict == verdict)
        for verdict in (OUTSIDE, FAILED, NO_VERDICT)
    }
    return [f"{verdict}: {', '.join(who)}" for verdict, who in found.items() if who]


@dataclass
class Record:
    """The merged results of some shards; the same for any order.

    Attributes:
        header: of the sweep.
        done, aside: the shards that are in, and those that were set aside.
        cells, faults, known: of a ledger.
    """

    header: Header
    done: set[int] = field(default_factory=set)
    aside: set[int] = field(default_factory=set)
    cells: dict[Cell, Summary] = field(default_factory=dict)
    faults: set[Fault] = field(default_factory=set)
    known: dict[str, Known] = field(default_factory=dict)

    def hear(self, ledger: Ledger) -> None:
        """Take in some shards that are not in yet.

        Raises:
            LedgerError: one of them is in.
        """
        done, aside = shards_of(ledger.header)
        if twice := self.done & done:
            raise LedgerError(f"shards that are there already: {written(twice)}; name each result once")
        self.done |= done
        self.aside = (self.aside | aside) - self.done
        add(self.cells, ledger.cells)
        self.faults = _first(self.faults | set(ledger.faults))
        self.known |= {entry.name: entry for entry in ledger.known}

    @property
    def rows(self) -> list[Row]:
        """The rows of the table."""
        return rows({cell: self.cells[cell] for cell in sorted(self.cells)})

    @property
    def reasons(self) -> list[str]:
        """What is not within bounds."""
        lines = self.rows
        judged = {row.adapter for row in lines if row.judged or row.verdict in (FAILED, NO_VERDICT)}
        unheard = [one.name for one in self.header.adapters if one.name not in judged]
        found = against(lines) + ([f"nothing judged: {', '.join(unheard)}"] if unheard else [])
        counts = {"faults": len(self.faults), "shards set aside": len(self.aside)}
        return found + [f"{what}: {count}" for what, count in counts.items() if count]

    def ledger(self, *, complete: bool) -> Ledger:
        """All of it.

        Args:
            complete: whether no shard is missing.
        """
        return Ledger(
            with_shards(self.header, self.done, self.aside),
            self.cells,
            known=_covering(self.known, self.cells),
            faults=tuple(self.faults),
            ending=COMPLETE if complete else INTERRUPTED,
            verdict=1 if self.reasons else 0,
        )


def _first(faults: Iterable[Fault]) -> set[Fault]:
    """Those that are kept: for any order of hearing the same."""
    kept: dict[str, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: (fault.who, fault.what)):
        kept.setdefault(fault.who, []).append(fault)
    return {fault for of_one in kept.values() for fault in of_one[:FAULTS]}


def _covering(entries: Mapping[str, Known], cells: Mapping[Cell, Summary]) -> tuple[Known, ...]:
    """The known differences with all that they explained."""
    counts = known_of(cells.values())
    return tuple(
        replace(entry, covered=dict(sorted(counts.get(name, {}).items()))) for name, entry in entries.items()
    )
