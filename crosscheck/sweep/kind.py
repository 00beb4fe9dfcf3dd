"""What a kind of sweep is: a number of shards, each a range of cases whose result can be merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from crosscheck.evaluation import CheckedAdapter
from crosscheck.ledger import Fault
from crosscheck.summary import Cell, Summary, add


class SweepError(Exception):
    """A sweep that cannot be made as it was asked for; the message is one line that says what to do."""


@dataclass(frozen=True)
class ShardResult:
    """The result of one or more shards; merging is associative and commutative, ``ShardResult()`` is neutral.

    Attributes:
        problems: how many each adapter was given.
        cells: a summary for each cell.
        faults: disagreements and crashes, each once.
    """

    problems: int = 0
    cells: Mapping[Cell, Summary] = field(default_factory=dict)
    faults: frozenset[Fault] = frozenset()

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> ShardResult:
        """All of them as one."""
        problems, cells, faults = 0, dict[Cell, Summary](), frozenset[Fault]()
        for part in parts:
            problems += part.problems
            add(cells, part.cells)
            faults |= part.faults
        return cls(problems, cells, faults)


class SweepKind(Protocol):
    """A kind of sweep with its settings; a `msgspec.Struct`, so that it can be sent to other processes.

    Attributes:
        profile: what the header of its ledger says: ``sweep`` and its kind.
        seed: of the first case.
        dtypes: of its cases.
    """

    @property
    def profile(self) -> str:
        """What the header of its ledger says."""

    @property
    def seed(self) -> int:
        """Of the first case."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Of its cases."""

    def __len__(self) -> int:
        """How many shards there are; more of them change none of those before, but for the last."""

    def problems(self, shard: int) -> int:
        """How many problems a shard has."""

    def run(self, shard: int, adapters: Mapping[str, CheckedAdapter]) -> ShardResult:
        """Run a shard's cases with all adapters, which may be in this process.

        Args:
            shard: from 0 on.
            adapters: all of them, by what selects them.

        Raises, with a note that replays the case:
            AdapterMisbehaved: an adapter broke the contract in a way that its values do not show.
            AdapterCrashed: an adapter in a process of its own crashed.
        """
