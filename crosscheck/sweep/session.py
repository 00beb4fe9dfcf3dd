"""A whole sweep: it starts workers, stores and merges shards as they finish, and prints the report."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec
from rich.console import Console

from adapters import Spec
from adapters.process_options import ProcessOptions
from adapters.protocol import Description
from crosscheck.console import Interruption, console_for, say
from crosscheck.exit_codes import ExitCode
from crosscheck.results.environment import command
from crosscheck.results.known import KnownDifferences
from crosscheck.results.known_entry import Difference
from crosscheck.results.ledger import begin, write
from crosscheck.sweep.display import Bar, heading, progress, show
from crosscheck.sweep.job import (
    Answer,
    Done,
    Failed,
    Job,
    Refused,
    SweepError,
    SweepKind,
    WorkerInfo,
    header_of,
)
from crosscheck.sweep.pool import Pool
from crosscheck.sweep.record import MOST_SHARDS, WHOLE, Slice, SweepResults, shard_ledger, shards_of
from crosscheck.sweep.store import Store, stored

STORES: Final = Path(".crosscheck/sweeps")
LIMIT: Final = 600.0  # in seconds; frameworks may have to compile before the first case of a shard


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """Options of a sweep on which its result does not depend.

    Attributes:
        workers: the number of worker processes on this machine.
        limit: the seconds that a shard may take.
        store: the directory for finished shards; None: a directory below `STORES`.
        resume: whether the store may have shards already.
        part: the shards that this process computes.
        scheduler: the address of the Dask scheduler whose workers compute instead of this machine.
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


def sweep_and_show(
    kind: SweepKind, specs: Sequence[Spec], options: ProcessOptions, sweep_options: SweepOptions
) -> int:
    """Compute the shards of a sweep, print the report, and return the exit code.

    Raises:
        AdapterError: an adapter cannot be loaded.
        JournalError: the journal cannot be written.
        KnownError: the record of known differences cannot be used.
        LedgerError: the store or the ledger cannot be used.
        SweepError: there is nothing to compute, or the cluster cannot compute it.
    """
    shards = _shards(kind, sweep_options.part)
    known = KnownDifferences.shipped()
    job = Job.of(kind, specs, options, sweep_options.limit)
    console = console_for(terminal=sys.stdout.isatty())
    with ExitStack() as stack:
        workers = min(sweep_options.workers, len(shards)) if sweep_options.scheduler is None else 1
        pool = Pool(job, workers)
        stack.callback(pool.close)
        with Console(stderr=True).status("starting the frameworks"):
            info = pool.worker_info()
        header = header_of(kind, info, command())
        folder = sweep_options.store or _default_store(kind, specs, sweep_options.part)
        store = Store.opened(folder, header, resume=sweep_options.resume)
        stack.callback(store.close)
        say(console, *heading(header), _extent(kind, shards, sweep_options.part), f"Store: {folder}")
        if sweep_options.ledger is not None:
            begin(sweep_options.ledger, header)
        executor = _executor(pool, job, info, sweep_options.scheduler)
        stack.callback(executor.close)
        entries = known.applicable(Description.of_plain(said) for said in info.descriptions.values())
        sweep = _Sweep(kind, store, SweepResults(header), entries)
        sweep.take_stored(shards)
        is_whole = sweep.run(executor, shards)
        merged = sweep.results.ledger(complete=is_whole)
        show(sweep.results, merged, console, sweep.counted, details=sweep_options.details)
        if sweep_options.ledger is not None:
            write(sweep_options.ledger, merged)
            say(console, f"Ledger: {sweep_options.ledger}")
    if not is_whole:
        say(console, "Interrupted; the same with --resume goes on from here.")
        return ExitCode.INTERRUPTED
    return merged.verdict


def _shards(kind: SweepKind, part: Slice) -> range:
    """Return the numbers of the shards to compute, of which there is at least one."""
    if len(kind) > MOST_SHARDS:
        raise SweepError(f"{len(kind):,} shards; a sweep has at most {MOST_SHARDS:,}; make them larger")
    shards = part.shards(len(kind))
    if not shards:
        raise SweepError(f"--shard {part}: the sweep has {len(kind)} shards, none of which is in this part")
    return shards


def _default_store(kind: SweepKind, specs: Sequence[Spec], part: Slice) -> Path:
    """Return the directory of a store, which is named after the cases and adapters.

    Versions are left out of the name, so that a store made with other versions is found and refused.
    """
    what = [kind.profile, msgspec.to_builtins(kind), [(spec.name, spec.target) for spec in specs], str(part)]
    return STORES / hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:12]


