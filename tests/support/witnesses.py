"""Whether a planted fault shows on its witness: beyond the admissible sets, or against the contract."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from crosscheck.inputs import Case, parse
from crosscheck.judging.contract import contract_violations
from crosscheck.judging.evaluation import (
    InProcessAdapter,
    Outcome,
    evaluate,
    evaluate_and_judge,
    judge_evaluation,
)
from crosscheck.judging.judge import Judge
from reference.types import Problem
from tests.planted_faults.fault import THREADS, Fault

CASE: Final = "ordinary:0:16x7x3x2:contiguous:{}"
DECOY: Final = "ordinary:1:16x7x3x2:contiguous:{}"
ROUNDS: Final = 20  # of two threads at once


def problem_of(text: str, dtype: str) -> Problem:
    """The problem of a witness."""
    if text in ("another thread", "the same memory", "later"):
        return parse(CASE.format(dtype)).problem()
    case = parse(text)
    return case.problem() if isinstance(case, Case) else Problem(case.X, case.y, case.W)


def _complaint(outcome: Outcome) -> str:
    """What is wrong with an outcome; empty if nothing is."""
    if outcome.failure is not None:
        return str(outcome.failure)
    if outcome.unsupported is not None:
        return f"refuses: {outcome.unsupported}"
    missing = {"y_hat", "loss", "grad"} - set(outcome.judgements)
    return ", ".join(outcome.disagreeing) or ("leaves out " + ", ".join(missing) if missing else "")


def _in_the_same_memory(adapter: InProcessAdapter, problem: Problem) -> str:
    """What is wrong with a problem that is written over another one."""
    evaluate(adapter, problem)
    for array, other in zip(problem, parse(DECOY.format(problem.X.dtype)).problem(), strict=True):
        array[...] = other
    return _complaint(evaluate_and_judge(adapter, Judge(problem)))


def _in_threads(fault: Fault) -> str:
    """What is wrong where two threads evaluate two problems at once, after a call of the first."""
    adapter: Any = InProcessAdapter(fault.adapter())
    problems = [parse(text.format(fault.dtypes[0])).problem() for text in (CASE, DECOY)]
    with ThreadPoolExecutor(2) as pool:
        pool.submit(evaluate, adapter, problems[0]).result()
        for _ in range(ROUNDS):
            for problem, found in zip(
                problems, pool.map(lambda p: evaluate(adapter, p), problems), strict=True
            ):
                if said := _complaint(judge_evaluation(Judge(problem), found)):
                    return said
    return ""


def shown_by(fault: Fault) -> str:
    """What the witness of a fault shows; empty if nothing."""
    adapter = InProcessAdapter(fault.adapter())
    *before, last = [problem_of(text, fault.dtypes[0]) for text in fault.cases()]
    if fault.check == THREADS:
        return _in_threads(fault)
    if fault.witness == ("the same memory",):
        return _in_the_same_memory(adapter, last)
    if fault.witness == ("later",):
        evaluate(adapter, last)
        time.sleep(0.1)
    for problem in before:
        evaluate(adapter, problem)
    judge = Judge(last)
    if said := _complaint(evaluate_and_judge(adapter, judge)):
        return said
    return "; ".join(contract_violations(InProcessAdapter(fault.adapter()), last))
