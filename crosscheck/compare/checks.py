"""Checks beside the cases of a comparison: the contract, and the probes of `crosscheck.behaviours`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.console import Console

from adapters import CORE, Spec, is_ours
from adapters.errors import AdapterCrashed, AdapterError, NoAnswer
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.behaviours.survey import probe_adapter
from crosscheck.explain.message import replay
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.judging.variants import Variants
from crosscheck.plans.plan import Plan, cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from crosscheck.results.lines import AdapterFault, Observation
from crosscheck.results.record import Results


class ContractCheck(NamedTuple):
    """A check of the contract in progress.

    Attributes:
        case: the input.
        name: the name of the adapter's spec.
        adapter: the adapter's name.
        violations: the future sentences, one for each violation.
    """

    case: Case
    name: str
    adapter: str
    violations: Future[list[str]]


def start_checks(plan: Plan, pool: AdapterPool) -> Iterator[ContractCheck]:
    """Submit the plan's contract checks to the adapters' processes, and yield them before they have ended."""
    for case, names in cases_of(plan.contract, pool.adapters):
        variants = Variants(case.problem())
        for name in names:
            adapter = pool.adapters[name].description.name
            yield ContractCheck(case, name, adapter, pool.submit_contract(name, variants))


def collect_violations(results: Results, begun: Sequence[ContractCheck]) -> list[AdapterFault]:
    """Return the violations of the contract; none after Ctrl-C, which ends the run."""
    if results.interrupted:
        return []
    try:
        return [AdapterFault(check.adapter, text) for check in begun for text in _entries(check, results)]
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
        results.late.append(AdapterFault(check.adapter, f"{late}{again}"))
        return []
    if entries:
        entries[-1] += again
    return entries


def check_alone(results: Results, pool: AdapterPool, options: ProcessOptions) -> list[AdapterFault]:
    """Evaluate wrong cases of adapters from outside in new processes; return those that are right there.

    It is the first case of each adapter and dtype. One that is right there depends on more than its input,
    which is noted in ``pool.unsteady``. None is evaluated after Ctrl-C.
    """
    found: list[AdapterFault] = []
    if results.interrupted:
        return found
    selectors = {adapter.description.name: name for name, adapter in pool.adapters.items()}
    wrong = {
        (outcome.description.name, case.dtype): (case, judge)
        for case, judge, outcomes in reversed(results.failing_cases)
        for outcome in outcomes
        if outcome.disagreeing
    }
    for (name, dtype), (case, judge) in wrong.items():
        adapter = pool.adapters[selectors[name]]
        if is_ours(selectors[name]) or not isinstance(adapter, ProcessAdapter):
            continue
        try:
            is_right = (name, dtype) not in pool.unsteady and _is_right_in_a_new_process(
                adapter.spec, judge, options
            )
        except KeyboardInterrupt:
            results.interrupted = True
            break
        if is_right:
            what = f"{name}: {case.text} is within bounds alone in a new process"
            what += ", so its results depend on earlier calls, or on chance"
            pool.unsteady[name, dtype] = [what]
            found.append(AdapterFault(name, f"{dtype}: {what}"))
    return found


def _is_right_in_a_new_process(spec: Spec, judge: Judge, options: ProcessOptions) -> bool:
    try:
        with ProcessAdapter.start(spec, options) as alone:
            outcome = evaluate_and_judge(alone, judge)
    except (AdapterError, AdapterCrashed):
        return False
    return outcome.outputs is not None and outcome.is_green


@dataclass(frozen=True)
class ProbeResults:
    """The results of the probes.

    Attributes:
        observations: the observations of the probes.
        crashes: the crashes and time-outs of adapters.
    """

    observations: list[Observation] = field(default_factory=list)
    crashes: list[AdapterFault] = field(default_factory=list)


def run_probes(comparison: Comparison, options: ProcessOptions) -> ProbeResults:
    """Run all probes on the core adapters and those from outside; run none after Ctrl-C."""
    found = ProbeResults()
    if comparison.results.interrupted:
        return found
    try:
        with Console(stderr=True).status("asking for behaviours"):
            for name, adapter in comparison.adapters.items():
                if isinstance(adapter, ProcessAdapter) and (
                    name.partition("@")[0] in CORE or not is_ours(name)
                ):
                    crashes = probe_adapter(adapter, options, found.observations, comparison.plan.dtypes)
                    found.crashes.extend(AdapterFault(adapter.description.name, text) for text in crashes)
    except KeyboardInterrupt:
        comparison.results.interrupted = True
    return found
