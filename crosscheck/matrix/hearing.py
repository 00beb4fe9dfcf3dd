"""One mode on one case: judged, with its known differences matched, and the message where it is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from adapters import CORE, Spec, installed, spec_of
from adapters.errors import AdapterCrashed, NoAnswer
from adapters.modes import parse
from crosscheck.cases import Case, Literal
from crosscheck.evaluation import Outcome, evaluate_and_judge
from crosscheck.hosts import WorkerProcesses
from crosscheck.judge import Judge
from crosscheck.known import KnownDifferences, KnownMatch
from crosscheck.matrix.coverage import NOT_JUDGED, Coverage, decided, is_judged, regimes_of
from crosscheck.matrix.shapes import LARGE, shape_class
from crosscheck.message import failure
from crosscheck.run_summary import RunSummary

MODES = "modes of the matrix"


@lru_cache(maxsize=16)
def judge_of(case: Case | Literal) -> Judge:
    """The judge of a case, kept for the modes that evaluate it one after the other."""
    return Judge(case.problem())


@dataclass
class Matrix:
    """The modes of a run, in the processes that they share.

    Attributes:
        processes: the worker processes.
        known: the known differences.
        coverage: what was judged where.
        run_summary: the counts that are printed at the end of the run.
        crashed: the modes that crashed or gave no answer in time, and how; they are asked no more.
        listener: told of every outcome, for a ledger; None: nobody is.
    """

    processes: WorkerProcesses
    known: KnownDifferences
    coverage: Coverage = field(default_factory=Coverage)
    run_summary: RunSummary = field(default_factory=RunSummary)
    crashed: dict[str, AdapterCrashed] = field(default_factory=dict)
    listener: Callable[[Case, Judge, Sequence[Outcome]], None] | None = None

    def hear(self, spec: Spec, case: Case | Literal) -> tuple[Outcome, KnownMatch]:
        """One mode on one case.

        Raises:
            AdapterError: it cannot be loaded.
            AdapterCrashed: it crashed before; it is asked no more.
        """
        if spec.name in self.crashed:
            raise self.crashed[spec.name]
        judge = judge_of(case)
        outcome = evaluate_and_judge(self.processes.adapter(spec), judge)
        if isinstance(outcome.failure, AdapterCrashed):
            self.crashed[spec.name] = outcome.failure
        if isinstance(outcome.failure, NoAnswer):
            self.run_summary.no_verdict[str(outcome.failure)] += 1
        known_match = self.known.match(judge, outcome, case.shape)
        self.coverage.add(case, judge, outcome)
        self._count(judge, outcome, known_match)
        if self.listener is not None and isinstance(case, Case):
            self.listener(case, judge, [outcome])
        return outcome, known_match

    def _count(self, judge: Judge, outcome: Outcome, known_match: KnownMatch) -> None:
        name, dtype, count = outcome.description.name, judge.format.name, judge.problem.stack_size
        self.run_summary.asked[name] += count
        self.run_summary.known.update(known_match.covered)
        if outcome.unsupported is not None:
            self.run_summary.unsupported[f"{name} {dtype}: {outcome.unsupported}"] += count
        if outcome.outputs is None:
            return
        self.run_summary.problems[MODES] += count
        self.run_summary.count(name, dtype, outcome.judgements)
        self.run_summary.regimes.update(regimes_of(judge, decided(judge, outcome)))

    def failure_message(self, spec: Spec, case: Case | Literal, outcome: Outcome) -> str:
        """Everything needed to act on an outcome that is not green, beside what the plain modes return."""
        others = [
            spec_of(parse(name))
            for name in CORE
            if name not in (spec.name, *self.crashed) and installed(name)
        ]
        judge = judge_of(case)
        adapters = {one.name: self.processes.adapter(one) for one in (spec, *others)}
        outcomes = [outcome, *(evaluate_and_judge(adapters[other.name], judge) for other in others)]
        return failure(case.text, judge, outcomes, adapters)


def never_judged(heard: Iterable[tuple[Case, Outcome]]) -> list[str]:
    """The sizes, small and large, at which nothing of an adapter was judged, each with the reasons.

    A refusal is green case by case; an adapter that refuses all of a size is not there. A dtype that it
    does not list is not asked of it.

    Args:
        heard: one adapter in one dtype, on cases that it did not fail.
    """
    found: dict[str, Counter[str]] = {}
    for case, outcome in heard:
        if case.dtype in outcome.description.dtypes:
            size = "large" if shape_class(case.shape) in LARGE else "small"
            reason = "" if is_judged(outcome) else outcome.unsupported or NOT_JUDGED
            found.setdefault(size, Counter())[reason] += 1
    return [
        f"none of {reasons.total()} {size} cases was judged: {'; '.join(reasons)}"
        for size, reasons in found.items()
        if not reasons[""]
    ]
