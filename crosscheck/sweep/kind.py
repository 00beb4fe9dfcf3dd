"""The protocol of a kind of sweep: a number of shards, each a range of cases whose result can be merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from crosscheck.errors import UserError
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.results.lines import Fault
from crosscheck.results.summary import Cell, Summary, add


class SweepError(UserError):
    """A sweep cannot run with the given options; the message is one line that says what to do."""


@dataclass(frozen=True)
class ShardResult:
    """The result of one or more shards; merging is associative and commutative, ``ShardResult()`` is neutral.

    Attributes:
        problems: the number of problems that each adapter evaluated.
        cells: the summary of each cell.
        faults: disagreements and crashes, without duplicates.
    """

    problems: int = 0
    cells: Mapping[Cell, Summary] = field(default_factory=dict)
    faults: frozenset[Fault] = frozenset()

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> ShardResult:
        """Merge several results into one."""
        problems, cells, faults = 0, dict[Cell, Summary](), frozenset[Fault]()
        for part in parts:
            problems += part.problems
            add(cells, part.cells)
            faults |= part.faults
        return cls(problems, cells, faults)


class SweepKind(Protocol):
    """A kind of sweep with its settings; a `msgspec.Struct`, so that it can be sent to other processes.

    Attributes:
        profile: the profile in the header of its ledger: ``sweep`` and the name of the kind.
        seed: the seed of the first case.
        dtypes: the dtypes of its cases.
    """

    @property
    def profile(self) -> str:
        """The profile in the header of its ledger."""

    @property
    def seed(self) -> int:
        """The seed of the first case."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes of its cases."""

    def __len__(self) -> int:
        """Return the number of shards; in a longer sweep all shards but the old last one stay the same."""

    def problems(self, shard: int) -> int:
        """Return the number of problems of a shard."""

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """Run a shard's cases with all adapters, which may be in this process.

        Args:
            shard: the number of the shard, from 0 on.
            adapters: all adapters, by selector.

        Raises, with a note that replays the case:
            AdapterMisbehaved: an adapter broke the contract in a way that its values do not show.
            AdapterCrashed: an adapter in a process of its own crashed.
        """
