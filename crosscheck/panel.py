"""The panel: all subjects of one run, each in a child of its own; one that dies is out, the others go on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple, Self

from adapters import Spec
from adapters.conditions import Conditions
from adapters.errors import AdapterDied, NoAnswer
from adapters.isolated import Isolated
from crosscheck.account import Account
from crosscheck.judge import Judge
from crosscheck.matrix.coverage import decided, regimes_of
from crosscheck.message import replay
from crosscheck.trial import Outcome, Subject, run, tell_apart
from reference.types import Problem

DIED = "an adapter died; the others went on"
LATE = "no verdict: an adapter gave no answer in time; the others went on"


class Hearing(NamedTuple):
    """One problem before the panel: its judge, and an outcome for each subject that was alive."""

    judge: Judge
    outcomes: tuple[Outcome, ...]

    @property
    def is_green(self) -> bool:
        """Whether no result speaks against any subject; a death is no result, `Panel.news` tells of it."""
        return all(o.is_green or isinstance(o.failure, AdapterDied) for o in self.outcomes)


class Panel:
    """The subjects of one run.

    Attributes:
        subjects: those that are alive, by the name of their spec.
        casualties: how the others died, or gave no answer in time, by the same name.
        account: what was heard and what came of it.
    """

    def __init__(self) -> None:
        self.subjects: dict[str, Subject] = {}
        self.casualties: dict[str, AdapterDied] = {}
        self._resources = ExitStack()
        self.account = Account()
        self._told: set[str] = set()

    @classmethod
    def of(cls, specs: Sequence[Spec], conditions: Conditions) -> Self:
        """Start a child for every adapter.

        Args:
            specs: which adapters.
            conditions: where and how they run.

        Raises:
            AdapterError: an adapter cannot be loaded, or two have one name.
            JournalError: the directory cannot be written.
        """
        panel = cls()
        with panel._resources:
            started = {
                spec.name: panel._resources.enter_context(Isolated.alone(spec, conditions)) for spec in specs
            }
            for name, subject in started.items():
                panel._seat(name, subject)
            tell_apart(subject.description for subject in panel.subjects.values())
            panel._resources = panel._resources.pop_all()
        return panel

    def _seat(self, name: str, subject: Isolated) -> None:
        try:
            self.account.problems[subject.description.name] = 0
        except AdapterDied as death:
            self._mourn(name, death)
        else:
            self.subjects[name] = subject

    def hear(self, problem: Problem) -> Hearing:
        """Let every living subject evaluate the problem, and judge them."""
        judge = Judge(problem)
        return Hearing(judge, tuple(self._run(name, judge) for name in list(self.subjects)))

    def _run(self, name: str, judge: Judge) -> Outcome:
        outcome = run(self.subjects[name], judge)
        if isinstance(outcome.failure, AdapterDied):
            self.lose(name, outcome.failure)
        self._count(judge, outcome)
        return outcome

    def lose(self, name: str, death: AdapterDied) -> None:
        """Put out a subject that died when somebody else asked it; the others go on."""
        self._mourn(name, death)
        del self.subjects[name]

    def _mourn(self, name: str, death: AdapterDied) -> None:
        self.casualties[name] = death
        counts = self.account.no_verdict if isinstance(death, NoAnswer) else self.account.deaths
        counts[f"{name}: {death}"] += 1

    def news(self) -> dict[str, list[str]]:
        """The deaths that were not told yet, each with the line that replays it where there was a call.

        They stand under what they are: `DIED`, or `LATE` where there was no answer in time.
        """
        untold = {name: death for name, death in self.casualties.items() if name not in self._told}
        self._told |= untold.keys()
        found: dict[str, list[str]] = {}
        for name, death in untold.items():
            again = "" if death.journal is None else f"\n  replay  {replay(str(death.journal), name)}"
            found.setdefault(LATE if isinstance(death, NoAnswer) else DIED, []).append(f"{death}{again}")
        return found

    def _count(self, judge: Judge, outcome: Outcome) -> None:
        name, dtype, count = outcome.description.name, judge.format.name, judge.problem.stack_size
        if outcome.failure is None:
            self.account.asked[name] += count
        if outcome.unsupported is not None:
            self.account.unsupported[f"{name} {dtype}: {outcome.unsupported}"] += count
            return
        self.account.problems[name] += count
        self.account.count(name, dtype, outcome.judgements)
        self.account.regimes.update(regimes_of(judge, decided(judge, outcome)))

    def close(self) -> None:
        """End every child."""
        self._resources.close()
