"""The probe: a question about how an adapter computes, and the smallest input whose outputs answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adapters.protocol import Description
from adapters.repeated import CallResult, Calls
from crosscheck.inputs import Case, Literal
from crosscheck.judging.evaluation import CheckedAdapter
from reference.formats import Format
from reference.types import Array, Outputs, Problem

AnswerFunction = Callable[[CheckedAdapter, Case | Literal], str]


@dataclass(frozen=True)
class Probe:
    """A question about an adapter, which is answered from its outputs on one input, in every format.

    Attributes:
        name: the name for `crosscheck behaviours --probe`.
        question: what the probe finds out, in one sentence.
        matters: the equation, claim or term of the bounds to which the answer is relevant.
        case: a function that makes the input in a format.
        answer: a function that returns the answer of an adapter on the input, as a few words or numbers. It
            raises NotImplementedError if the adapter lacks the output that it needs; the message names it.
    """

    name: str
    question: str
    matters: str
    case: Callable[[Format], Case | Literal]
    answer: AnswerFunction


def literal(format: Format, X: list[list[float]], y: list[list[float]], W: list[list[float]]) -> Literal:
    """Make a case with a stack of one network; the format must hold every number exactly."""
    inputs, labels, weights = (np.array([rows]).astype(format.dtype) for rows in (X, y, W))
    return Literal(format.name, inputs, labels, weights)


def single(format: Format, x: float, y: float, w: float) -> Literal:
    """Make a case with m = n = p = 1."""
    return literal(format, [[x]], [[y]], [[w]])


def dot(format: Format, terms: list[float]) -> Literal:
    """Make a case with one row, whose products are the terms, and y = 0."""
    return literal(format, [terms], [[0.0]], [[1.0]] * len(terms))


class WithThreadVariant:
    """An adapter together with a variant of it that has another number of threads.

    Args:
        adapter: the adapter that answers all calls.
        start_variant: a function that starts the variant when it is first needed.
    """

    def __init__(self, adapter: CheckedAdapter, start_variant: Callable[[], CheckedAdapter]) -> None:
        self._adapter, self._start_variant = adapter, start_variant

    @cached_property
    def thread_variant(self) -> CheckedAdapter:
        """The same adapter with another number of threads."""
        return self._start_variant()

    @property
    def description(self) -> Description:
        """See `CheckedAdapter.description`."""
        return self._adapter.description

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """See `CheckedAdapter.evaluate`."""
        return self._adapter.evaluate(X, y, W)

    def evaluate_each(self, problems: Problem, calls: Calls) -> list[CallResult]:
        """See `CheckedAdapter.evaluate_each`."""
        return self._adapter.evaluate_each(problems, calls)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """See `CheckedAdapter.trace`."""
        return self._adapter.trace(X, y, W)
