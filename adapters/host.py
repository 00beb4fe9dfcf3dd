"""A process that hosts adapters: one interpreter, one environment, one call at a time.

Every adapter of a framework's can share one, which then imports the framework once. What crashes or hangs
there is an exception here, with its input on disk; the next call, whosever it is, starts a new process.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from adapters import Spec
from adapters.child import Child, ChildLostError, environment_of
from adapters.conditions import Conditions
from adapters.errors import AdapterDied, AdapterError, AdapterMisbehaved, JournalError
from adapters.journal import Journal, read_arrays
from adapters.memory import memory_of
from adapters.protocol import Description
from reference.types import Array, Problem

LOADING = 300.0  # seconds for a framework's first import, which a cold disk makes long


class Host:
    """The process, started anew when it is lost.

    Attributes:
        log: the file with all that its processes printed; removed by `close` unless something went wrong.
    """

    def __init__(self, name: str, first: Spec, conditions: Conditions) -> None:
        """Start the process, which loads its first adapter at once; the first use waits for it.

        Args:
            name: for the names of its files.
            first: the adapter that it loads first, which says with how many threads and devices, and up
                to which instruction set.
            conditions: where and how it runs.

        Raises:
            AdapterError: the interpreter cannot be started, or this CPU not be held to the instruction set.
            JournalError: the directory cannot be written.
        """
        self._python = first.python or sys.executable
        self._environment = environment_of(
            first.threads, conditions.environment, devices=first.devices, isa=first.isa
        )
        self._journal = Journal(conditions.journal, name)
        self.log = self._journal.path.with_suffix(".log")
        self._loaded: dict[str, Description | AdapterError] = {}
        self._unasked: str | None = None  # what the process loads first, until it has answered for that
        self._wrong = self._closed = False
        self._calling = threading.Lock()
        self._child: Child | None = None
        try:
            self._start(first.target)
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

    def describe(self, name: str, target: str) -> Description:
        """What the adapter says about itself; waits for the process.

        Raises:
            AdapterError: it cannot be loaded, is no adapter, or the host is closed.
            AdapterDied: the process died while it was loaded.
        """
        with self._calling:
            self._see_open(name)
            _, description = self._ready(name, target)
        return description

    def call(  # noqa: PLR0913, a call is all of that
        self, name: str, target: str, method: str, problem: Problem, *, number: int, timeout: float
    ) -> dict[str, Array]:
        """Journal the problem, have the adapter do it, and read what it found.

        Args:
            name: the adapter's.
            target: what the process loads it as.
            method: ``evaluate`` or ``trace``.
            problem: X, y and W.
            number: of the call, for the name of the file that keeps its input.
            timeout: seconds that it may take.

        Raises:
            AdapterDied: the process crashed, exited or took longer.
            AdapterError: the adapter cannot be loaded, or the host is closed.
            AdapterMisbehaved: it raised, changed its input, or returned what is no result.
            JournalError: the input could not be written, so there was no call.
            NotImplementedError: the adapter's own.
        """
        with self._calling:
            self._see_open(name)
            child, _ = self._ready(name, target)
            memory = {symbol: memory_of(array) for symbol, array in problem._asdict().items()}
            stated = {"adapter": name, "call": str(number), "layout": json.dumps(memory)}
            at = self._journal.write(problem, stated)
            file = {"journal": str(self._journal.path), "at": at, "dtype": problem.X.dtype.name}
            try:
                answer = child.ask({"method": method, "target": target, "memory": memory, **file}, timeout)
            except ChildLostError as lost:
                if self._closed:  # nobody's fault, and nothing to keep
                    raise AdapterError(f"{name} was closed during a call") from None
                self._wrong = True
                raise AdapterDied(name, str(lost), self._journal.keep(target, number), self.log) from None
            return self._understood(child, answer, name, target, number)

    def _understood(
        self, child: Child, answer: Mapping[str, Any], name: str, target: str, number: int
    ) -> dict[str, Array]:
        """The arrays that the answer speaks of, or the exception that it stands for."""
        match answer["kind"]:
            case "arrays":
                return read_arrays(child.results.fileno(), answer["arrays"])
            case "AdapterMisbehaved":
                self._wrong = True
                if answer.get("spoiled"):  # the others would be blamed for what this one left behind
                    child.close()
                raise AdapterMisbehaved(name, answer["message"], self._journal.keep(target, number))
            case "NotImplementedError":
                raise NotImplementedError(answer["message"])
            case kind:
                raise JournalError(f"{name}: {kind}: {answer['message']}")

    def _see_open(self, name: str) -> None:
        if self._closed:
            raise AdapterError(f"{name} is closed")

    def _start(self, target: str) -> Child:
        self._child = Child(self._python, target, self._environment, self.log)
        self._loaded, self._unasked = {}, target
        return self._child

    def _ready(self, name: str, target: str) -> tuple[Child, Description]:
        """A child that waits for a request, and the adapter, which it has loaded."""
        child = self._child if self._child is not None and self._child.alive else self._start(target)
        while target not in self._loaded:
            if not child.alive:
                child = self._start(target)  # another's fault, told to whoever asks for that one
            unasked, self._unasked = self._unasked, None
            try:
                self._loaded[unasked or target] = self._load(child, name, None if unasked else target)
            except AdapterDied:
                if unasked in (None, target):
                    raise
        found = self._loaded[target]
        if isinstance(found, AdapterError):
            raise found
        return child, found

    def _load(self, child: Child, name: str, asked: str | None) -> Description | AdapterError:
        """What came of loading an adapter, the first one without being asked."""
        try:
            answer = child.ask({"method": "load", "target": asked} if asked else None, LOADING)
        except ChildLostError as lost:
            self._wrong = True
            raise AdapterDied(name, str(lost), None, self.log) from None
        if answer.get("spoiled"):  # as in `_understood`
            child.close()
        if answer["kind"] != "ready":
            return AdapterError(answer["message"])
        return Description.of_plain(answer["description"])
