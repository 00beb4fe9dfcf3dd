"""The panel: all adapters of one run, each in a child; one that crashes is out, the others go on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple, Self

from adapters import Spec
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, NoAnswer
from adapters.isolated import ProcessAdapter
from crosscheck.evaluation import CheckedAdapter, Outcome, check_unique_names, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.matrix.coverage import decided, regimes_of
from crosscheck.message import replay
from crosscheck.run_summary import RunSummary
from reference.types import Problem

CRASHED = "an adapter died; the others went on"
LATE = "no verdict: an adapter gave no answer in time; the others went on"


class Hearing(NamedTuple):
    """One problem before the panel: its judge, and an outcome for each adapter that had not crashed."""

    judge: Judge
    outcomes: tuple[Outcome, ...]

    @property
    def is_green(self) -> bool:
        """Whether no result speaks against any adapter; a crash is in `Panel.unreported_crashes`."""
        return all(o.is_green or isinstance(o.failure, AdapterCrashed) for o in self.outcomes)


class Panel:
    """The adapters of one run.

    Attributes:
        adapters: those that have not crashed, by the name of their spec.
        crashed: how the others crashed, or gave no answer in time, by the same name.
        run_summary: what was judged, what was not, and which adapters crashed.
    """

    def __init__(self) -> None:
        self.adapters: dict[str, CheckedAdapter] = {}
        self.crashed: dict[str, AdapterCrashed] = {}
        self._resources = ExitStack()
        self.run_summary = RunSummary()
        self._reported: set[str] = set()

    @classmethod
    def of(cls, specs: Sequence[Spec], options: ProcessOptions) -> Self:
        """Start a child for every adapter.

        Args:
            specs: which adapters.
            options: where and how they run.

        Raises:
            AdapterError: an adapter cannot be loaded, or two have one name.
            JournalError: the directory cannot be written.
        """
        panel = cls()
        with panel._resources:
            started = {
                spec.name: panel._resources.enter_context(ProcessAdapter.start(spec, options))
                for spec in specs
            }
            for name, adapter in started.items():
                panel._seat(name, adapter)
            check_unique_names(adapter.description for adapter in panel.adapters.values())
            panel._resources = panel._resources.pop_all()
        return panel

    def _seat(self, name: str, adapter: ProcessAdapter) -> None:
        try:
            self.run_summary.problems[adapter.description.name] = 0
        except AdapterCrashed as crash:
            self._mark_crashed(name, crash)
        else:
            self.adapters[name] = adapter

    def hear(self, problem: Problem) -> Hearing:
        """Have every adapter that has not crashed evaluate the problem, and judge the outputs."""
        judge = Judge(problem)
        return Hearing(judge, tuple(self._run(name, judge) for name in list(self.adapters)))

    def _run(self, name: str, judge: Judge) -> Outcome:
        outcome = evaluate_and_judge(self.adapters[name], judge)
        if isinstance(outcome.failure, AdapterCrashed):
            self.retire(name, outcome.failure)
        self._count(judge, outcome)
        return outcome

    def retire(self, name: str, crash: AdapterCrashed) -> None:
        """Remove an adapter that crashed in a call from elsewhere; the others go on."""
        self._mark_crashed(name, crash)
        del self.adapters[name]

    def _mark_crashed(self, name: str, crash: AdapterCrashed) -> None:
        self.crashed[name] = crash
        counts = self.run_summary.no_verdict if isinstance(crash, NoAnswer) else self.run_summary.crashes
        counts[f"{name}: {crash}"] += 1

    def unreported_crashes(self) -> dict[str, list[str]]:
        """The crashes that were not reported yet, each with the line that replays it where there was a call.

        The keys are `CRASHED`, and `LATE` for those that gave no answer in time.
        """
        unreported = {name: crash for name, crash in self.crashed.items() if name not in self._reported}
        self._reported |= unreported.keys()
        found: dict[str, list[str]] = {}
        for name, crash in unreported.items():
            again = "" if crash.journal is None else f"\n  replay  {replay(str(crash.journal), name)}"
            found.setdefault(LATE if isinstance(crash, NoAnswer) else CRASHED, []).append(f"{crash}{again}")
        return found

    def _count(self, judge: Judge, outcome: Outcome) -> None:
        name, dtype, count = outcome.description.name, judge.format.name, judge.problem.stack_size
        if outcome.failure is None:
            self.run_summary.asked[name] += count
        if outcome.unsupported is not None:
            self.run_summary.unsupported[f"{name} {dtype}: {outcome.unsupported}"] += count
            return
        self.run_summary.problems[name] += count
        self.run_summary.count(name, dtype, outcome.judgements)
        self.run_summary.regimes.update(regimes_of(judge, decided(judge, outcome)))

    def close(self) -> None:
        """End every child."""
        self._resources.close()
