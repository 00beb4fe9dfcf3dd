"""What a comparison asks of its plan, be it the same cases for all adapters or the matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from crosscheck.cases import Case


class Meeting(NamedTuple):
    """A case, and who meets it.

    Attributes:
        case: for all of them, who share its judge.
        names: of their specs.
    """

    case: Case
    names: tuple[str, ...]


class Planned(Protocol):
    """What a comparison has to know about its plan.

    Attributes:
        title: what is compared, in a line.
        seed: of the first cases.
        dtypes: of the cases.
        is_whole: whether nothing is left out that such a plan has.
        is_exhaustive: whether it has every mode and shape there is, so that what it does not meet is stale.
        lacking: what the plan cannot have, with the reason.
    """

    @property
    def title(self) -> str:
        """What is compared, in a line."""

    @property
    def seed(self) -> int:
        """Of the first cases."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Of the cases."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out that such a plan has."""

    @property
    def is_exhaustive(self) -> bool:
        """Whether it has every mode and shape there is, so that what it does not meet is stale."""

    @property
    def lacking(self) -> list[str]:
        """What the plan cannot have, with the reason."""

    def __len__(self) -> int:
        """How many cases there are."""

    def meetings(self, names: Sequence[str]) -> Iterator[Meeting]:
        """The cases in order, each with who meets it of the specs of these names."""

    def contract(self, names: Sequence[str]) -> Iterator[Meeting]:
        """The cases on which the contract is checked, likewise."""

    def label(self, name: str) -> str:
        """What an adapter's row of the table is called; several of one label are one row."""

    def classes(self, name: str) -> tuple[str, ...]:
        """The classes of shapes that the coverage of the spec of this name tells apart."""

    def why_empty(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Why the plan has nothing there for the spec of this name; None if it should have something."""

    def why_missed(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Why what the plan has there may have no element in the regime; None if it should have some."""
