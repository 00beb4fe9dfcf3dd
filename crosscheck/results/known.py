"""Known differences: their record in TOML, and the wrong elements of an outcome that they cover."""

from __future__ import annotations

import platform
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import msgspec
import numpy as np

from adapters.errors import one_line
from adapters.protocol import Description
from crosscheck.errors import UserError
from crosscheck.inputs.literals import one_of
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from crosscheck.results.known_entry import Difference, Setting
from reference.types import Bool, Problem

SHIPPED: Final = Path(__file__).with_name("known_differences.toml")


# The axes of ŷ, [*stack, m, p], over which one element of an output depends on it.
SUMMED: Final[dict[str, tuple[int, ...]]] = {"y_hat": (), "loss": (-2, -1), "grad": (-2,), "row_loss": (-1,)}


class KnownError(UserError, ValueError):
    """The record cannot be used; the message is one line: file, entry, what is wrong, what is allowed."""


class KnownMatch(NamedTuple):
    """The wrong elements of one outcome, covered and not covered by known differences.

    Attributes:
        covered: how many wrong elements each entry covers, by its name; entries that overlap both count them.
        uncovered: which wrong elements no entry covers, by output, in its shape; only outputs that have some.
        failed: whether the adapter gave no result or broke the contract, which no entry covers.
    """

    covered: dict[str, int]
    uncovered: dict[str, Bool]
    failed: bool = False

    @property
    def is_green(self) -> bool:
        """Whether the adapter did not fail and known differences cover all its wrong elements."""
        return not self.failed and not self.uncovered

    def without_known(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the covered elements marked as admissible, to report the others."""
        judgements = {
            output: judgement._replace(admissible=~self.uncovered[output])
            if output in self.uncovered
            else judgement._replace(admissible=np.ones_like(judgement.admissible))
            for output, judgement in outcome.judgements.items()
        }
        return outcome._replace(judgements=judgements)


class Match(NamedTuple):
    """The elements of one output that one entry covers.

    Attributes:
        name: the name of the entry.
        regimes: the regimes that the entry names; None for any.
        elements: which wrong elements the entry covers, in the output's shape.
    """

    name: str
    regimes: Collection[str] | None
    elements: Bool


def combine_matches(outcome: Outcome, matches: Mapping[str, Sequence[Match]]) -> KnownMatch:
    """Combine the matches of all disagreeing outputs, given by output, into one `KnownMatch`."""
    found = KnownMatch({}, {}, failed=outcome.failure is not None)
    for output in outcome.disagreeing:
        uncovered = ~outcome.judgements[output].admissible
        for match in matches[output]:
            uncovered = uncovered & ~match.elements
            found.covered[match.name] = found.covered.get(match.name, 0) + int(match.elements.sum())
        if uncovered.any():
            found.uncovered[output] = np.asarray(uncovered)
    return found


def by_regime(judge: Judge, output: str, match: Match) -> dict[str, int]:
    """Count the covered elements by regime.

    The regime of an element is the first of the entry's regimes in which a ŷ lies that the element depends
    on.
    """
    found: dict[str, int] = {}
    left = match.elements
    for name in (*(regime for regime in REGIMES if regime != "ordinary"), "ordinary"):
        if match.regimes is None or name in match.regimes:
            here = left & in_regimes(judge, output, [name])
            left = left & ~here
            found[name] = int(here.sum())
    return {name: count for name, count in found.items() if count}


def in_regimes(judge: Judge, output: str, regimes: Collection[str] | None) -> Bool:
    """Return which elements of an output depend on a ŷ in one of the regimes; None stands for any regime."""
    names = tuple(REGIMES) if regimes is None else regimes
    inside = np.isin(judge.places, [place for place, name in enumerate(REGIMES) if name in names])
    found = np.asarray(inside.any(axis=SUMMED[output]))
    if output == "grad":  # all weights of a column depend on the same ŷ
        return np.repeat(found[..., None, :], judge.problem.X.shape[-1], axis=-2)
    return found


def equal_arrays(problem: Problem) -> frozenset[str]:
    """Return the names of the arrays of a problem of which all numbers have the same bits."""
    flat = {name: array.reshape(-1) for name, array in problem._asdict().items()}
    equal = (name for name, array in flat.items() if array.tobytes() == array[:1].tobytes() * array.size)
    return frozenset(equal)


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class KnownDifferences:
    """The entries of one file, for one day and one machine.

    Attributes:
        entries: all entries, in the order of the file.
        today: the day; an entry that has expired before it covers nothing.
        machine: the architecture, as `platform.machine` returns it.
    """

    entries: tuple[Difference, ...] = ()
    today: date = field(default_factory=_today)
    machine: str = field(default_factory=platform.machine)

    @classmethod
    def read(cls, path: str | Path, today: date | None = None) -> Self:
        """Read a file, without executing anything in it or making its cases.

        Args:
            path: the path of the file.
            today: the day; None for the current day in UTC.

        Raises:
            KnownError: the file is missing or no TOML, or an entry is not as `Difference` requires.
        """
        entries = tuple(_entry(path, table, place) for place, table in enumerate(_tables(path), start=1))
        for name, count in Counter(entry.name for entry in entries).items():
            if count > 1:
                raise KnownError(f"{path}: {count} entries are called {name!r}; give each a name of its own")
        return cls(entries, today or _today())

    @classmethod
    def shipped(cls) -> Self:
        """Read the suite's own file, which every installation contains.

        Raises:
            KnownError: as `read`.
        """
        return cls.read(SHIPPED)

    def expired(self, today: date | None = None) -> tuple[Difference, ...]:
        """Return the entries whose last day is over."""
        day = today or self.today
        return tuple(entry for entry in self.entries if entry.expires is not None and entry.expires < day)

    @property
    def in_force(self) -> tuple[Difference, ...]:
        """The entries that have not expired."""
        expired = self.expired()
        return tuple(entry for entry in self.entries if entry not in expired)

    def applicable(self, present: Iterable[Description]) -> tuple[Difference, ...]:
        """Return the entries that concern one of these adapters on this machine, expired ones included."""
        there = list(present)
        return tuple(e for e in self.entries if any(e.concerns(said, self.machine) for said in there))

    def unmatched(
        self, matches: Iterable[KnownMatch], present: Iterable[Description]
    ) -> tuple[Difference, ...]:
        """Return the entries in force that cover nothing, although they were sighted in an adapter's release.

        In other releases that an entry's versions include, its fault may be absent: nobody has seen it there.
        """
        matched = {name for each in matches for name in each.covered}
        in_force, there = self.in_force, list(present)
        return tuple(
            entry
            for entry in in_force
            if entry.name not in matched
            and any(entry.concerns(said, self.machine) and entry.is_sighted(said.version) for said in there)
        )

    def match(self, judge: Judge, outcome: Outcome, shape: tuple[int, ...]) -> KnownMatch:
        """Match the wrong elements of an outcome with the entries.

        Args:
            judge: the judge of the outcome.
            outcome: the outcome of one adapter.
            shape: the shape of the case, ``(*stack, m, n, p)``.
        """
        return combine_matches(outcome, self.matches(judge, outcome, shape))

    def matches(self, judge: Judge, outcome: Outcome, shape: tuple[int, ...]) -> dict[str, list[Match]]:
        """Return the elements that each entry covers, by disagreeing output; arguments as for `match`."""
        found: dict[str, list[Match]] = {}
        equal = equal_arrays(judge.problem) if outcome.disagreeing else frozenset()
        for output in outcome.disagreeing:
            setting = Setting(outcome.description, judge.format.name, output, shape, equal, self.machine)
            wrong = ~outcome.judgements[output].admissible
            matches = [
                Match(entry.name, entry.regimes, np.asarray(wrong & in_regimes(judge, output, entry.regimes)))
                for entry in self.in_force
                if entry.applies(setting)
            ]
            found[output] = [match for match in matches if match.elements.any()]
        return found


def _tables(path: str | Path) -> list[dict[str, Any]]:
    """Return the tables of a file, before their fields are checked."""
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise KnownError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # ValueError also for other encodings and huge integers
        raise KnownError(f"{path}: is no TOML: {one_line(error)}") from None
    others = [key for key in data if key != "difference"]
    if others:
        raise KnownError(f"{path}: unknown key {others[0]!r}; the file holds tables [[difference]] only")
    tables = data.get("difference", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise KnownError(f"{path}: difference is no list of tables; write [[difference]] above each entry")
    return tables


def _entry(path: str | Path, table: dict[str, Any], place: int) -> Difference:
    """Read one entry from its table, the table number `place` of the file."""
    named = table.get("name")
    label = repr(named) if isinstance(named, str) and named else f"number {place}"
    try:
        for key in table:
            one_of(key, Difference.__struct_fields__, "field")
        # only TOML's own dates count: a string that looks like a date is none
        return msgspec.convert(table, Difference, builtin_types=(date,))
    except (ValueError, msgspec.ValidationError) as error:
        raise KnownError(f"{path}: entry {label}: {one_line(error)}") from None
