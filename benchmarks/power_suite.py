"""What the suite catches: each planted fault alone, as an adapter from outside, by the plans of the command.

The cases are those of ``crosscheck compare``, in its order, by its engine; a fault ends its run once it is
caught, so that what was needed is measured. The contract is checked on the small problem first, as in the
command, since a message names the contract where results depend on other calls. The other contract checks
come first in the command as well, but last here, where they are needed only for what nothing has caught.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

from adapters import Spec, compilation, select
from adapters.errors import NoAnswer
from adapters.process_options import COMPILE_TIMEOUT, TIMEOUT, ProcessOptions
from crosscheck.compare.checks import check_alone, start_checks
from crosscheck.explain.message import failure
from crosscheck.inputs import Case, parse
from crosscheck.judging.evaluation import judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.plans.contract import SHAPES
from crosscheck.plans.core import core_plan
from crosscheck.plans.matrix import matrix_plan, selected
from crosscheck.plans.plan import Names, Plan, cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from crosscheck.results.record import Results
from crosscheck.sweep.exhaustive import Exhaustive
from reference.formats import FORMATS
from tests.planted_faults import FAULTS, HEALTHY
from tests.planted_faults.fault import SWEEP, Fault

SMALL: Final = SHAPES[0]
JOURNAL: Final = Path(".crosscheck/power/journal")
EVERY: Final = re.compile(r"every:[0-9]+:[0-9x]+:contiguous:float32")  # the case in a fault of the sweep
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


def _default(targets: Sequence[str]) -> tuple[Plan, Sequence[Spec]]:
    return core_plan(names=targets), select((), targets, among=())


def _nightly(targets: Sequence[str]) -> tuple[Plan, Sequence[Spec]]:
    dtypes = tuple(FORMATS)
    specs = [spec for spec in selected((), targets, dtypes) if spec.framework is None]
    return matrix_plan([spec.name for spec in specs], dtypes, thorough=True), specs


PLANS: Final[Mapping[str, Callable[[Sequence[str]], tuple[Plan, Sequence[Spec]]]]] = {
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


@dataclass
class Run:
    """The run of one adapter, as if it were alone: what the cases cost that it shares counts in full.

    Attributes:
        name: the name of the fault.
        target: the name of its spec.
        options: the options of its process.
        results: what was judged.
        problems, seconds: how many problems were evaluated, and how long that took.
        found: the check that caught it, the case and the names of the message; None while nothing is wrong.
        broken: the case of the first contract check, and what it found; None while it found nothing.
    """

    name: str
    target: str
    options: ProcessOptions
    results: Results = field(default_factory=lambda: Results(is_measured=False))
    problems: int = 0
    seconds: float = 0.0
    found: tuple[str, str, tuple[str, ...]] | None = None
    broken: tuple[str, str, tuple[str, ...]] | None = None

    def evaluate(self, case: Case, judge: Judge, pool: AdapterPool) -> None:
        """Evaluate and judge one case."""
        begin = time.monotonic()
        evaluation = pool.evaluate(self.target, judge.problem)
        if evaluation is not None:
            self.problems += judge.problem.stack_size
            outcome = judge_evaluation(judge, evaluation)
            self.results.add(case, judge, [outcome])
            if not outcome.is_green and not isinstance(outcome.failure, NoAnswer):
                check_alone(self.results, pool, self.options)
                adapters = {self.target: pool.adapters[self.target]}
                message = failure(case.text, judge, [outcome], adapters, pool.unsteady)
                check = BY_CONTRACT if outcome.failure is not None else BY_BOUNDS
                self.found = check, case.text, equations(message)
        self.seconds += time.monotonic() - begin

    def report(self, effort: str) -> dict[str, Any]:
        """Return a `Found` as a dictionary."""
        check, case, named = self.found or ("", "", ())
        right = _is_right(fault_of(self.name), check, named)
        seconds = round(self.seconds, 2)
        return asdict(Found(self.name, effort, check, case, self.problems, seconds, named, right))


def measure(names: Sequence[str], effort: str) -> list[dict[str, Any]]:
    """Run some adapters by the plan of an effort, each in a process of its own, until it is caught.

    They share the making of the cases and the reference, and nothing else.
    """
    options = ProcessOptions(JOURNAL, TIMEOUT, compilation.kept(), COMPILE_TIMEOUT)
    runs = [Run(name, f"tests.planted_faults:{name}", options) for name in names]
    plan, specs = PLANS[effort]([run.target for run in runs])
    with AdapterPool.start(specs, options, strict=True) as pool:
        first = {case: who for case, who in plan.contract.items() if case.shape == SMALL}
        _check_contracts(plan, first, pool, runs)
        for run in runs:
            run.broken, run.found = run.found, None
        _run_cases(plan, pool, runs)
        for run in runs:
            run.found = run.found or run.broken
        rest = {case: who for case, who in plan.contract.items() if case not in first}
        _check_contracts(plan, rest, pool, runs)
        if effort == "nightly":
            _sweep(pool, runs)
        for run in (run for run in runs if run.found is None):
            said = [pool.adapters[run.target].description]
            whole = Comparison(plan, said, run.results, adapters=pool.adapters)
            refusals = [each.sentence for each in whole.refused_by_values]
            run.found = (BY_COUNTS, "", tuple(refusals or whole.reasons)) if whole.reasons else None
    return [run.report(effort) for run in runs]


def _run_cases(plan: Plan, pool: AdapterPool, runs: Sequence[Run]) -> None:
    """Evaluate the cases of the plan; an adapter that is caught, or lacks the dtype, is left out."""
    for case, names in cases_of(plan.cases, pool.adapters):
        mine = [
            run
            for run in runs
            if run.found is None
            and run.target in names
            and case.dtype in pool.adapters[run.target].description.dtypes
        ]
        if not mine:
            continue
        begin = time.monotonic()
        judge = Judge(case.problem())
        _ = judge.centers
        shared = time.monotonic() - begin
        for run in mine:
            run.seconds += shared
            run.evaluate(case, judge, pool)


def _sweep(pool: AdapterPool, runs: Sequence[Run]) -> None:
    """Sweep every value of float32 with the adapters whose fault is meant for that and not caught yet."""
    sweep = Exhaustive(("float32",))
    for run in (run for run in runs if run.found is None and fault_of(run.name).check == SWEEP):
        begin = time.monotonic()
        for shard in range(len(sweep)):
            found = sweep.run(shard, {run.target: pool.adapters[run.target]})
            run.problems += found.problems
            texts = [EVERY.search(fault.what) for fault in found.faults]
            if there := [text.group() for text in texts if text]:
                case = cast("Case", parse(there[0]))
                run.seconds += time.monotonic() - begin
                run.evaluate(case, Judge(case.problem()), pool)
                break


def _check_contracts(plan: Plan, cases: Mapping[Case, Names], pool: AdapterPool, runs: Sequence[Run]) -> None:
    """Check the contract in these cases of the plan, of the adapters that are not caught yet."""
    left = {run.target: run for run in runs if run.found is None}
    contract = {
        case: tuple(name for name in (names or pool.adapters) if name in left)
        for case, names in cases.items()
    }
    for begun in start_checks(replace(plan, contract=contract), pool):
        begin = time.monotonic()
        try:
            sentences = begun.violations.result()
        except NoAnswer:
            continue
        run = left[begun.name]
        run.seconds += time.monotonic() - begin
        if sentences and run.found is None:
            run.found = BY_CONTRACT, begun.case.text, tuple(sentences)
