"""A worker process for adapters: one interpreter, one environment, one call at a time.

The adapters of one framework can share one, which then imports the framework once. What crashes or hangs
there is an exception here, with its input on disk; the next call, whosever it is, starts a new process.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from adapters import Spec, compilation, is_ours
from adapters.child import Child, ChildLateError, ChildLostError, environment_of
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterCrashed, AdapterError, AdapterMisbehaved, JournalError, NoAnswer
from adapters.journal import Journal, read_arrays
from adapters.memory import memory_of
from adapters.modes import parse
from adapters.protocol import Description
from adapters.turns import load
from reference.types import Array, Problem

LOADING = 300.0  # seconds for a framework's first import, which a cold disk makes long

Found = TypeVar("Found")


class Call(NamedTuple):
    """One call: which adapter it goes to, and its number.

    Attributes:
        name: the adapter's.
        target: what the process loads it as.
        number: of the call, for the name of the file that keeps its input; 0 before the first one.
    """

    name: str
    target: str
    number: int = 0


class WorkerProcess:
    """A process that evaluates adapters; after a crash the next call starts it anew.

    Attributes:
        log: the file with all that its processes printed; removed by `close` unless something went wrong.
    """

    def __init__(self, name: str, first: Spec, options: ProcessOptions) -> None:
        """Start the process, which loads its first adapter at once; the first use waits for it.

        Args:
            name: for the names of its files.
            first: the adapter that it loads first, which says with how many threads and devices, and up
                to which instruction set.
            options: where and how it runs.

        Raises:
            AdapterError: the interpreter cannot be started, or this CPU not be held to the instruction set.
            JournalError: the directory cannot be written.
        """
        self._python = first.python or sys.executable
        self._environment = environment_of(
            first.threads, options.environment, devices=first.devices, isa=first.isa
        )
        self._journal = Journal(options.journal, name)
        self.log = self._journal.path.with_suffix(".log")
        self._options = options
        self._loaded: dict[str, Description | AdapterError] = {}
        self._unasked: str | None = None  # what the process loads first, until it has answered for that
        self._compiled: list[str] = []  # where the process keeps compiled programs
        self._has_renewed = False  # whether those were set aside once
        self._called: set[str] = set()  # what the process was asked already, and has compiled
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
            AdapterError: it cannot be loaded, is no adapter, or the worker process is closed.
            AdapterCrashed: the process crashed while it was loaded.
            NoAnswer: loading took too long, twice.
        """
        with self._calling:
            return self._with_retry(Call(name, target), lambda _: self._ready(name, target)[1])

    def call(self, name: str, target: str, method: str, problem: Problem, *, number: int) -> dict[str, Array]:
        """Journal the problem, have the adapter do it, and read what it found.

        Args:
            name: the adapter's.
            target: what the process loads it as.
            method: ``evaluate`` or ``trace``.
            problem: X, y and W.
            number: of the call, for the name of the file that keeps its input.

        Raises:
            AdapterCrashed: the process crashed or exited.
            AdapterError: the adapter cannot be loaded, or the worker process is closed.
            AdapterMisbehaved: it raised, changed its input, or returned what is no result.
            JournalError: the input could not be written, so there was no call.
            NoAnswer: it took longer than its limit, and so did a second attempt, alone and with more time.
            NotImplementedError: the adapter's own.
        """
        call = Call(name, target, number)
        with self._calling:
            return self._with_retry(
                call,
                lambda again: self._recompiled(lambda: self._answered(call, method, problem, again=again)),
            )

    def _with_retry(self, call: Call, attempt: Callable[[bool], Found]) -> Found:
        """The result of `attempt(False)`; after a time-out of `attempt(True)`, with nothing else at work."""
        check, turns = partial(self._check_open, call.name), self._options.turns
        check()
        try:
            with turns.beside_others(check):
                return attempt(False)  # noqa: FBT003, its only argument
        except ChildLateError as late:
            first, before = late, load()
        try:
            with turns.alone(check):
                begin = time.monotonic()
                found = attempt(True)  # noqa: FBT003
        except ChildLateError as late:
            self._wrong = True
            kept = self._journal.keep(call.target, call.number) if call.number else None
            waited = first.seconds, late.seconds
            raise NoAnswer(call.name, waited, load(), kept, self.log) from None
        took = f"{time.monotonic() - begin:.1f} s, loading and compiling included"
        turns.notes.append(f"{call.name} {first} ({before}); tried once more alone it took {took}")
        return found

    def _recompiled(self, attempt: Callable[[], Found]) -> Found:
        """The result of an attempt; if damaged compiled programs may have failed it, of one without them."""
        was_wrong = self._wrong
        try:
            return attempt()
        except (AdapterCrashed, AdapterMisbehaved) as failure:
            if self._has_renewed or not self._compiled or not compilation.shows_damage(str(failure)):
                raise
            first = failure
        self._has_renewed, self._wrong = True, was_wrong
        folders = self._compiled
        compilation.mark_damaged(folders)
        if self._child is not None:
            self._child.close()
        if first.journal is not None:
            first.journal.unlink(missing_ok=True)
        try:
            found = attempt()
        except (AdapterCrashed, AdapterMisbehaved):
            compilation.unmark_damaged(folders)
            raise
        said = "what was compiled before seems damaged: set aside, and tried once more with nothing of it"
        self._options.turns.notes.append(f"{first.adapter}: {said}")
        return found

    def _answered(self, call: Call, method: str, problem: Problem, *, again: bool) -> dict[str, Array]:
        """One attempt; the process is ended if it takes too long."""
        child, _ = self._ready(call.name, call.target)
        memory = {symbol: memory_of(array) for symbol, array in problem._asdict().items()}
        layout, dtype = json.dumps(memory), problem.X.dtype.name
        at = self._journal.write(problem, {"adapter": call.name, "call": str(call.number), "layout": layout})
        file = {"journal": str(self._journal.path), "at": at, "dtype": dtype}
        what = f"{call.target}|{method}|{dtype}|{layout}"
        may_compile = what not in self._called or _compiles_values(call.target)
        limit = self._options.limit(may_compile=may_compile, again=again)
        try:
            answer = child.ask({"method": method, "target": call.target, "memory": memory, **file}, limit)
        except ChildLostError as lost:
            if self._closed:  # nobody's fault, and nothing to keep
                raise AdapterError(f"{call.name} was closed during a call") from None
            if isinstance(lost, ChildLateError):
                raise
            self._wrong = True
            kept = self._journal.keep(call.target, call.number)
            raise AdapterCrashed(call.name, str(lost), kept, self.log) from None
        self._called.add(what)
        return self._understood(child, answer, call)

    def _understood(self, child: Child, answer: Mapping[str, Any], call: Call) -> dict[str, Array]:
        """The arrays that the answer speaks of, or the exception that it stands for."""
        match answer["kind"]:
            case "arrays":
                return read_arrays(child.results.fileno(), answer["arrays"])
            case "AdapterMisbehaved":
                self._wrong = True
                if answer.get("spoiled"):  # the others would be blamed for what this one left behind
                    child.close()
                kept = self._journal.keep(call.target, call.number)
                raise AdapterMisbehaved(call.name, answer["message"], kept)
            case "NotImplementedError":
                raise NotImplementedError(answer["message"])
            case kind:
                raise JournalError(f"{call.name}: {kind}: {answer['message']}")

    def _check_open(self, name: str) -> None:
        if self._closed:
            raise AdapterError(f"{name} is closed")

    def _start(self, target: str) -> Child:
        self._child = Child(self._python, target, self._environment, self.log)
        self._loaded, self._unasked, self._called, self._compiled = {}, target, set(), []
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
            except (AdapterCrashed, ChildLateError):
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
        except ChildLateError:
            raise
        except ChildLostError as lost:
            self._wrong = True
            raise AdapterCrashed(name, str(lost), None, self.log) from None
        if answer.get("spoiled"):  # as in `_understood`
            child.close()
        if answer["kind"] != "ready":
            return AdapterError(answer["message"])
        self._compiled = answer["compiled"]
        return Description.of_plain(answer["description"])


@cache
def _compiles_values(target: str) -> bool:
    """Whether it is one of the suite's own modes whose program holds values of the input."""
    return is_ours(target) and parse(target).compiles_values
