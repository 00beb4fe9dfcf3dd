"""Adapters in processes of their own, or in shared ones, under a chosen interpreter and environment.

A crash, a time-out or an exit of the process becomes an exception here, with the input on disk; the next call
starts a new process.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from adapters import ProcessKey, Spec
from adapters.errors import AdapterError
from adapters.process_options import ProcessOptions
from adapters.protocol import Description, outputs_of, present, traced_of
from adapters.repeated import MOST_PARTS, CallResult, Calls, evaluate_in_parts, problem_of
from adapters.worker_process import Call, WorkerProcess
from reference.types import Array, Outputs, Problem


class ProcessAdapter:
    """An adapter that runs in a worker process: one call at a time, which `close` may interrupt.

    Attributes:
        spec: the specification of the adapter.
        calls: how many calls were made.
    """

    def __init__(self, spec: Spec, worker: WorkerProcess, *, owns: bool = False) -> None:
        """Start nothing; at the first use the worker process loads the adapter.

        Args:
            spec: the specification of the adapter.
            worker: the process that it runs in.
            owns: whether `close` ends the process; then no other adapter may share it.
        """
        self.spec, self.calls = spec, 0
        self._worker, self._owns, self._closed = worker, owns, False
        self._description: Description | None = None

    @classmethod
    def start(cls, spec: Spec, options: ProcessOptions) -> Self:
        """Start the adapter in a process of its own, without waiting for it; the first use waits.

        Raises:
            AdapterError: the interpreter cannot be started, or the CPU lacks the instruction set.
            JournalError: the journal's directory cannot be written.
        """
        return cls(spec, WorkerProcess(spec.name, spec, options), owns=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process if no other adapter shares it, even during a call of another thread."""
        self._closed = True
        if self._owns:
            self._worker.close()

    @property
    def log(self) -> Path:
        """The file with everything that the process printed; removed at the end unless a call failed."""
        return self._worker.log

    @property
    def description(self) -> Description:
        """The adapter's description; the first access waits until the process has loaded the adapter.

        Raises:
            AdapterError: the adapter cannot be loaded, or does not meet the contract.
            AdapterCrashed: the process crashed while it loaded the adapter.
        """
        if self._description is None:
            said = self._worker.describe(Call(self.name, self.spec.target))
            self._description = replace(said, name=f"{said.name}{self.spec.suffix}")
        return self._description

    @property
    def name(self) -> str:
        """The name that the adapter states; until its description is known, the name in the specification."""
        return self.spec.name if self._description is None else self._description.name

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return the adapter's outputs for X, y and W, in new arrays.

        A stack of more problems than a call takes is evaluated in parts, in the process.

        Raises:
            AdapterCrashed: the process crashed or exited.
            AdapterError: the adapter cannot be loaded, or was closed.
            AdapterMisbehaved: the adapter raised, changed its input, or returned an invalid result.
            JournalError: the input could not be written, so the call was not made.
            NoAnswer: the call took longer than the limit, and so did a second attempt.
            NotImplementedError: the adapter raised it.
        """
        problem, most = Problem(X, y, W), self.description.max_stack
        if most is None or problem.stack_size <= most:
            return outputs_of(self.name, self._call("evaluate", problem), problem)

        def some(rest: Problem) -> dict[str, Array]:
            first = Problem(*(array[: most * MOST_PARTS] for array in rest))
            return self._call("evaluate", first, {"most": most})

        return evaluate_in_parts(self.name, some, problem)

    def evaluate_each(self, problems: Problem, calls: Calls) -> list[CallResult]:
        """Make several calls in the process, as `adapters.repeated.evaluate_each` does.

        Raises:
            What `evaluate` raises.
        """
        found: dict[tuple[int, int, int], dict[str, Array]] = {}
        for key, array in self._call("evaluate", problems, {"calls": calls}).items():
            place, call, problem, name = key.split()
            found.setdefault((int(place), int(call), int(problem)), {})[name] = array
        return [
            CallResult(call, index, present(outputs_of(self.name, outputs, problem_of(problems, index))))
            for (_, call, index), outputs in found.items()
        ]

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Return the adapter's intermediate quantities, each ``[*stack, m, p]``.

        Raises:
            NotImplementedError: the adapter has no ``trace``. All other errors are those of `evaluate`.
        """
        if not self.description.traces:
            raise NotImplementedError(f"{self.name} has no trace")
        problem = Problem(X, y, W)
        return traced_of(self.name, self._call("trace", problem), problem)

    def _call(
        self, method: str, problem: Problem, how: Mapping[str, Any] = MappingProxyType({})
    ) -> dict[str, Array]:
        if self._closed:
            raise AdapterError(f"{self.name} is closed")
        name = self.description.name
        self.calls += 1
        return self._worker.call(Call(name, self.spec.target, self.calls), {"method": method, **how}, problem)


class WorkerProcesses:
    """The worker processes of a run and the adapters in them; adapters of equal `Spec.process_key` share one.

    A process is started when it is first needed, and all are closed together. An adapter from outside has a
    process of its own.
    """

    def __init__(self, options: ProcessOptions) -> None:
        """Create an empty collection; no process is started."""
        self._options = options
        self._processes: dict[ProcessKey, WorkerProcess] = {}
        self._adapters: dict[str, ProcessAdapter] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def adapter(self, spec: Spec) -> ProcessAdapter:
        """Return the adapter, and start its process unless one with its `process_key` runs already.

        Raises:
            AdapterError: the interpreter cannot be started.
            JournalError: the journal's directory cannot be written.
        """
        if spec.name not in self._adapters:
            worker = self._processes.get(spec.process_key) or self._start(spec)
            self._adapters[spec.name] = ProcessAdapter(spec, worker)
        return self._adapters[spec.name]

    def _start(self, spec: Spec) -> WorkerProcess:
        worker = WorkerProcess(spec.framework or spec.name, spec, self._options)
        self._processes[spec.process_key] = self._resources.enter_context(worker)
        return worker

    def close(self) -> None:
        """End every process."""
        self._resources.close()
