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
    """One function of an adapter's outputs on one input, in every format.

    Attributes:
        name: as `crosscheck behaviours --probe` takes it.
        question: what the probe finds out, in one sentence.
        matters: which equation, claim or term of the bounds the answer bears on.
        case: the input in a format.
        answer: what an adapter's outputs on the input say, in a few words or as numbers.
    """

    name: str
    question: str
    matters: str
    case: Callable[[Format], Case | Literal]
    answer: AnswerFunction

    def run(self, adapter: CheckedAdapter, format: Format) -> str:
        """The answer of an adapter in a format.

        Raises:
            AdapterCrashed, AdapterMisbehaved: the adapter gave none.
            NotImplementedError: it does not have what the probe looks at; the message says what.
        """
        return self.answer(adapter, self.case(format))


@dataclass(frozen=True)
class Observation:
    """What one probe saw of one adapter in one dtype.

    Attributes:
        probe, adapter, dtype: which probe was run on which adapter in which dtype.
        value: the answer; where there is none, why not: ``no grad``.
        input: the text of the case that was evaluated.
        seen: whether the value is an answer.
    """

    probe: str
    adapter: str
    dtype: str
    value: str
    input: str
    seen: bool = True


def literal(format: Format, X: list[list[float]], y: list[list[float]], W: list[list[float]]) -> Literal:
    """A stack of one network; every number must be one of the format."""
    inputs, labels, weights = (np.array([rows]).astype(format.dtype) for rows in (X, y, W))
    return Literal(format.name, inputs, labels, weights)


def single(format: Format, x: float, y: float, w: float) -> Literal:
    """The network with m = n = p = 1."""
    return literal(format, [[x]], [[y]], [[w]])


def dot(format: Format, terms: list[float]) -> Literal:
    """One row whose products are the terms, with y = 0."""
    return literal(format, [terms], [[0.0]], [[1.0]] * len(terms))


def first_number(outputs: Outputs, name: str) -> float:
    """The first number of an output; of a zero the sign too.

    Raises:
        NotImplementedError: the adapter has no such output.
    """
    output = getattr(outputs, name)
    if output is None:
        raise NotImplementedError(f"no {name}")
    return float(np.ravel(output)[0])


def evaluated_number(adapter: CheckedAdapter, case: Case | Literal, name: str) -> float:
    """The first number of one output of the adapter; as `first_number`."""
    return first_number(evaluate_stack(adapter, case.problem()), name)


def numbers_of(*names: str) -> AnswerFunction:
    """The answer that is the first numbers of some outputs; the sign of zero has a probe of its own."""

    def answer(adapter: CheckedAdapter, case: Case | Literal) -> str:
        outputs = evaluate_stack(adapter, case.problem())
        return ", ".join(
            f"{name} {format_number(first_number(outputs, name) + 0.0, case.format)}" for name in names
        )

    return answer


def by_z(names: Mapping[float, str]) -> AnswerFunction:
    """The answer that names the z whose σ(z) is nearest to ŷ; nan has no name."""
    z = np.array(list(names))

    def answer(adapter: CheckedAdapter, case: Case | Literal) -> str:
        y_hat = evaluated_number(adapter, case, "y_hat")
        if math.isnan(y_hat):
            return "y_hat nan"
        return names[float(z[np.argmin(np.abs(sigma(z) - y_hat))])]

    return answer


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
