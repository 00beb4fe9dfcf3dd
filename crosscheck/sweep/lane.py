"""What a sweep goes through: a number of shards, each a range of cases with a result that merges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from crosscheck.ledger import Fault
from crosscheck.summary import Cell, Summary, add
from crosscheck.trial import Subject


@dataclass(frozen=True)
class Found:
    """The result of some shards: associative, commutative, ``Found()`` is its identity.

    Attributes:
        problems: how many problems every adapter met.
        cells: a summary for each cell.
        faults: what else speaks against an adapter, each once: a disagreement, a death.
    """

    problems: int = 0
    cells: Mapping[Cell, Summary] = field(default_factory=dict)
    faults: frozenset[Fault] = frozenset()

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Found:
        """All of them as one."""
        problems, cells, faults = 0, dict[Cell, Summary](), frozenset[Fault]()
        for part in parts:
            problems += part.problems
            add(cells, part.cells)
            faults |= part.faults
        return cls(problems, cells, faults)


class Lane(Protocol):
    """A kind of sweep with its settings; it goes to other processes as a message (`msgspec.Struct`).

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
        """How many shards there are; shard I is the same for any number of them, but for what ends a lane."""

    def problems(self, shard: int) -> int:
        """How many problems a shard has."""

    def run(self, shard: int, subjects: Mapping[str, Subject]) -> Found:
        """Put a shard to the adapters, which may be in this process.

        Args:
            shard: from 0 on.
            subjects: the adapters, by what selects them.

        Raises, with a note that replays the case:
            AdapterMisbehaved: an adapter broke the contract in a way that its values do not show.
            AdapterDied: an adapter that runs elsewhere did not survive.
        """
