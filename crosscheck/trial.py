"""One trial: a subject evaluates a problem, and the judge says what that is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from adapters.errors import AdapterDied, AdapterError, AdapterMisbehaved
from adapters.protocol import Description, describe
from adapters.results import outputs_of, shapes, traced_of
from crosscheck.judge import Judge, Judgement, Verdict, flat
from reference.types import Array, Outputs, Problem


class Subject(Protocol):
    """An adapter on trial, in this process or in a child.

    Attributes:
        description: what it says about itself.
    """

    @property
    def description(self) -> Description:
        """What the adapter says about itself."""

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Its outputs, checked for shape and dtype."""

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """The quantities in between that it can show; NotImplementedError where it has no ``trace``."""


class Direct:
    """An adapter in this process: for benchmarks, and for adapters that are known to survive."""

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter
        self.description = describe(adapter)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """As `Subject.evaluate`; what the adapter raises is its misbehaviour."""
        return outputs_of(self.description.name, self._call(self.adapter.evaluate, X, y, W), Problem(X, y, W))

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """As `Subject.trace`."""
        if not self.description.traces:
            raise NotImplementedError(f"{self.description.name} has no trace")
        return traced_of(self.description.name, self._call(self.adapter.trace, X, y, W), Problem(X, y, W))

    def _call(self, function: Callable[..., Any], X: Array, y: Array, W: Array) -> Any:
        try:
            return function(X, y, W)
        except NotImplementedError:
            raise
        except Exception as error:  # the boundary to foreign code
            what = f"raised {type(error).__name__}: {error}"
            raise AdapterMisbehaved(self.description.name, what) from error


class Outcome(NamedTuple):
    """What became of one subject on one problem; exactly one of outputs, unsupported and failure is set.

    Attributes:
        description: of the subject.
        outputs: what it returned.
        judgements: by output, for those that it returned.
        unsupported: why this subject does not have this cell.
        failure: how it broke the contract, or died.
    """

    description: Description
    outputs: Outputs | None = None
    judgements: Mapping[str, Judgement] = MappingProxyType({})
    unsupported: str | None = None
    failure: AdapterMisbehaved | AdapterDied | None = None

    @property
    def disagreeing(self) -> tuple[str, ...]:
        """The outputs that lie outside their admissible sets."""
        return tuple(n for n, j in self.judgements.items() if j.verdict is Verdict.OUTSIDE)

    @property
    def is_green(self) -> bool:
        """Whether nothing here speaks against the subject; nothing may speak for it either."""
        return self.failure is None and not self.disagreeing


def tell_apart(descriptions: Iterable[Description]) -> None:
    """See to it that what is said about an adapter can be said by its name.

    Raises:
        AdapterError: two of them have one name.
    """
    for name, count in Counter(said.name for said in descriptions).items():
        if count > 1:
            raise AdapterError(f"two adapters are called {name!r}; rename yours, or narrow with --only")


def evaluate(subject: Subject, problem: Problem) -> Outputs:
    """The subject's outputs for the whole stack, in several calls where it takes only so many problems.

    Raises:
        AdapterMisbehaved: as `Subject.evaluate`, or an output is there for some parts of the stack only.
    """
    most = subject.description.max_stack
    count = problem.stack_size
    if most is None or count <= most:
        return subject.evaluate(*problem)
    stacked = Problem(*(flat(a, 2) for a in problem))
    parts = [subject.evaluate(*(a[i : i + most] for a in stacked)) for i in range(0, count, most)]
    want = shapes(problem)
    columns = zip(Outputs._fields, zip(*parts, strict=True), strict=True)
    return Outputs(*(_joined(subject.description.name, name, pieces, want[name]) for name, pieces in columns))


def _joined(
    adapter: str, name: str, pieces: tuple[Array | None, ...], shape: tuple[int, ...]
) -> Array | None:
    there = [piece for piece in pieces if piece is not None]
    if there and len(there) < len(pieces):
        raise AdapterMisbehaved(adapter, f"returned {name} for some parts of a stack only")
    return np.concatenate(there).reshape(shape) if there else None


def run(subject: Subject, judge: Judge) -> Outcome:
    """Evaluate the judge's problem with a subject, and judge what comes back."""
    description = subject.description
    dtype = judge.format.name
    if dtype not in description.dtypes:
        return Outcome(description, unsupported=f"{description.name} has no {dtype}")
    try:
        outputs = evaluate(subject, judge.problem)
    except NotImplementedError as reason:
        return Outcome(description, unsupported=str(reason) or "no reason given")
    except (AdapterMisbehaved, AdapterDied) as failure:
        return Outcome(description, failure=failure)
    return Outcome(description, outputs, judge.judge(outputs, description.arithmetic[dtype]))
