"""One adapter twice, with different numbers of threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from adapters.protocol import Description
from crosscheck.trial import Subject
from reference.types import Array, Outputs


class Pair:
    """A subject with a twin: the same adapter with other threads, started when it is first asked for.

    Args:
        subject: what it is beside its twin.
        start: makes the twin.
    """

    def __init__(self, subject: Subject, start: Callable[[], Subject]) -> None:
        self._subject, self._start = subject, start

    @cached_property
    def twin(self) -> Subject:
        """The adapter with other threads."""
        return self._start()

    @property
    def description(self) -> Description:
        """As `Subject.description`."""
        return self._subject.description

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """As `Subject.evaluate`."""
        return self._subject.evaluate(X, y, W)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """As `Subject.trace`."""
        return self._subject.trace(X, y, W)
