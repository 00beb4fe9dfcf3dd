"""A worker process for adapters: one interpreter, one environment, one call at a time.

The adapters of one framework can share one process, which imports the framework once. A crash or a time-out
in it becomes an exception here, with the input on disk; the next call, of any adapter, starts a new process.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple, Self, TypeVar

from adapters import Spec, compilation, is_ours
from adapters.child import Child, ChildLateError, ChildLostError
from adapters.errors import AdapterCrashed, AdapterError, AdapterMisbehaved, JournalError, NoAnswer
from adapters.journal import Journal, read_arrays
from adapters.memory import distances, memories_of
from adapters.modes import parse
from adapters.process_options import ProcessOptions, load
from adapters.protocol import Description
from adapters.start import environment_of
from reference.types import Array, Problem

LOADING = 300.0  # seconds for a framework's first import, which a cold disk makes long

Result = TypeVar("Result")


class Call(NamedTuple):
    """One call of an adapter.

    Attributes:
        name: the adapter's name.
        target: the text from which the process loads the adapter.
        number: the number of the call, used in the name of the file that keeps its input; 0 before any call.
    """

    name: str
    target: str
    number: int = 0


class WorkerProcess:
    """A process that evaluates adapters; after a crash the next call starts it anew.

    Attributes:
        log: the file with everything that its processes printed; `close` removes it unless a call failed.
    """

    def __init__(self, name: str, first: Spec, options: ProcessOptions) -> None:
        """Start the process, which loads its first adapter at once; the first call waits for that.

        Args:
            name: the name from which the names of its files are made.
            first: the adapter that it loads first, which sets its threads, devices, instruction set and
                environment variables.
            options: the journal's directory, the time limits, the environment and the turns.

        Raises:
            AdapterError: the interpreter cannot be started, or the CPU lacks the instruction set.
            JournalError: the journal's directory cannot be written.
        """
        self._python = first.python or sys.executable
        chosen = {**options.environment, **dict(first.variables)}
        self._environment = environment_of(first.threads, chosen, devices=first.devices, isa=first.isa)
        self._journal = Journal(options.journal, name)
        self.log = self._journal.path.with_suffix(".log")
        self._options = options
        self._loaded: dict[str, Description | AdapterError] = {}
        self._unasked: str | None = None  # the target that the process loads first, until it has answered
        self._compiled: list[str] = []  # the folders in which the process keeps compiled programs
        self._has_renewed = False  # whether those folders were marked as damaged once
        self._called: set[str] = set()  # the calls that the process has answered, and so has compiled
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

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, even during a call of another thread, and remove files that no failure needs."""
        if self._closed:
            return
        self._closed = True
        if self._child is not None:
            self._child.close()
        with self._calling:  # a call that was interrupted no longer uses the journal
            self._journal.close()
        if not self._wrong:
            self.log.unlink(missing_ok=True)

    def describe(self, call: Call) -> Description:
        """Return the description of an adapter; wait until the process has loaded the adapter.

        Raises:
            AdapterError: it cannot be loaded, is no adapter, or the worker process is closed.
            AdapterCrashed: the process crashed while it loaded the adapter.
            NoAnswer: loading took too long, twice.
        """
        with self._calling:
            return self._with_retry(call, lambda _: self._ready(call)[1])

    def call(self, call: Call, request: Mapping[str, Any], problem: Problem) -> dict[str, Array]:
        """Write the problem to the journal, have the process call the adapter, and read the returned arrays.

        Args:
            call: the adapter, and the number of the call.
            request: the ``method``, ``evaluate`` or ``trace``. Instead of one call of it, ``calls`` asks for
                several `Calls`, on problems that the first axis tells apart; ``most`` for calls on so many
                networks of the stack each, as in `adapters.repeated.evaluate_parts`.
            problem: X, y and W.

        It raises what `adapters.process_adapter.ProcessAdapter.evaluate` raises.
        """
        with self._calling:
            return self._with_retry(
                call,
                lambda again: self._recompiled(lambda: self._answered(call, request, problem, again=again)),
            )

    def _with_retry(self, call: Call, attempt: Callable[[bool], Result]) -> Result:
        """Return the result of `attempt(False)`; after a time-out, of `attempt(True)` without other calls."""
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

    def _recompiled(self, attempt: Callable[[], Result]) -> Result:
        """Return the result of an attempt; repeat it once if damaged compiled programs may be why it failed.

        The second attempt runs in a new process, which compiles everything in empty folders.
        """
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

    def _answered(
        self, call: Call, request: Mapping[str, Any], problem: Problem, *, again: bool
    ) -> dict[str, Array]:
        """Make one attempt at a call; if it takes too long, the process is ended."""
        child, _ = self._ready(call)
        memory = memories_of(problem)
        layout, dtype, together = json.dumps(memory), problem.X.dtype.name, distances(problem)
        at = self._journal.write(problem, {"adapter": call.name, "call": str(call.number), "layout": layout})
        file = {"journal": str(self._journal.path), "at": at, "dtype": dtype, "together": together}
        what = f"{call.target}|{json.dumps(request)}|{dtype}|{layout}"
        may_compile = what not in self._called or _compiles_values(call.target)
        limit = self._options.limit(may_compile=may_compile, again=again)
        try:
            answer = child.ask({**request, "target": call.target, "memory": memory, **file}, limit)
        except ChildLostError as lost:
            if self._closed:  # the call was interrupted by `close`: no fault, and no input to keep
                raise AdapterError(f"{call.name} was closed during a call") from None
            if isinstance(lost, ChildLateError):
                raise
            self._wrong = True
            kept = self._journal.keep(call.target, call.number)
            raise AdapterCrashed(call.name, str(lost), kept, self.log) from None
        self._called.add(what)
        return self._understood(child, answer, call)

    def _understood(self, child: Child, answer: Mapping[str, Any], call: Call) -> dict[str, Array]:
        """Return the arrays that the answer lists, or raise the exception that it describes."""
        match answer["kind"]:
            case "arrays":
                return read_arrays(child.results.fileno(), answer["arrays"])
            case "AdapterMisbehaved":
                self._wrong = True
                if answer.get("spoiled"):  # the process now flushes subnormals for all adapters in it
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

    def _ready(self, call: Call) -> tuple[Child, Description]:
        """Return a child that waits for a request, and the description of the adapter, loaded in it."""
        target = call.target
        child = self._child if self._child is not None and self._child.alive else self._start(target)
        while target not in self._loaded:
            if not child.alive:
                child = self._start(target)  # another adapter ended it; its own call will report that
            unasked, self._unasked = self._unasked, None
            try:
                self._loaded[unasked or target] = self._load(child, call.name, None if unasked else target)
            except (AdapterCrashed, ChildLateError):
                if unasked in (None, target):
                    raise
        found = self._loaded[target]
        if isinstance(found, AdapterError):
            raise found
        return child, found

    def _load(self, child: Child, name: str, asked: str | None) -> Description | AdapterError:
        """Make the child load an adapter, its first one if None; return the description or the error."""
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
    """Return whether the target is one of the suite's modes whose program contains values of the input."""
    return is_ours(target) and parse(target).compiles_values
