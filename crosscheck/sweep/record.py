"""The results of a sweep or of a part of it: the ledgers of its shards are merged into one ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

from msgspec.structs import replace

from crosscheck.inputs import CaseError
from crosscheck.results.known_entry import Difference
from crosscheck.results.ledger import Ledger, LedgerError
from crosscheck.results.lines import COMPLETE, INTERRUPTED, NO_VERDICT, Fault, Header, Known, known_lines
from crosscheck.results.refusals import Refusals
from crosscheck.results.rows import FAILED, LATE, OUTSIDE, Row, rows
from crosscheck.results.summary import Cell, Summary, add, known_of
from crosscheck.sweep.job import Done, Failed

# The number of faults that are kept for each adapter; ledgers and memory must not grow with the shards.
FAULTS: Final = 100
# Every reader of a ledger holds the set of its shard numbers in memory.
MOST_SHARDS: Final = 10**6


def to_text(numbers: Iterable[int]) -> str:
    """Write a set of numbers as text, such as ``0-9,11``."""
    runs = groupby(enumerate(sorted(numbers)), lambda each: each[1] - each[0])
    ends = ([number for _, number in run] for _, run in runs)
    return ",".join(f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in ends)


def numbers(text: str, of: int) -> frozenset[int]:
    """Read a set of numbers that `to_text` wrote.

    Args:
        text: the text of the set.
        of: the number of shards of the sweep; their numbers begin with 0.

    Raises:
        LedgerError: ``of`` is more than `MOST_SHARDS`, or `to_text` would not write this text for shards
            below ``of``.
    """
    if of > MOST_SHARDS:
        raise LedgerError(f"speaks of {of} shards; a sweep has at most {MOST_SHARDS}; make it again")
    ends = [part[:20].partition("-") for part in text.split(",")] if text else []
    runs = [range(int(first), int(last or first) + 1) for first, _, last in ends]
    found = frozenset(number for run in runs if run.stop <= of for number in run)
    if to_text(found) != text:
        raise LedgerError(f"speaks of shards {text} of {of} in a form that no sweep writes; make it again")
    return found


class Slice(NamedTuple):
    """The shards that one of N jobs computes: every N-th one.

    Attributes:
        place: the number of the job, from 1 to ``of``.
        of: the number of jobs.
    """

    place: int = 1
    of: int = 1

    def shards(self, count: int) -> range:
        """Return the numbers of this slice's shards in a sweep with ``count`` shards."""
        return range(self.place - 1, count, self.of)

    def __str__(self) -> str:
        return f"{self.place}/{self.of}"


WHOLE = Slice()


def slice_of(text: str) -> Slice:
    """Read a slice from a text such as ``2/4``.

    Raises:
        ValueError: the text is not of the form I/N with I from 1 to N.
    """
    found = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"{text!r} is no part; write I/N with I from 1 to N, 1/4 for the first of four")
    return Slice(int(found[1]), int(found[2]))


class Shards(NamedTuple):
    """The numbers of the shards in a ledger.

    Attributes:
        done: the shards with a result.
        failed: the shards without a result after two attempts.
    """

    done: frozenset[int]
    failed: frozenset[int]

    @property
    def both(self) -> frozenset[int]:
        """The shards of both kinds."""
        return self.done | self.failed


def shards_of(header: Header) -> Shards:
    """Return the shards of a ledger with this header.

    Raises:
        LedgerError: the ledger belongs to no sweep, or the text of its shard numbers is not valid.
    """
    if header.sweep is None:
        raise LedgerError(f"is of no sweep but of `{header.profile}`; name ledgers or stores of sweeps")
    of = header.sweep.of
    return Shards(numbers(header.sweep.shards, of), numbers(header.sweep.failed_shards, of))


def with_shards(header: Header, done: Iterable[int], failed: Iterable[int]) -> Header:
    """Return a copy of the header that states these shards."""
    sweep = header.sweep
    return replace(
        header, sweep=sweep and replace(sweep, shards=to_text(done), failed_shards=to_text(failed))
    )


def shard_ledger(header: Header, entries: Iterable[Difference], shard: int, answer: Done | Failed) -> Ledger:
    """Make the ledger of one shard from a worker's answer and the adapters' known differences."""
    if isinstance(answer, Failed):
        begins = NO_VERDICT if answer.late else ""
        fault = Fault(who=answer.who, what=f"{begins}shard {shard} failed: {answer.what}")
        return Ledger(with_shards(header, [], [shard]), faults=(fault,), verdict=1)
    cells = {record.cell: record.summary for record in answer.cells}
    refusals = Refusals()
    refusals.merge(answer.answers)
    faults = (*answer.faults, *refusals.faults())
    verdict = 1 if faults or against(rows(cells)) else 0
    done = with_shards(header, [shard], [])
    known = known_lines(entries, cells)
    return Ledger(done, cells, known=known, faults=faults, verdict=verdict, answers=answer.answers)


