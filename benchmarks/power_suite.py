"""What the suite catches: each planted fault alone, as an adapter from outside, by the plans of the command.

The cases are those of ``crosscheck compare``, in its order, by its engine; a fault ends its run once it is
caught, so that what was needed is measured. The contract checks come last, as in the command.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from adapters import compilation, select
from adapters.errors import NoAnswer
from adapters.process_options import COMPILE_TIMEOUT, TIMEOUT, ProcessOptions
from crosscheck.compare.checks import start_checks
from crosscheck.explain.message import failure
from crosscheck.judging.evaluation import Outcome, judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.plans.core import core_plan
from crosscheck.plans.matrix import matrix_plan, selected
from crosscheck.plans.plan import Plan, cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from crosscheck.results.record import Results
from reference.formats import FORMATS
from tests.planted_faults import FAULTS, HEALTHY
from tests.planted_faults.fault import Fault

JOURNAL: Final = Path(".crosscheck/power/journal")
BY_BOUNDS, BY_CONTRACT, BY_COUNTS = "output outside its set", "contract", "what was judged"


@dataclass(frozen=True)
class Found:
    """What a run says of one adapter.

    Attributes:
        name: the name of the fault.
        effort: ``default`` or ``nightly``.
        check: the check that caught it; empty if none did.
        case: the case that did.
        problems: how many problems were evaluated.
        seconds: how long it took, without the start of the process.
        named: the equations or the sentences of the message.
        is_right: whether these are those that the fault allows.
    """

    name: str
    effort: str
    check: str
    case: str
    problems: int
    seconds: float
    named: tuple[str, ...]
    is_right: bool


def fault_of(name: str) -> Fault:
    """The fault or the healthy adapter of this name."""
    return FAULTS.get(name) or HEALTHY[name]


def _default(target: str) -> tuple[Plan, Sequence[Any]]:
    return core_plan(), select((), [target], among=())


def _nightly(target: str) -> tuple[Plan, Sequence[Any]]:
    dtypes = tuple(FORMATS)
    specs = [spec for spec in selected((), [target], dtypes) if spec.framework is None]
    return matrix_plan([spec.name for spec in specs], dtypes, thorough=True), specs


PLANS: Final[Mapping[str, Callable[[str], tuple[Plan, Sequence[Any]]]]] = {
    "default": _default,
    "nightly": _nightly,
}


def equations(message: str) -> tuple[str, ...]:
    """The equations that a message names, and what it says of failures; an entry may span several lines."""
    entries: list[str] = []
    for line in message.splitlines():
        if re.match(r"  (equation|what) ", line):
            entries.append(line.split(maxsplit=1)[1])
        elif entries and line.startswith(" " * 16):
            entries[-1] += f" {line.strip()}" if entries[-1][-1:] != "\n" else ""
        elif entries:
            entries[-1] += "\n"
    return tuple(dict.fromkeys(entry.strip() for entry in entries))


def _is_right(fault: Fault, check: str, named: Sequence[str]) -> bool:
    """Whether all that a message names is what the fault allows; a contract check names the contract."""
    if check == BY_CONTRACT and fault.check.startswith("contract"):
        return True
    return bool(named) and all(any(name in entry for name in fault.names) for entry in named)


def _is_wrong(outcome: Outcome) -> bool:
    return not outcome.is_green and not isinstance(outcome.failure, NoAnswer)


def measure(name: str, effort: str) -> dict[str, Any]:
    """Run one adapter by the plan of an effort until it is caught; return a `Found` as a dictionary."""
    plan, specs = PLANS[effort](f"tests.planted_faults:{name}")
    options = ProcessOptions(JOURNAL, TIMEOUT, compilation.kept(), COMPILE_TIMEOUT)
    with AdapterPool.start(specs, options, strict=True) as pool:
        begin = time.monotonic()
        check, case, problems, named = next(_caught(plan, pool))
        seconds = time.monotonic() - begin
    right = _is_right(fault_of(name), check, named)
    return asdict(Found(name, effort, check, case, problems, round(seconds, 2), named, right))


def _caught(plan: Plan, pool: AdapterPool) -> Iterator[tuple[str, str, int, tuple[str, ...]]]:
    """Yield check, case, problems so far and names of all that is wrong; at the end, an empty check."""
    results, problems = Results(is_measured=False), 0
    for case, names in cases_of(plan.cases, pool.adapters):
        problem = case.problem()
        judge = Judge(problem)
        for name in names:
            said = pool.adapters[name].description
            evaluation = pool.evaluate(name, problem)
            if evaluation is None:
                continue
            problems += problem.stack_size * (case.dtype in said.dtypes)
            outcome = judge_evaluation(judge, evaluation)
            results.add(case, judge, [outcome])
            if _is_wrong(outcome):
                message = failure(case.text, judge, [outcome], pool.adapters)
                check = BY_CONTRACT if outcome.failure is not None else BY_BOUNDS
                yield check, case.text, problems, equations(message)
    for begun in start_checks(plan, pool):
        try:
            sentences = begun.violations.result()
        except NoAnswer:
            continue
        if sentences:
            yield BY_CONTRACT, begun.case.text, problems, tuple(sentences)
    descriptions = [adapter.description for adapter in pool.adapters.values()]
    reasons = Comparison(plan, descriptions, results, adapters=pool.adapters).reasons
    yield BY_COUNTS if reasons else "", "", problems, tuple(reasons)
