"""The run of one mode on one case: judged, matched with known differences, with a message for failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from adapters import CORE, Spec, installed, spec_of
from adapters.errors import AdapterCrashed
from adapters.modes import parse
from crosscheck.explain.message import failure
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import Outcome, evaluate_and_judge, judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.plans.shapes import LARGE, shape_class
from crosscheck.pool import AdapterPool
from crosscheck.results.coverage import NOT_JUDGED, is_judged
from crosscheck.results.known import KnownMatch
from crosscheck.results.record import Results
from crosscheck.results.run_summary import RunSummary

MODES = "modes of the matrix"


@lru_cache(maxsize=16)
def judge_of(case: Case | Literal) -> Judge:
    """Return the judge of a case, cached for the modes that evaluate the case one after another."""
    return Judge(case.problem())


@dataclass
class MatrixRun:
    """The modes of a run on the cases of the plan.

    Attributes:
        pool: the pool of the modes, each started when it is first needed.
        results: the results, with the known differences; measured if they are for a ledger.
    """

    pool: AdapterPool
    results: Results = field(default_factory=lambda: Results(is_measured=False))

    def add(self, spec: Spec, case: Case | Literal) -> tuple[Outcome, KnownMatch]:
        """Evaluate a case with a mode, judge the result and match it with the known differences.

        Raises:
            AdapterError: the mode cannot be loaded.
            AdapterCrashed: the mode crashed or gave no answer in time before, and is not called again.
        """
        self.pool.load(spec)
        judge = judge_of(case)
        evaluation = self.pool.evaluate(spec.name, judge.problem)
        if evaluation is None:
            raise AssertionError(spec.name)  # `load` raises for a crashed mode, and this pool is not strict
        outcome = judge_evaluation(judge, evaluation)
        (known_match,) = self.results.add(case, judge, [outcome])
        return outcome, known_match

    @property
    def run_summary(self) -> RunSummary:
        """The summary of the results, and the crashes."""
        return RunSummary.of(self.results, self.pool.crashed, label=MODES)

    def failure_message(self, spec: Spec, case: Case | Literal, outcome: Outcome) -> str:
        """Return the message about a failed or wrong outcome, with the results of the plain modes."""
        others = [spec_of(parse(name)) for name in CORE if name != spec.name and installed(name)]
        judge, plain = judge_of(case), {}
        for other in others:
            with suppress(AdapterCrashed):
                plain[other.name] = self.pool.load(other)
        outcomes = [outcome, *(evaluate_and_judge(adapter, judge) for adapter in plain.values())]
        return failure(case.text, judge, outcomes, {spec.name: self.pool.adapters[spec.name], **plain})


def never_judged(heard: Iterable[tuple[Case, Outcome]]) -> list[str]:
    """Return a sentence for each class of sizes, small or large, in which no case of an adapter was judged.

    A refused case is no failure, but an adapter that refuses all cases of a size is not tested at that size.
    Cases in a dtype that the adapter does not state are left out.

    Args:
        heard: the cases and outcomes of one adapter in one dtype, without those that failed.
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
