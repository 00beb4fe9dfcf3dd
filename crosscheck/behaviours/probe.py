"""The probe: a question about how an adapter computes, and the smallest input whose outputs answer it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adapters.protocol import Description
from crosscheck.cases import Case, Literal
from crosscheck.evaluation import CheckedAdapter, evaluate_stack
from crosscheck.formatting import format_number
from crosscheck.regimes.sigma import sigma
from reference.formats import Format
from reference.types import Array, Outputs

AnswerFunction = Callable[[CheckedAdapter, Case | Literal], str]


@dataclass(frozen=True)
class Probe:
    """A question about an adapter, which is answered from its outputs on one input, in every format.

    Attributes:
        name: the name for `crosscheck behaviours --probe`.
        question: what the probe finds out, in one sentence.
        matters: the equation, claim or term of the bounds to which the answer is relevant.
        case: a function that makes the input in a format.
        answer: a function that returns the answer of an adapter on the input, as a few words or numbers.
    """

    name: str
    question: str
    matters: str
    case: Callable[[Format], Case | Literal]
    answer: AnswerFunction

    def run(self, adapter: CheckedAdapter, format: Format) -> str:
        """Run the probe on an adapter in a format, and return the answer.

        Raises:
            AdapterCrashed, AdapterMisbehaved: the adapter gave no answer.
            NotImplementedError: the adapter lacks the output that the probe needs; the message names it.
        """
        return self.answer(adapter, self.case(format))


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


def first_number(outputs: Outputs, name: str) -> float:
    """Return the first number of an output, with the sign of a zero.

    Raises:
        NotImplementedError: the adapter has no such output.
    """
    output = getattr(outputs, name)
    if output is None:
        raise NotImplementedError(f"no {name}")
    return float(np.ravel(output)[0])


def evaluated_number(adapter: CheckedAdapter, case: Case | Literal, name: str) -> float:
    """Evaluate a case, and return the first number of one output; see `first_number`."""
    return first_number(evaluate_stack(adapter, case.problem()), name)


def numbers_of(*names: str) -> AnswerFunction:
    """Make an answer that lists the first numbers of some outputs, without the sign of a zero."""

    def answer(adapter: CheckedAdapter, case: Case | Literal) -> str:
        outputs = evaluate_stack(adapter, case.problem())
        return ", ".join(
            f"{name} {format_number(first_number(outputs, name) + 0.0, case.format)}" for name in names
        )

    return answer


def by_z(names: Mapping[float, str]) -> AnswerFunction:
    """Make an answer that gives the name of the z whose σ(z) is nearest to ŷ; a NaN is answered as such."""
    z = np.array(list(names))

    def answer(adapter: CheckedAdapter, case: Case | Literal) -> str:
        y_hat = evaluated_number(adapter, case, "y_hat")
        if math.isnan(y_hat):
            return "y_hat nan"
        return names[float(z[np.argmin(np.abs(sigma(z) - y_hat))])]

    return answer


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

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """See `CheckedAdapter.trace`."""
        return self._adapter.trace(X, y, W)
