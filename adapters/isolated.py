"""Any adapter in a process of its own, under a chosen interpreter and environment.

What crashes, hangs or exits there is an exception here, with its input on disk; the next call starts a new
process.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adapters import Spec
from adapters.child import Child, ChildLostError, environment_of
from adapters.errors import AdapterDied, AdapterError, AdapterMisbehaved, JournalError
from adapters.journal import Journal, read_arrays
from adapters.memory import memory_of
from adapters.protocol import Description
from adapters.results import outputs_of, traced_of
from reference.arithmetic import Arithmetic
from reference.types import Array, Outputs, Problem

LOADING = 300.0  # seconds for a framework's first import, which a cold disk makes long


class Isolated:
    """An adapter like any other, that runs elsewhere: one call at a time, which `close` may cut short.

    Attributes:
        spec: which adapter.
        timeout: seconds that one call may take.
        calls: how many calls were made.
        log: the file with all that its processes printed; removed by `close` unless something went wrong.
    """

    def __init__(  # noqa: PLR0913, each is a choice of its own, by name
        self,
        spec: Spec,
        *,
        journal: Path,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        threads: int = 1,
    ) -> None:
        """Start the process; the first use waits for it.

        Args:
            spec: which adapter.
            journal: the directory for the inputs of calls that went wrong.
            python: the interpreter.
            environment: variables on top of this process's and those that set the threads.
            timeout: seconds that one call may take.
            threads: how many threads the framework computes with.

        Raises:
            AdapterError: the interpreter cannot be started.
            JournalError: the directory cannot be written.
        """
        self.spec, self.timeout, self.calls = spec, timeout, 0
        self._python, self._environment = python, environment_of(threads, environment or {})
        self._journal = Journal(journal, spec.name)
        self.log = self._journal.path.with_suffix(".log")
        self._description: Description | None = None
        self._wrong = self._closed = False
        self._calling = threading.Lock()
        self._child: Child | None = None
        try:
            self._child = self._start()
        except AdapterError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, even during a call of another thread, and remove what no failure needs."""
        if self._closed:
            return
        self._closed = True
        if self._child is not None:
            self._child.close()
        with self._calling:  # a call that was cut short has left the journal
            self._journal.close()
        if not self._wrong:
            self.log.unlink(missing_ok=True)

    @property
    def description(self) -> Description:
        """What the adapter says about itself; waits for the process.

        Raises:
            AdapterError: it cannot be loaded, or is no adapter.
            AdapterDied: the process died while it was loaded.
        """
        if self._description is None:
            self._ready()
        if self._description is None:
            raise AssertionError  # a process that is ready has described its adapter
        return self._description

    @property
    def name(self) -> str:
        """The adapter's own name; the registry's or the given one until that is known."""
        return self.spec.name if self._description is None else self._description.name

    @property
    def framework(self) -> str:
        """The package that it executes."""
        return self.description.framework

    @property
    def version(self) -> str:
        """The version of the framework in the child."""
        return self.description.version

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes that it evaluates."""
        return self.description.dtypes

    @property
    def device(self) -> str:
        """Where it runs."""
        return self.description.device

    @property
    def threads(self) -> int | None:
        """How many threads it computes with."""
        return self.description.threads

    @property
    def max_stack(self) -> int | None:
        """The most problems that one call takes."""
        return self.description.max_stack

    def arithmetic(self, dtype: str) -> Arithmetic:
        """What it claims about one of its dtypes."""
        return self.description.arithmetic[dtype]

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The adapter's outputs, in new arrays.

        Raises:
            AdapterDied: the process crashed, exited or took longer than `timeout`.
            AdapterError: the adapter cannot be loaded, or was closed.
            AdapterMisbehaved: it raised, changed its input, or returned what is no result.
            JournalError: the input could not be written, so there was no call.
            NotImplementedError: the adapter's own.
        """
        problem = Problem(X, y, W)
        return outputs_of(self.name, self._call("evaluate", problem), problem)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """The adapter's intermediate quantities, each ``[*stack, m, p]``.

        Raises:
            NotImplementedError: it has none to show. Otherwise as `evaluate`.
        """
        if not self.description.traces:
            raise NotImplementedError(f"{self.name} has no trace")
        problem = Problem(X, y, W)
        return traced_of(self.name, self._call("trace", problem), problem)

    def _call(self, method: str, problem: Problem) -> dict[str, Array]:
        with self._calling:
            if self._closed:
                raise AdapterError(f"{self.name} is closed")
            return self._found(method, problem)

    def _found(self, method: str, problem: Problem) -> dict[str, Array]:
        """Journal the problem, have the child do it, and read what it found."""
        child = self._ready()
        self.calls += 1
        memory = {name: memory_of(array) for name, array in problem._asdict().items()}
        stated = {"adapter": self.name, "call": str(self.calls), "layout": json.dumps(memory)}
        at = self._journal.write(problem, stated)
        request = {"method": method, "journal": str(self._journal.path), "at": at, "memory": memory}
        try:
            answer = child.ask({**request, "dtype": problem.X.dtype.name}, self.timeout)
        except ChildLostError as lost:
            if self._closed:  # nobody's fault, and nothing to keep
                raise AdapterError(f"{self.name} was closed during a call") from None
            self._wrong = True
            raise AdapterDied(self.name, str(lost), self._journal.keep(self.calls), self.log) from None
        return self._understood(child, answer)

    def _understood(self, child: Child, answer: Mapping[str, Any]) -> dict[str, Array]:
        """The arrays that the answer speaks of, or the exception that it stands for."""
        match answer["kind"]:
            case "arrays":
                return read_arrays(child.results.fileno(), answer["arrays"])
            case "AdapterMisbehaved":
                self._wrong = True
                raise AdapterMisbehaved(self.name, answer["message"], self._journal.keep(self.calls))
            case "NotImplementedError":
                raise NotImplementedError(answer["message"])
            case kind:
                raise JournalError(f"{self.name}: {kind}: {answer['message']}")

    def _start(self) -> Child:
        return Child(self._python, self.spec.target, self._environment, self.log)

    def _ready(self) -> Child:
        """A child that has loaded the adapter and waits for a request."""
        if self._child is not None and self._child.alive and self._description is not None:
            return self._child
        if self._child is None or not self._child.alive:
            self._child = self._start()
        try:
            answer = self._child.ask(None, LOADING)
        except ChildLostError as lost:
            self._wrong = True
            raise AdapterDied(self.name, str(lost), None, self.log) from None
        if answer["kind"] != "ready":
            self._child.close()
            raise AdapterError(answer["message"])
        self._description = Description.of_plain(answer["description"])
        return self._child
