"""One mode on one case: judged, its known differences told apart, and explained where any are left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from adapters import CORE, Spec, installed, spec_of
from adapters.errors import AdapterDied
from adapters.modes import parse
from crosscheck.cases import Case, Literal
from crosscheck.hosts import Hosts
from crosscheck.judge import Judge
from crosscheck.known import Explained, KnownDifferences
from crosscheck.matrix.coverage import Coverage
from crosscheck.message import failure
from crosscheck.trial import Outcome, run


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
        covered: elements that lie outside their sets as a known difference says, by its name.
        dead: the modes that died, and how; they are asked no more.
    """

    hosts: Hosts
    known: KnownDifferences
    coverage: Coverage = field(default_factory=Coverage)
    covered: Counter[str] = field(default_factory=Counter)
    dead: dict[str, AdapterDied] = field(default_factory=dict)

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
        explained = self.known.explain(judge, outcome, case.shape)
        self.covered.update(explained.covered)
        self.coverage.hear(case, judge, outcome)
        return outcome, explained

    def complaint(self, spec: Spec, case: Case | Literal, outcome: Outcome) -> str:
        """Everything needed to act on an outcome that is not green, beside what the plain modes return."""
        others = [
            spec_of(parse(name)) for name in CORE if name not in (spec.name, *self.dead) and installed(name)
        ]
        judge = judge_of(case)
        subjects = {one.name: self.hosts.subject(one) for one in (spec, *others)}
        outcomes = [outcome, *(run(subjects[other.name], judge) for other in others)]
        return failure(case.text, judge, outcomes, subjects)
