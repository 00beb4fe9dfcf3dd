"""Contract checks of a comparison: started while the last cases are judged, on the plan's cases for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from adapters.errors import NoAnswer
from crosscheck.cases import Case
from crosscheck.comparison.engine import Results
from crosscheck.comparison.planned import Plan
from crosscheck.message import replay
from crosscheck.pool import AdapterPool


class ContractCheck(NamedTuple):
    """A check of the contract that is under way.

    Attributes:
        case: the input.
        name: of the adapter's spec.
        violations: the sentences to come.
    """

    case: Case
    name: str
    violations: Future[list[str]]


def start_checks(plan: Plan, pool: AdapterPool) -> Iterator[ContractCheck]:
    """Start the plan's contract checks."""
    for case, names in plan.contract(list(pool.adapters)):
        problem = case.problem()
        yield from (ContractCheck(case, name, pool.submit_contract(name, problem)) for name in names)


def collect_violations(results: Results, begun: Sequence[ContractCheck]) -> list[str]:
    """How the adapters break the contract; nothing after Ctrl-C, which ends the run."""
    if results.interrupted:
        return []
    try:
        return [line for check in begun for line in _entries(check, results)]
    except KeyboardInterrupt:
        results.interrupted = True
        return []


def _entries(check: ContractCheck, results: Results) -> list[str]:
    """An entry for each sentence; the last one has the line that replays them all.

    No answer in time is no violation: it is added to ``results.late``.
    """
    again = f"\n    replay  {replay(check.case.text, check.name)}"
    try:
        entries = [f"{check.case.dtype}: {sentence}" for sentence in check.violations.result()]
    except NoAnswer as late:
        results.late.append(f"{late}{again}")
        return []
    if entries:
        entries[-1] += again
    return entries
