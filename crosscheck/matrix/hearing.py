"""One mode on one case: judged, its known differences told apart, and explained where any are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from adapters import CORE, Spec, installed, spec_of
from adapters.errors import AdapterDied, NoAnswer
from adapters.modes import parse
from crosscheck.account import Account
from crosscheck.cases import Case, Literal
from crosscheck.hosts import Hosts
from crosscheck.judge import Judge
from crosscheck.known import Explained, KnownDifferences
from crosscheck.matrix.coverage import NOT_JUDGED, Coverage, decided, is_judged, regimes_of
from crosscheck.matrix.shapes import LARGE, shape_class
from crosscheck.message import failure
from crosscheck.trial import Outcome, run

MODES = "modes of the matrix"


@lru_cache(maxsize=16)
def judge_of(case: Case | Literal) -> Judge:
    """The judge of a case, kept for the modes that meet it one after the other."""
    return Judge(case.problem())


@dataclass
class Matrix:
    """The modes of a run, in the processes that they share.

    Attributes:
        hosts: their processes.
        known: the known differences.
        coverage: what was judged where.
        account: of the same, for the end of the run.
        dead: the modes that died or gave no answer in time, and how; they are asked no more.
        listener: told of every outcome, for a ledger; None: nobody is.
    """

    hosts: Hosts
    known: KnownDifferences
    coverage: Coverage = field(default_factory=Coverage)
    account: Account = field(default_factory=Account)
    dead: dict[str, AdapterDied] = field(default_factory=dict)
    listener: Callable[[Case, Judge, Sequence[Outcome]], None] | None = None

    def hear(self, spec: Spec, case: Case | Literal) -> tuple[Outcome, Explained]:
        """One mode on one case.

        Raises:
            AdapterError: it cannot be loaded.
            AdapterDied: it died before; it is asked no more.
        """
        if spec.name in self.dead:
            raise self.dead[spec.name]
        judge = judge_of(case)
        outcome = run(self.hosts.subject(spec), judge)
        if isinstance(outcome.failure, AdapterDied):
            self.dead[spec.name] = outcome.failure
        if isinstance(outcome.failure, NoAnswer):
            self.account.no_verdict[str(outcome.failure)] += 1
        explained = self.known.explain(judge, outcome, case.shape)
        self.coverage.hear(case, judge, outcome)
        self._count(judge, outcome, explained)
        if self.listener is not None and isinstance(case, Case):
            self.listener(case, judge, [outcome])
        return outcome, explained

    def _count(self, judge: Judge, outcome: Outcome, explained: Explained) -> None:
        name, dtype, count = outcome.description.name, judge.format.name, judge.problem.stack_size
        self.account.asked[name] += count
        self.account.known.update(explained.covered)
        if outcome.unsupported is not None:
            self.account.unsupported[f"{name} {dtype}: {outcome.unsupported}"] += count
        if outcome.outputs is None:
            return
        self.account.problems[MODES] += count
        self.account.count(name, dtype, outcome.judgements)
        self.account.regimes.update(regimes_of(judge, decided(judge, outcome)))

    def complaint(self, spec: Spec, case: Case | Literal, outcome: Outcome) -> str:
        """Everything needed to act on an outcome that is not green, beside what the plain modes return."""
        others = [
            spec_of(parse(name)) for name in CORE if name not in (spec.name, *self.dead) and installed(name)
        ]
        judge = judge_of(case)
        subjects = {one.name: self.hosts.subject(one) for one in (spec, *others)}
        outcomes = [outcome, *(run(subjects[other.name], judge) for other in others)]
        return failure(case.text, judge, outcomes, subjects)


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
