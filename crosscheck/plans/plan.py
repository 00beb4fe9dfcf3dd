"""The plan of a comparison, as an interface: the core plan and the matrix implement it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from crosscheck.cases import Case


class PlannedCase(NamedTuple):
    """A case, and the adapters that evaluate it.

    Attributes:
        case: the input; all adapters share its judge.
        names: the names of the adapters' specs.
    """

    case: Case
    names: tuple[str, ...]


class Plan(Protocol):
    """The cases of a comparison, and the reasons for its gaps.

    Attributes:
        title: one line on what is compared.
        seed: the seed of the first cases.
        dtypes: the dtypes of the cases.
        is_whole: whether the plan contains everything that a plan of its kind can contain.
        is_exhaustive: whether the plan has every mode and shape there is, so that a known difference without
            a match is outdated.
        unsupported: what the plan cannot contain, with the reasons.
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
        """Whether the plan contains everything that a plan of its kind can contain."""

    @property
    def is_exhaustive(self) -> bool:
        """Whether the plan has every mode and shape there is."""

    @property
    def unsupported(self) -> list[str]:
        """What the plan cannot contain, with the reasons."""

    def __len__(self) -> int:
        """Return the number of cases."""

    def planned_cases(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield the cases in order, each with those of the named specs that evaluate it."""

    def contract(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield the cases of contract checks, each with those of the named specs that are checked."""

    def label(self, name: str) -> str:
        """Return the label of an adapter's row in the table; adapters with the same label share a row."""

    def classes(self, name: str) -> tuple[str, ...]:
        """Return the classes of shapes that have separate rows of the coverage, for the spec of this name."""

    def reason_not_planned(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Return why the plan has no such case for the named spec; None if it has one or should have one."""

    def reason_not_hit(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """Return why the planned cases may have no element in the regime; None if they should have some."""
