"""The plan of a comparison, as an interface: the core plan and the matrix implement it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from crosscheck.cases import Case


class PlannedCase(NamedTuple):
    """A case, and the adapters that evaluate it.

    Attributes:
        case: the input; all adapters share its judge.
        names: of the adapters' specs.
    """

    case: Case
    names: tuple[str, ...]


class Plan(Protocol):
    """The cases of a comparison, and why it has none elsewhere.

    Attributes:
        title: one line on what is compared.
        seed: of the first cases.
        dtypes: of the cases.
        is_whole: whether nothing is left out that such a plan can have.
        is_exhaustive: whether it has every mode and shape there is, so that a known difference without a
            match is stale.
        unsupported: what the plan cannot have, with the reason.
    """

    @property
    def title(self) -> str:
        """One line on what is compared."""

    @property
    def seed(self) -> int:
        """The seed of the first cases."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes of the cases."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out that such a plan can have."""

    @property
    def is_exhaustive(self) -> bool:
        """Whether it has every mode and shape there is."""

    @property
    def unsupported(self) -> list[str]:
        """What the plan cannot have, with the reason."""

    def __len__(self) -> int:
        """How many cases there are."""

    def planned_cases(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """The cases in order, each with those of the named specs that evaluate it."""

    def contract(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """The cases on which the contract is checked, each with those of the named specs that are checked."""

    def label(self, name: str) -> str:
        """The label of an adapter's row in the table; adapters of one label share a row."""

    def classes(self, name: str) -> tuple[str, ...]:
        """The classes of shapes that are separate rows of the coverage, for the spec of this name."""

    def reason_not_planned(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Why the plan has no case there for the spec of this name; None if it has some or should have."""

    def reason_not_hit(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Why the planned cases there may have no element in the regime; None if they should have some."""