def _extent(kind: SweepKind, shards: range, part: Slice) -> str:
    """Return a line with the numbers of problems and shards."""
    problems, number = sum(map(kind.problems, shards)), f"{len(shards):,} shard{'s' * (len(shards) > 1)}"
    where = number if part == WHOLE else f"{number}, part {part} of {len(kind):,}"
    return f"Problems for each adapter: {problems:,}, in {where}"


def _executor(pool: Pool, job: Job, info: WorkerInfo, scheduler: str | None) -> Executor:
    """Return the pool, or close it and return the executor of the cluster."""
    if scheduler is None:
        return pool
    pool.close()
    from crosscheck.sweep.cluster import DaskExecutor

    return DaskExecutor(scheduler, job, info)


class Executor(Protocol):
    """An object that computes shards, in worker processes of this machine or on a Dask cluster."""

    @property
    def max_pending(self) -> int:
        """The number of shards that may be submitted at a time: enough that no worker has to wait."""

    def submit(self, shard: int, first: Failed | None) -> Future[Answer]:
        """Submit a shard for computation.

        Args:
            shard: the number of the shard.
            first: how the first attempt failed, if this is the second, which runs carefully on another
                worker; None for the first attempt.
        """

    def close(self) -> None:
        """Stop every computation at once."""


class ShardAnswer(NamedTuple):
    """The last answer for a shard.

    Attributes:
        shard: the number of the shard.
        answer: the result of the shard, or the reason why there is none.
        first: how the first attempt failed; None if it did not.
    """

    shard: int
    answer: Done | Failed
    first: Failed | None = None


def compute(executor: Executor, shards: Iterable[int]) -> Iterator[ShardAnswer]:
    """Compute shards, trying each failed one a second time; yield the last answer for each as it arrives.

    Raises:
        AdapterError, JournalError, SweepError: the executor cannot compute any shard.
    """
    todo = iter(shards)
    waiting: dict[Future[Answer], tuple[int, Failed | None]] = {}
    while True:
        while len(waiting) < executor.max_pending and (shard := next(todo, None)) is not None:
            waiting[executor.submit(shard, None)] = shard, None
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            shard, first = waiting.pop(future)
            answer = future.result()
            if isinstance(answer, Refused):
                raise answer.error
            if isinstance(answer, Failed) and first is None:
                waiting[executor.submit(shard, answer)] = shard, answer
            else:
                yield ShardAnswer(shard, answer, first)


class _Sweep:
    """A running sweep: its kind, its store and its results so far."""

    def __init__(
        self, kind: SweepKind, store: Store, results: SweepResults, entries: Sequence[Difference]
    ) -> None:
        self._kind, self._store, self.results, self._entries = kind, store, results, entries
        self._computed, self._seconds, self._resumed = 0, 0.0, 0

    @property
    def counted(self) -> str:
        """Return a line with the number of problems computed, the seconds and the rate."""
        before = f"; {self._resumed:,} shards were in the store" if self._resumed else ""
        rate = self._computed / max(self._seconds, 1e-9)
        return f"{self._computed:,} problems in {self._seconds:.1f} s, {rate:,.0f} problems/s{before}"

    def take_stored(self, shards: range) -> None:
        """Add the results that are in the store; a damaged shard and a failed one are computed again."""
        for _, ledger in stored(self._store.path, self._store.header, "it is computed again", shards):
            if shards_of(ledger.header).done:
                self.results.add(ledger)
        self._resumed = len(self.results.done)

    def run(self, executor: Executor, shards: range) -> bool:
        """Compute the shards that have no result yet; return False if Ctrl-C interrupted this."""
        todo = [shard for shard in shards if shard not in self.results.done]
        problems = sum(map(self._kind.problems, todo))
        begin, interruption = time.monotonic(), Interruption()
        try:
            with interruption.handled(), progress(len(todo), problems) as bar:
                for result in compute(executor, todo):
                    with interruption.deferred():
                        self._keep(result, bar)
        except KeyboardInterrupt:
            executor.close()
            return False
        finally:
            self._seconds = time.monotonic() - begin
        return True

    def _keep(self, result: ShardAnswer, bar: Bar) -> None:
        shard, answer, first = result
        if first is not None:
            second = (
                "failed too" if isinstance(answer, Failed) else "has faults" if answer.faults else "is good"
            )
            bar.say(f"shard {shard}: {first.what}; the second attempt {second}")
        ledger = shard_ledger(self._store.header, self._entries, shard, answer)
        self._store.keep(ledger, shard)
        self.results.add(ledger)
        self._computed += self._kind.problems(shard)
        bar.advance(self._kind.problems(shard), ledger.cells)
