"""One adapter of a comparison: the thread that waits for its process, and how it ended."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future, ThreadPoolExecutor

from adapters.errors import AdapterDied, AdapterMisbehaved, NoAnswer
from adapters.protocol import Description
from crosscheck import trial
from crosscheck.contract import violations
from crosscheck.judge import Judge
from crosscheck.trial import Outcome, Subject
from reference.types import Array, Outputs, Problem


class OutError(Exception):
    """The contestant is out, so the call was not made."""


class _Under:
    """A subject whose evaluation of one problem is under way."""

    def __init__(self, description: Description, pending: Future[Outputs]) -> None:
        self.description = dataclasses.replace(description, max_stack=None)  # the thread has split the stack
        self._pending = pending

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """What came of it."""
        del X, y, W
        return self._pending.result()

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Nothing: only the evaluation is under way."""
        del X, y, W
        return {}


class Departed:
    """In place of an adapter that died: it keeps its name, and never answers again.

    Its process would be started again by a call, only to die or to hang once more.
    """

    def __init__(self, description: Description, death: AdapterDied) -> None:
        self.description, self._death = description, death

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """How it died."""
        del X, y, W
        raise self._death

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """How it died."""
        del X, y, W
        raise self._death


class Contestant:
    """One adapter; several calls may be handed in before the first is done.

    An adapter that dies is out. One that misbehaves is out for that dtype.

    Attributes:
        subject: the adapter; `Departed` after it died.
        description: what it says about itself.
    """

    def __init__(self, subject: Subject, thread: ThreadPoolExecutor | None = None) -> None:
        """Wait for the subject's description.

        Args:
            subject: the adapter.
            thread: of one worker, for all whose subjects share a process; None: a thread of its own.

        Raises:
            AdapterError: it cannot be loaded.
            AdapterDied: its process died while it was loaded.
        """
        self.subject = subject
        self.description = subject.description
        self._out_for: set[str] = set()
        self._thread = thread or ThreadPoolExecutor(1, thread_name_prefix=self.description.name)

    def submit(self, problem: Problem) -> Future[Outputs]:
        """Have the subject evaluate the problem after those before it."""
        return self._thread.submit(self._evaluate, problem)

    def outcome(self, judge: Judge, pending: Future[Outputs]) -> Outcome | None:
        """What became of a call, judged; None where the contestant was out before."""
        try:
            outcome = trial.run(_Under(self.description, pending), judge)
        except OutError:
            return None
        return outcome._replace(description=self.description)

    def close(self) -> None:
        """Give up what is not under way yet; the subject is its owner's to close, which ends the rest.

        All whose subjects share a process are closed together.
        """
        self._thread.shutdown(wait=False, cancel_futures=True)

    def contract(self, problem: Problem) -> Future[list[str]]:
        """Have the contract checked on a problem, after what was submitted before: the violations.

        The result is `NoAnswer` where the adapter gave none in time.
        """
        return self._thread.submit(self._violations, problem)

    def _violations(self, problem: Problem) -> list[str]:
        if not self._is_in(problem):
            return []
        try:
            return violations(self.subject, problem)
        except AdapterDied as death:
            self._bury(death)
            if isinstance(death, NoAnswer):
                raise
            return [str(death)]

    def _is_in(self, problem: Problem) -> bool:
        dtype = problem.X.dtype.name
        return dtype in self.description.dtypes and dtype not in self._out_for

    def _evaluate(self, problem: Problem) -> Outputs:
        dtype = problem.X.dtype.name
        if dtype in self._out_for:
            raise OutError
        if dtype not in self.description.dtypes:
            raise NotImplementedError  # `trial.run` says so in its own words
        try:
            return trial.evaluate(self.subject, problem)
        except AdapterMisbehaved:
            self._out_for.add(dtype)
            raise
        except AdapterDied as death:
            self._bury(death)
            raise

    def _bury(self, death: AdapterDied) -> None:
        self._out_for |= set(self.description.dtypes)
        self.subject = Departed(self.description, death)
