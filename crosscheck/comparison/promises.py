"""The contract, checked on the plan's cases for that, while the last of the others are judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from adapters.errors import NoAnswer
from crosscheck.cases import Case
from crosscheck.comparison.contestant import Contestant
from crosscheck.comparison.engine import Record
from crosscheck.comparison.planned import Planned
from crosscheck.message import replay


class Check(NamedTuple):
    """A check of the contract that is under way.

    Attributes:
        case: the input.
        name: of the contestant's spec.
        violations: the sentences to come.
    """

    case: Case
    name: str
    violations: Future[list[str]]


def checks(plan: Planned, contestants: Mapping[str, Contestant]) -> Iterator[Check]:
    """Begin the checks of the plan."""
    for case, names in plan.contract(list(contestants)):
        problem = case.problem()
        yield from (Check(case, name, contestants[name].contract(problem)) for name in names)


def violations(record: Record, begun: Sequence[Check]) -> list[str]:
    """How the contestants break the contract; nothing after Ctrl-C, which ends the run."""
    if record.interrupted:
        return []
    try:
        return [line for check in begun for line in _told(check, record)]
    except KeyboardInterrupt:
        record.interrupted = True
        return []


def _told(check: Check, record: Record) -> list[str]:
    """An entry for each sentence; the last one has the line that replays them all.

    No answer in time is no violation; the record is told.
    """
    again = f"\n    replay  {replay(check.case.text, check.name)}"
    try:
        entries = [f"{check.case.dtype}: {sentence}" for sentence in check.violations.result()]
    except NoAnswer as late:
        record.late.append(f"{late}{again}")
        return []
    if entries:
        entries[-1] += again
    return entries
