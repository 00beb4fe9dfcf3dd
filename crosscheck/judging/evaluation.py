"""Evaluate a problem with one adapter, and judge the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from adapters.errors import AdapterCrashed, AdapterError, AdapterMisbehaved
from adapters.protocol import Description, describe, outputs_of, present, traced_of
from adapters.repeated import CallResult, Calls, evaluate_each, evaluate_in_parts, evaluate_parts
from crosscheck.judging.judge import Judge, Judgement
from reference.types import Array, Bool, Outputs, Problem


class CheckedAdapter(Protocol):
    """An adapter as the suite calls it: in this process or in a child, described, with checked results.

    Users write an `adapters.protocol.Adapter`; `InProcessAdapter` and `ProcessAdapter` wrap it.

    Attributes:
        description: the adapter's description of itself.
    """

    @property
    def description(self) -> Description:
        """The adapter's description of itself."""

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Return the adapter's outputs, checked for shape and dtype, for a stack of any size."""

    def evaluate_each(self, problems: Problem, calls: Calls) -> list[CallResult]:
        """Make several calls and check them, as `adapters.repeated.evaluate_each` does."""

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Return the adapter's intermediate quantities; raise NotImplementedError if it has no ``trace``."""


class InProcessAdapter:
    """An adapter called in this process: for benchmarks, and for adapters that are known not to crash."""

    def __init__(self, adapter: Any) -> None:
        self.wrapped = adapter
        self.description = describe(adapter)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Do as `CheckedAdapter.evaluate` says; exceptions of the adapter become `AdapterMisbehaved`."""
        problem, said = Problem(X, y, W), self.description
        if (most := said.max_stack) is None or problem.stack_size <= most:
            return self._once(problem)

        def some(rest: Problem) -> Mapping[str, Array]:
            return evaluate_parts(said.name, lambda part: present(self._once(part)), rest, most)

        return evaluate_in_parts(said.name, some, problem)

    def _once(self, problem: Problem) -> Outputs:
        return outputs_of(self.description.name, self._call(self.wrapped.evaluate, *problem), problem)

    def evaluate_each(self, problems: Problem, calls: Calls) -> list[CallResult]:
        """Do as `adapters.repeated.evaluate_each`."""
        name = self.description.name
        return evaluate_each(name, lambda problem: present(self._once(problem)), problems, calls)

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Do as `CheckedAdapter.trace` says."""
        if not self.description.traces:
            raise NotImplementedError(f"{self.description.name} has no trace")
        return traced_of(self.description.name, self._call(self.wrapped.trace, X, y, W), Problem(X, y, W))

    def _call(self, function: Callable[..., Any], X: Array, y: Array, W: Array) -> Any:
        try:
            return function(X, y, W)
        except NotImplementedError:
            raise
        except Exception as error:  # the boundary to foreign code
            what = f"raised {type(error).__name__}: {error}"
            raise AdapterMisbehaved(self.description.name, what) from error


class Evaluation(NamedTuple):
    """The result of one adapter for one problem; exactly one of outputs, unsupported and failure is set.

    Attributes:
        description: the adapter's description of itself.
        outputs: the returned outputs, checked for shape and dtype.
        unsupported: the reason why the adapter does not evaluate this problem.
        failure: the exception, if the adapter broke the contract, crashed, or gave no answer in time.
    """

    description: Description
    outputs: Outputs | None = None
    unsupported: str | None = None
    failure: AdapterMisbehaved | AdapterCrashed | None = None


class Outcome(NamedTuple):
    """An evaluation with its judgement.

    Attributes:
        description, outputs, unsupported, failure: as in the `Evaluation`.
        judgements: the judgement of each output that the adapter returned.
    """

    description: Description
    outputs: Outputs | None = None
    judgements: Mapping[str, Judgement] = MappingProxyType({})
    unsupported: str | None = None
    failure: AdapterMisbehaved | AdapterCrashed | None = None

    @property
    def disagreeing(self) -> tuple[str, ...]:
        """The outputs that lie outside their admissible sets."""
        return tuple(name for name, one in self.judgements.items() if not one.admissible.all())

    @property
    def is_green(self) -> bool:
        """Whether nothing is known to be wrong: no output is outside, and the adapter did not fail."""
        return self.failure is None and not self.disagreeing


def check_unique_names(descriptions: Iterable[Description]) -> None:
    """Check that no two adapters have the same name, since reports identify them by name.

    Raises:
        AdapterError: two of them have the same name.
    """
    for name, count in Counter(said.name for said in descriptions).items():
        if count > 1:
            raise AdapterError(f"two adapters are called {name!r}; rename yours, or narrow with --only")


def evaluate(adapter: CheckedAdapter, problem: Problem) -> Evaluation:
    """Evaluate a problem with an adapter; failures of the adapter are returned, never raised."""
    description, dtype = adapter.description, problem.X.dtype.name
    if dtype not in description.dtypes:
        return Evaluation(description, unsupported=f"{description.name} has no {dtype}")
    try:
        return Evaluation(description, adapter.evaluate(*problem))
    except NotImplementedError as reason:
        return Evaluation(description, unsupported=str(reason) or "no reason given")
    except (AdapterMisbehaved, AdapterCrashed) as failure:
        return Evaluation(description, failure=failure)


def judge_evaluation(judge: Judge, evaluation: Evaluation) -> Outcome:
    """Judge an adapter's evaluation of the judge's problem."""
    description, outputs, unsupported, failure = evaluation
    if outputs is None:
        return Outcome(description, unsupported=unsupported, failure=failure)
    return Outcome(description, outputs, judge.judge(outputs, description.arithmetic[judge.format.name]))


def evaluate_and_judge(adapter: CheckedAdapter, judge: Judge) -> Outcome:
    """Evaluate the judge's problem with an adapter, and judge the result."""
    return judge_evaluation(judge, evaluate(adapter, judge.problem))


def different(outcomes: Sequence[Outcome], output: str) -> Bool:
    """Return where values differ, NaNs being equal, and none lies outside its set; a mask of the output."""
    first, *others = (getattr(outcome.outputs, output) for outcome in outcomes)
    found = np.zeros(first.shape, np.bool_)
    with np.errstate(invalid="ignore"):
        for other in others:
            found |= (first != other) & ~(np.isnan(first) & np.isnan(other))
    for outcome in outcomes:
        found &= outcome.judgements[output].admissible
    return found


def all_judged(outcomes: Sequence[Outcome], output: str) -> Bool:
    """Return where the values of all adapters are judged."""
    return np.logical_and.reduce([outcome.judgements[output].judged for outcome in outcomes])