def against(lines: Sequence[Row]) -> list[str]:
    """Return a line with the adapters for each of *outside*, *failed* and *no verdict* that occurs."""
    found = {
        verdict: dict.fromkeys(row.adapter for row in lines if row.verdict == verdict)
        for verdict in (OUTSIDE, FAILED, LATE)
    }
    return [f"{verdict}: {', '.join(who)}" for verdict, who in found.items() if who]


@dataclass
class SweepResults:
    """The merged results of some shards, which do not depend on the order of merging.

    Attributes:
        header: the header of the sweep.
        done: the shards whose results were added.
        failed_shards: the shards without a result after two attempts.
        cells, known: the merged contents of the ledgers, as in `Ledger`.
        refusals: what the adapters answered and refused in all shards.
    """

    header: Header
    done: set[int] = field(default_factory=set)
    failed_shards: set[int] = field(default_factory=set)
    cells: dict[Cell, Summary] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    _faults: set[Fault] = field(default_factory=set)

    def add(self, ledger: Ledger) -> None:
        """Add the ledger of one or several shards.

        Raises:
            LedgerError: the result of one of these shards was added before, or a text is that of no case.
        """
        done, failed = shards_of(ledger.header)
        if twice := self.done & done:
            raise LedgerError(f"shards that are there already: {to_text(twice)}; name each result once")
        self.done |= done
        self.failed_shards = (self.failed_shards | failed) - self.done
        add(self.cells, ledger.cells)
        self.known |= {entry.name: entry for entry in ledger.known}
        alone = Refusals()
        try:
            for refusals in (alone, self.refusals):
                refusals.merge(ledger.answers)
        except CaseError as error:
            raise LedgerError(str(error)) from None
        # What these shards show alone may have another case in the whole.
        self._faults = _first(self._faults | set(ledger.faults) - alone.faults())

    @property
    def faults(self) -> set[Fault]:
        """The faults of all shards, with the refusals by values that only several of them show."""
        return self._faults | self.refusals.faults()

    @property
    def rows(self) -> list[Row]:
        """The rows of the table."""
        return rows({cell: self.cells[cell] for cell in sorted(self.cells)})

    @property
    def reasons(self) -> list[str]:
        """The reasons why the sweep is not within bounds, one line each; empty if it is."""
        lines = self.rows
        judged = {row.adapter for row in lines if row.judged or row.verdict in (FAILED, LATE)}
        adapters_without_verdict = [one.name for one in self.header.adapters if one.name not in judged]
        found = against(lines) + (
            [f"nothing judged: {', '.join(adapters_without_verdict)}"] if adapters_without_verdict else []
        )
        faults = self.faults
        late = sum(fault.what.startswith(NO_VERDICT) for fault in faults)
        counts = {
            "faults": len(faults) - late,
            "no verdict, for want of an answer in time": late,
            "failed shards": len(self.failed_shards),
        }
        return found + [f"{what}: {count}" for what, count in counts.items() if count]

    def ledger(self, *, complete: bool) -> Ledger:
        """Make the ledger of the merged results, which are complete if all shards are there."""
        return Ledger(
            with_shards(self.header, self.done, self.failed_shards),
            self.cells,
            known=_covering(self.known, self.cells),
            faults=tuple(self.faults),
            ending=COMPLETE if complete else INTERRUPTED,
            verdict=1 if self.reasons else 0,
            answers=self.refusals.lines(),
        )


def _first(faults: Iterable[Fault]) -> set[Fault]:
    """Keep the first `FAULTS` faults of each adapter in sorted order, whatever the order of adding."""
    kept: dict[str, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: (fault.who, fault.what)):
        kept.setdefault(fault.who, []).append(fault)
    return {fault for of_one in kept.values() for fault in of_one[:FAULTS]}


def _covering(entries: Mapping[str, Known], cells: Mapping[Cell, Summary]) -> tuple[Known, ...]:
    """Return the known differences with the counts of the elements that they cover in these cells."""
    counts = known_of(cells.values())
    return tuple(replace(entry, covered=counts.get(name, {})) for name, entry in entries.items())
