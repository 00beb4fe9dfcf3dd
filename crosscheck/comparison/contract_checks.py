"""Contract checks of a comparison, on cases of the plan, while its last results are judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from adapters.errors import NoAnswer
from crosscheck.comparison.engine import Results
from crosscheck.explain.message import replay
from crosscheck.inputs import Case
from crosscheck.plans.plan import Plan, cases_of
from crosscheck.pool import AdapterPool


class ContractCheck(NamedTuple):
    """A check of the contract in progress.

    Attributes:
        case: the input.
        name: the name of the adapter's spec.
        violations: the future sentences, one for each violation.
    """

    case: Case
    name: str
    violations: Future[list[str]]


def start_checks(plan: Plan, pool: AdapterPool) -> Iterator[ContractCheck]:
    """Start the plan's contract checks."""
    for case, names in cases_of(plan.contract, pool.adapters):
        problem = case.problem()
        yield from (ContractCheck(case, name, pool.submit_contract(name, problem)) for name in names)


def collect_violations(results: Results, begun: Sequence[ContractCheck]) -> list[str]:
    """Return an entry for each violation of the contract; none after Ctrl-C, which ends the run."""
    if results.interrupted:
        return []
    try:
        return [line for check in begun for line in _entries(check, results)]
    except KeyboardInterrupt:
        results.interrupted = True
        return []


def _entries(check: ContractCheck, results: Results) -> list[str]:
    """Return an entry for each sentence of a check; the last one has the command that replays them all.

    A time-out is no violation: it is added to ``results.late``.
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
