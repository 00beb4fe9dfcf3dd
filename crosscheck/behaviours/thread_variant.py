"""An adapter together with a variant of itself that has another number of threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from adapters.protocol import Description
from crosscheck.evaluation import CheckedAdapter
from reference.types import Array, Outputs


class WithThreadVariant:
    """An adapter with a variant of itself: the same adapter with another number of threads.

    Args:
        adapter: the one that answers all calls.
        start_variant: starts the variant when it is needed for the first time.
    """

    def __init__(self, adapter: CheckedAdapter, start_variant: Callable[[], CheckedAdapter]) -> None:
        self._adapter, self._start_variant = adapter, start_variant

    @cached_property
    def thread_variant(self) -> CheckedAdapter:
        """The same adapter with another number of threads."""
        return self._start_variant()

    @property
    def description(self) -> Description:
        """As `CheckedAdapter.description`."""
        return self._adapter.description

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """As `CheckedAdapter.evaluate`."""
        return self._adapter.evaluate(X, y, W)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """As `CheckedAdapter.trace`."""
        return self._adapter.trace(X, y, W)
