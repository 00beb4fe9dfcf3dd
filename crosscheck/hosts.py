"""The processes of a run: one for each room of adapters, started when first needed, closed together."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from adapters import Room, Spec
from adapters.conditions import Conditions
from adapters.host import Host
from adapters.isolated import Isolated
from adapters.protocol import Description


class Hosts:
    """Adapters in processes that they share with those of their room.

    An adapter from outside has a process to itself.
    """

    def __init__(self, conditions: Conditions) -> None:
        """Start nothing yet."""
        self._conditions = conditions
        self._hosts: dict[Room, Host] = {}
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
            self._subjects[spec.name] = Isolated(spec, host)
        return self._subjects[spec.name]

    @property
    def descriptions(self) -> dict[str, Description]:
        """What the adapters that were asked say about themselves, by what selects them."""
        return {name: subject.description for name, subject in self._subjects.items() if subject.is_described}

    def _start(self, spec: Spec) -> Host:
        host = Host(spec.framework or spec.name, spec, self._conditions)
        self._hosts[spec.room] = self._resources.enter_context(host)
        return host

    def close(self) -> None:
        """End every process."""
        self._resources.close()
