"""One adapter of a comparison: the thread that waits for its process, and how it ended."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future, ThreadPoolExecutor

from adapters.errors import AdapterCrashed, AdapterMisbehaved, NoAnswer
from adapters.protocol import Description
from crosscheck import evaluation
from crosscheck.contract import contract_violations
from crosscheck.evaluation import CheckedAdapter, Outcome
from crosscheck.judge import Judge
from reference.types import Array, Outputs, Problem


class OutError(Exception):
    """The contestant is out, so the call was not made."""


class _Under:
    """An adapter whose evaluation of one problem is under way."""

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


class RetiredAdapter:
    """Stands in for an adapter that crashed or gave no answer in time: it has its name, and raises.

    Its process would be started again by a call, only to crash or to hang once more.
    """

    def __init__(self, description: Description, crash: AdapterCrashed) -> None:
        self.description, self._crash = description, crash

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Raise again how the adapter crashed."""
        del X, y, W
        raise self._crash

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Raise again how the adapter crashed."""
        del X, y, W
        raise self._crash


class Contestant:
    """One adapter; several calls may be handed in before the first is done.

    An adapter that crashes is out. One that misbehaves is out for that dtype.

    Attributes:
        adapter: the one that is called; a `RetiredAdapter` after a crash.
        description: what it says about itself.
    """

    def __init__(self, adapter: CheckedAdapter, thread: ThreadPoolExecutor | None = None) -> None:
        """Wait for the adapter's description.

        Args:
            adapter: the one to call.
            thread: of one worker, for all whose adapters share a process; None: a thread of its own.

        Raises:
            AdapterError: it cannot be loaded.
            AdapterCrashed: its process crashed while it was loaded.
        """
        self.adapter = adapter
        self.description = adapter.description
        self._out_for: set[str] = set()
        self._thread = thread or ThreadPoolExecutor(1, thread_name_prefix=self.description.name)

    def submit(self, problem: Problem) -> Future[Outputs]:
        """Have the adapter evaluate the problem after those before it."""
        return self._thread.submit(self._evaluate, problem)

    def outcome(self, judge: Judge, pending: Future[Outputs]) -> Outcome | None:
        """What became of a call, judged; None where the contestant was out before."""
        try:
            outcome = evaluation.evaluate_and_judge(_Under(self.description, pending), judge)
        except OutError:
            return None
        return outcome._replace(description=self.description)

    def close(self) -> None:
        """Give up what is not under way yet; the adapter is its owner's to close, which ends the rest.

        All whose adapters share a process are closed together.
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
            return contract_violations(self.adapter, problem)
        except AdapterCrashed as crash:
            self._retire(crash)
            if isinstance(crash, NoAnswer):
                raise
            return [str(crash)]

    def _is_in(self, problem: Problem) -> bool:
        dtype = problem.X.dtype.name
        return dtype in self.description.dtypes and dtype not in self._out_for

    def _evaluate(self, problem: Problem) -> Outputs:
        dtype = problem.X.dtype.name
        if dtype in self._out_for:
            raise OutError
        if dtype not in self.description.dtypes:
            raise NotImplementedError  # `evaluation.evaluate_and_judge` says so in its own words
        try:
            return evaluation.evaluate(self.adapter, problem)
        except AdapterMisbehaved:
            self._out_for.add(dtype)
            raise
        except AdapterCrashed as crash:
            self._retire(crash)
            raise

    def _retire(self, crash: AdapterCrashed) -> None:
        self._out_for |= set(self.description.dtypes)
        self.adapter = RetiredAdapter(self.description, crash)
