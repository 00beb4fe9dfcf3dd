"""Any adapter in a process of its own, or in one that it shares, under a chosen interpreter and environment.

What crashes, hangs or exits there is an exception here, with its input on disk; the next call starts a new
process.
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
from adapters.protocol import Description
from adapters.results import outputs_of, traced_of
from reference.arithmetic import Arithmetic
from reference.types import Array, Outputs, Problem


class ProcessAdapter:
    """An adapter that runs in a worker process: one call at a time, which `close` may cut short.

    Attributes:
        spec: which adapter.
        calls: how many calls were made.
    """

    def __init__(self, spec: Spec, worker: WorkerProcess, *, owns: bool = False) -> None:
        """Start nothing; the first use has the worker process load the adapter.

        Args:
            spec: which adapter.
            worker: the process that it runs in.
            owns: whether `close` ends the process, which then nobody shares.
        """
        self.spec, self.calls = spec, 0
        self._worker, self._owns, self._closed = worker, owns, False
        self._description: Description | None = None

    @classmethod
    def start(cls, spec: Spec, options: ProcessOptions) -> Self:
        """The adapter in a process of its own, which starts now; the first use waits for it.

        Args:
            spec: which adapter.
            options: where and how it runs.

        Raises:
            AdapterError: the interpreter cannot be started.
            JournalError: the directory cannot be written.
        """
        return cls(spec, WorkerProcess(spec.name, spec, options), owns=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process if it is its own, even during a call of another thread."""
        self._closed = True
        if self._owns:
            self._worker.close()

    @property
    def log(self) -> Path:
        """The file with all that the process printed; removed at the end unless something went wrong."""
        return self._worker.log

    @property
    def description(self) -> Description:
        """What the adapter says about itself; waits for the process.

        Raises:
            AdapterError: it cannot be loaded, or is no adapter.
            AdapterCrashed: the process crashed while it was loaded.
        """
        if self._description is None:
            said = self._worker.describe(self.name, self.spec.target)
            self._description = replace(said, name=f"{said.name}{self.spec.suffix}")
        return self._description

    @property
    def is_described(self) -> bool:
        """Whether its description is known already."""
        return self._description is not None

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
            AdapterCrashed: the process crashed or exited.
            AdapterError: the adapter cannot be loaded, or was closed.
            AdapterMisbehaved: it raised, changed its input, or returned what is no result.
            JournalError: the input could not be written, so there was no call.
            NoAnswer: it took longer than the limit, and so did a second attempt.
            NotImplementedError: the adapter's own.
        """
        problem = Problem(X, y, W)
        found = self._call("evaluate", problem)
        return outputs_of(self.name, found, problem)

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
        if self._closed:
            raise AdapterError(f"{self.name} is closed")
        name = self.description.name
        self.calls += 1
        return self._worker.call(name, self.spec.target, method, problem, number=self.calls)
