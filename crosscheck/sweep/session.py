"""A whole sweep: workers started, shards stored and merged as they finish, the report printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from adapters import Spec
from adapters.conditions import Conditions
from adapters.protocol import Description
from crosscheck.comparison.report import console_for, say
from crosscheck.comparison.session import command
from crosscheck.known import Difference, KnownDifferences
from crosscheck.ledger import LedgerError, begin, write
from crosscheck.sweep.engine import Crew, Result, results
from crosscheck.sweep.errors import SweepError
from crosscheck.sweep.identity import header_of, short_digest
from crosscheck.sweep.lane import Lane
from crosscheck.sweep.local import Local, told_here
from crosscheck.sweep.messages import Failed, Job, Told
from crosscheck.sweep.numbers import MOST_SHARDS, WHOLE, Slice
from crosscheck.sweep.pool import Pool
from crosscheck.sweep.progress import Bar, Interruption, progress
from crosscheck.sweep.record import Record, shard_ledger
from crosscheck.sweep.show import heading, show
from crosscheck.sweep.store import Store, shard_in, stored

AGREEMENT, DISAGREEMENT, INTERRUPTED = 0, 1, 130
STORES: Final = Path(".crosscheck/sweeps")
LIMIT: Final = 600.0  # seconds: frameworks may have to compile before the first case of a shard


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How a sweep is made, which changes nothing of its result.

    Attributes:
        workers: how many processes of this machine compute.
        limit: seconds that a shard may take.
        store: the directory for finished shards; None: one below `STORES`.
        resume: whether it may have some already.
        part: which shards are this process's.
        scheduler: of the Dask cluster that computes instead of this machine.
        ledger: the file for the merged result.
        details: whether the table shows each output, with the extremes.
    """

    workers: int
    limit: float = LIMIT
    store: Path | None = None
    resume: bool = False
    part: Slice = WHOLE
    scheduler: str | None = None
    ledger: Path | None = None
    details: bool = False


def sweep_and_show(lane: Lane, specs: Sequence[Spec], conditions: Conditions, ways: Ways) -> int:
    """Compute the shards of a lane, print the report, and return the exit code.

    Raises:
        AdapterError: an adapter cannot be loaded.
        JournalError: the journal cannot be written.
        KnownError: the record of known differences cannot be used.
        LedgerError: the store or the ledger cannot be used.
        SweepError: there is nothing to compute, or the cluster cannot.
    """
    shards = _shards(lane, ways.part)
    known = KnownDifferences.shipped()
    job = Job.of(lane, specs, conditions, ways.limit)
    console = console_for(terminal=sys.stdout.isatty())
    with ExitStack() as stack:
        pool = Pool(job)
        stack.callback(pool.close)
        with Console(stderr=True).status("starting the frameworks"):
            workers = min(ways.workers, len(shards)) if ways.scheduler is None else 1
            told = told_here(pool, workers, job, conditions)
        header = header_of(lane, told, command())
        folder = ways.store or STORES / short_digest(lane, list(specs), ways.part)
        store = Store.opened(folder, header, resume=ways.resume)
        stack.callback(store.close)
        say(console, *heading(header), _extent(lane, shards, ways.part), f"Store: {folder}")
        if ways.ledger is not None:
            begin(ways.ledger, header)
        crew = _crew(pool, job, told, ways)
        stack.callback(crew.close)
        entries = known.applicable(Description.of_plain(said) for said in told.descriptions.values())
        sweep = _Sweep(lane, store, Record(header), entries)
        sweep.take_stored(shards)
        is_whole = sweep.run(crew, shards)
        merged = sweep.record.ledger(complete=is_whole)
        show(sweep.record, merged, console, sweep.counted, details=ways.details)
        if ways.ledger is not None:
            write(ways.ledger, merged)
            say(console, f"Ledger: {ways.ledger}")
    if not is_whole:
        say(console, "Interrupted; the same with --resume goes on from here.")
        return INTERRUPTED
    return merged.verdict


def _shards(lane: Lane, part: Slice) -> range:
    """Those to be computed, at least one."""
    if len(lane) > MOST_SHARDS:
        raise SweepError(f"{len(lane):,} shards; a sweep has at most {MOST_SHARDS:,}; make them larger")
    shards = part.shards(len(lane))
    if not shards:
        raise SweepError(f"--shard {part}: the sweep has {len(lane)} shards, none of which is in this part")
    return shards


def _extent(lane: Lane, shards: range, part: Slice) -> str:
    """What will run."""
    problems, number = sum(map(lane.problems, shards)), f"{len(shards):,} shard{'s' * (len(shards) > 1)}"
    where = number if part == WHOLE else f"{number}, part {part} of {len(lane):,}"
    return f"Problems for each adapter: {problems:,}, in {where}"


def _crew(pool: Pool, job: Job, told: Told, ways: Ways) -> Crew:
    if ways.scheduler is None:
        return Local(pool, ways.workers)
    pool.close()
    from crosscheck.sweep.cluster import Cluster

    return Cluster(ways.scheduler, job, told)


class _Sweep:
    """What is computed, where it is stored, and what it has come to."""

    def __init__(self, lane: Lane, store: Store, record: Record, entries: Sequence[Difference]) -> None:
        self._lane, self._store, self.record, self._entries = lane, store, record, entries
        self._computed, self._seconds, self._resumed = 0, 0.0, 0

    @property
    def counted(self) -> str:
        """How many problems there were, in how long."""
        before = f"; {self._resumed:,} shards were in the store" if self._resumed else ""
        rate = self._computed / max(self._seconds, 1e-9)
        return f"{self._computed:,} problems in {self._seconds:.1f} s, {rate:,.0f} problems/s{before}"

    def take_stored(self, shards: range) -> None:
        """Take in the results that the store has; what is damaged is computed again, and said."""
        console = Console(stderr=True)
        for shard, file in stored(self._store.path):
            if shard in shards:
                try:
                    ledger = shard_in(file, shard, self._store.header)
                except LedgerError as error:
                    say(console, f"{error}; it is computed again")
                    continue
                if ledger.header.sweep is not None and ledger.header.sweep.shards:
                    self.record.hear(ledger)
        self._resumed = len(self.record.done)

    def run(self, crew: Crew, shards: range) -> bool:
        """Compute what is not there; whether it came to its end."""
        todo = [shard for shard in shards if shard not in self.record.done]
        problems = sum(map(self._lane.problems, todo))
        begin, interruption = time.monotonic(), Interruption()
        try:
            with interruption.heard(), progress(len(todo), problems) as bar:
                for result in results(crew, todo):
                    with interruption.held():
                        self._hear(result, bar)
        except KeyboardInterrupt:
            crew.close()
            return False
        finally:
            self._seconds = time.monotonic() - begin
        return True

    def _hear(self, result: Result, bar: Bar) -> None:
        shard, answer, first = result
        if first is not None:
            aside = isinstance(answer, Failed)
            bar.say(f"shard {shard}: {first.what}; {'set aside' if aside else 'the second attempt is good'}")
        ledger = shard_ledger(self._store.header, self._entries, shard, answer)
        self._store.keep(ledger, shard)
        self.record.hear(ledger)
        self._computed += self._lane.problems(shard)
        bar.advance(self._lane.problems(shard), ledger.cells)
