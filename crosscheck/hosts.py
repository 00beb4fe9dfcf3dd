"""The processes of a run: one for each room of adapters, started when first needed, closed together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters import Spec
from adapters.host import Host
from adapters.isolated import Isolated


class Hosts:
    """Adapters in processes that they share with those of the same framework, threads and devices.

    An adapter from outside has a process to itself.
    """

    def __init__(self, *, journal: Path, timeout: float, environment: Mapping[str, str]) -> None:
        """Start nothing yet.

        Args:
            journal: the directory for the inputs of calls that went wrong.
            timeout: seconds that one call may take.
            environment: variables for the processes on top of this one's.
        """
        self._journal, self._timeout, self._environment = journal, timeout, environment
        self._hosts: dict[tuple[str, int, int], Host] = {}
        self._subjects: dict[str, Isolated] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def subject(self, spec: Spec) -> Isolated:
        """The adapter; its process is started where none of its room runs yet.

        Raises:
            AdapterError: the interpreter cannot be started.
            JournalError: the directory cannot be written.
        """
        if spec.name not in self._subjects:
            host = self._hosts.get(spec.room) or self._start(spec)
            self._subjects[spec.name] = Isolated(spec, host, timeout=self._timeout)
        return self._subjects[spec.name]

    def _start(self, spec: Spec) -> Host:
        host = Host(
            spec.framework or spec.name,
            spec.target,
            journal=self._journal,
            environment=self._environment,
            threads=spec.threads,
            devices_of_host=spec.devices,
        )
        self._hosts[spec.room] = self._resources.enter_context(host)
        return host

    def close(self) -> None:
        """End every process."""
        self._resources.close()
