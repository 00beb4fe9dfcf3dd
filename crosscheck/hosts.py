"""The worker processes of a run: one for each process key, started when first needed, closed together."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from adapters import ProcessKey, Spec
from adapters.conditions import ProcessOptions
from adapters.host import WorkerProcess
from adapters.isolated import ProcessAdapter
from adapters.protocol import Description


class WorkerProcesses:
    """The worker processes of a run and the adapters in them; equal `Spec.process_key` share a process.

    An adapter from outside has a process of its own.
    """

    def __init__(self, options: ProcessOptions) -> None:
        """Create an empty collection; no process is started."""
        self._options = options
        self._processes: dict[ProcessKey, WorkerProcess] = {}
        self._adapters: dict[str, ProcessAdapter] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    @property
    def descriptions(self) -> dict[str, Description]:
        """The descriptions that adapters have given so far, by the name that selects each adapter."""
        return {name: adapter.description for name, adapter in self._adapters.items() if adapter.is_described}

    def _start(self, spec: Spec) -> WorkerProcess:
        worker = WorkerProcess(spec.framework or spec.name, spec, self._options)
        self._processes[spec.process_key] = self._resources.enter_context(worker)
        return worker

    def close(self) -> None:
        """End every process."""
        self._resources.close()
