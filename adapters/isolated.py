"""An adapter in a process of its own, or in a shared one, under a chosen interpreter and environment.

A crash, a time-out or an exit of the process becomes an exception here, with the input on disk; the next call
starts a new process.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters import Spec
from adapters.conditions import ProcessOptions
from adapters.errors import AdapterError
from adapters.host import WorkerProcess
from adapters.protocol import Description, outputs_of, traced_of
from reference.arithmetic import Arithmetic
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

        Args:
            spec: the specification of the adapter.
            options: the journal's directory, the time limits, the environment and the turns.

        Raises:
            AdapterError: the interpreter cannot be started.
            JournalError: the journal's directory cannot be written.
        """
        return cls(spec, WorkerProcess(spec.name, spec, options), owns=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
            said = self._worker.describe(self.name, self.spec.target)
            self._description = replace(said, name=f"{said.name}{self.spec.suffix}")
        return self._description

    @property
    def is_described(self) -> bool:
        """Whether the description has been fetched from the process already."""
        return self._description is not None

    @property
    def name(self) -> str:
        """The name that the adapter states; until its description is known, the name in the specification."""
        return self.spec.name if self._description is None else self._description.name

    @property
    def framework(self) -> str:
        """The name of the package that the adapter executes."""
        return self.description.framework

    @property
    def version(self) -> str:
        """The version of the framework in the worker process."""
        return self.description.version

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The names of the dtypes that the adapter evaluates."""
        return self.description.dtypes

    @property
    def device(self) -> str:
        """The device that the adapter computes on."""
        return self.description.device

    @property
    def threads(self) -> int | None:
        """How many threads the adapter computes with; None if it does not say."""
        return self.description.threads

    @property
    def max_stack(self) -> int | None:
        """The greatest number of problems that one call takes; None for any number."""
        return self.description.max_stack

    def arithmetic(self, dtype: str) -> Arithmetic:
        """Return the adapter's claims about one of its dtypes."""
        return self.description.arithmetic[dtype]

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return the adapter's outputs for X, y and W, in new arrays.

        Raises:
            AdapterCrashed: the process crashed or exited.
            AdapterError: the adapter cannot be loaded, or was closed.
            AdapterMisbehaved: the adapter raised, changed its input, or returned an invalid result.
            JournalError: the input could not be written, so the call was not made.
            NoAnswer: the call took longer than the limit, and so did a second attempt.
            NotImplementedError: the adapter raised it.
        """
        problem = Problem(X, y, W)
        found = self._call("evaluate", problem)
        return outputs_of(self.name, found, problem)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Return the adapter's intermediate quantities, each ``[*stack, m, p]``.

        Raises:
            NotImplementedError: the adapter has no ``trace``. All other errors are those of `evaluate`.
        """
        if not self.description.traces:
            raise NotImplementedError(f"{self.name} has no trace")
        problem = Problem(X, y, W)
        return traced_of(self.name, self._call("trace", problem), problem)

    def _call(self, method: str, problem: Problem) -> dict[str, Array]:
        if self._closed:
            raise AdapterError(f"{self.name} is closed")
        name = self.description.name
        self.calls += 1
        return self._worker.call(name, self.spec.target, method, problem, number=self.calls)
