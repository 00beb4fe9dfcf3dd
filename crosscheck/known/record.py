"""The record of known differences: a TOML file with one table ``[[difference]]`` for each."""

from __future__ import annotations

import platform
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import numpy as np

from adapters.errors import one_line
from adapters.protocol import Description
from crosscheck.cases.literals import one_of
from crosscheck.evaluation import Outcome
from crosscheck.judge import Judge
from crosscheck.known.entry import Difference, Setting
from crosscheck.known.match import KnownMatch, Match, combine_matches, in_regimes

SHIPPED: Final = Path(__file__).with_name("known_differences.toml")


class KnownError(ValueError):
    """A record that cannot be used; the message is one line: file, entry, what is wrong, what is allowed."""


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class KnownDifferences:
    """The entries of one file on one day and machine.

    Attributes:
        entries: all of them, in the order of the file.
        today: an entry that has expired by then covers nothing any more.
        machine: as `platform.machine` says.
    """

    entries: tuple[Difference, ...] = ()
    today: date = field(default_factory=_today)
    machine: str = field(default_factory=platform.machine)

    @classmethod
    def read(cls, path: str | Path, today: date | None = None) -> Self:
        """Read a file; nothing in it is executed, and no case is made.

        Args:
            path: of the file.
            today: None: by the clock, in UTC.

        Raises:
            KnownError: the file is missing or no TOML, or an entry is not what `Difference` says.
        """
        entries = tuple(_entry(path, table, place) for place, table in enumerate(_tables(path), start=1))
        for name, count in Counter(entry.name for entry in entries).items():
            if count > 1:
                raise KnownError(f"{path}: {count} entries are called {name!r}; give each a name of its own")
        return cls(entries, today or _today())

    @classmethod
    def shipped(cls) -> Self:
        """Those of the suite's own file, which every installation has.

        Raises:
            KnownError: as `read`.
        """
        return cls.read(SHIPPED)

    def expired(self, today: date | None = None) -> tuple[Difference, ...]:
        """The entries whose last day is over."""
        day = today or self.today
        return tuple(entry for entry in self.entries if entry.expires is not None and entry.expires < day)

    @property
    def in_force(self) -> tuple[Difference, ...]:
        """The entries that have not expired."""
        expired = self.expired()
        return tuple(entry for entry in self.entries if entry not in expired)

    def applicable(self, present: Iterable[Description]) -> tuple[Difference, ...]:
        """The entries that concern one of these adapters on this machine, expired ones included."""
        there = list(present)
        return tuple(e for e in self.entries if any(e.concerns(said, self.machine) for said in there))

    def unmatched(
        self, matches: Iterable[KnownMatch], present: Iterable[Description]
    ) -> tuple[Difference, ...]:
        """The entries in force that cover nothing of all this, though sighted in the release of an adapter.

        In any other release of an entry's versions the fault may be there: nobody has seen it.
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
            judge: that the outcome is from.
            outcome: of one adapter.
            shape: of the case, ``(*stack, m, n, p)``.
        """
        return combine_matches(outcome, self.matches(judge, outcome, shape))

    def matches(self, judge: Judge, outcome: Outcome, shape: tuple[int, ...]) -> dict[str, list[Match]]:
        """The elements that each entry covers, by output that disagrees; arguments as those of `match`."""
        found: dict[str, list[Match]] = {}
        for output in outcome.disagreeing:
            setting = Setting(outcome.description, judge.format.name, output, shape, self.machine)
            wrong = ~outcome.judgements[output].admissible
            matches = [
                Match(entry.name, entry.regimes, np.asarray(wrong & in_regimes(judge, output, entry.regimes)))
                for entry in self.in_force
                if entry.applies(setting)
            ]
            found[output] = [match for match in matches if match.elements.any()]
        return found


def _tables(path: str | Path) -> list[dict[str, Any]]:
    """The tables of a file, unread."""
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise KnownError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # ValueError also: no UTF-8, or a number of endless digits
        raise KnownError(f"{path}: is no TOML: {one_line(error)}") from None
    others = [key for key in data if key != "difference"]
    if others:
        raise KnownError(f"{path}: unknown key {others[0]!r}; the file holds tables [[difference]] only")
    tables = data.get("difference", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise KnownError(f"{path}: difference is no list of tables; write [[difference]] above each entry")
    return tables


def _entry(path: str | Path, table: dict[str, Any], place: int) -> Difference:
    """One entry from its table, the place-th of the file."""
    named = table.get("name")
    label = repr(named) if isinstance(named, str) and named else f"number {place}"
    try:
        for key in table:
            one_of(key, Difference.__struct_fields__, "field")
        # dates are TOML's own: a text that looks like one is none
        return msgspec.convert(table, Difference, builtin_types=(date,))
    except (ValueError, msgspec.ValidationError) as error:
        raise KnownError(f"{path}: entry {label}: {one_line(error)}") from None
