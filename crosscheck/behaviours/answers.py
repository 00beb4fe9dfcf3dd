"""How the answer to a probe is read from what an adapter returns, as a few words or numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from crosscheck.behaviours.probe import AnswerFunction, WithThreadVariant
from crosscheck.inputs import Case, Literal
from crosscheck.inputs.sigma import sigma
from crosscheck.judging.bits import first_difference
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import OUTPUTS
from crosscheck.text import format_hex, format_number
from reference import oracle
from reference.layouts import contiguous
from reference.types import Outputs, Problem
from reference.ulp import nearest

LENGTHS: Final = (1, 7, 33)  # of columns: less than any vector register, and several with a remainder
ALONE: Final = 128  # the number of networks of a stack that are also evaluated one by one
RUNS: Final = 3
SAME: Final = "the same bits"


def evaluated(adapter: CheckedAdapter, case: Case | Literal) -> Outputs:
    """Return an adapter's outputs for a case."""
    return adapter.evaluate(*case.problem())


def first_number(outputs: Outputs, name: str) -> float:
    """Return the first number of an output, with the sign of a zero.

    Raises:
        NotImplementedError: the adapter has no such output.
    """
    output = getattr(outputs, name)
    if output is None:
        raise NotImplementedError(f"no {name}")
    return float(np.ravel(output)[0])


def numbers_of(*names: str) -> AnswerFunction:
    """Make a function that answers with the first number of each of these outputs; −0 is shown as 0."""

    def answer(adapter: CheckedAdapter, case: Case | Literal) -> str:
        outputs = evaluated(adapter, case)
        return ", ".join(
            f"{name} {format_number(first_number(outputs, name) + 0.0, case.format)}" for name in names
        )

    return answer


def by_z(names: Mapping[float, str]) -> AnswerFunction:
    """Make a function that answers with the name of the z whose σ(z) is nearest to ŷ, or that ŷ is NaN."""
    z = np.array(list(names))

    def answer(adapter: CheckedAdapter, case: Case | Literal) -> str:
        y_hat = first_number(evaluated(adapter, case), "y_hat")
        if math.isnan(y_hat):
            return "y_hat nan"
        return names[float(z[np.argmin(np.abs(sigma(z) - y_hat))])]

    return answer


def kept_or_flushed(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer whether the gradient is another number than zero."""
    return "kept" if first_number(evaluated(adapter, case), "grad") else "flushed"


def sign_of_gradient(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer the gradient with its sign, which a zero has too."""
    return f"grad {format_hex(first_number(evaluated(adapter, case), 'grad'))}"


def gradient_and_exact(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer the gradient and the exact one."""
    exact, _ = oracle.to_floats(oracle.evaluate(*case.problem()).grad)
    got = first_number(evaluated(adapter, case), "grad") + 0.0
    return f"grad {format_number(got, case.format)}, exact {float(np.ravel(exact)[0]):.3g}"


def eighth_of_x(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer whether the gradient is exactly x/8."""
    got = first_number(evaluated(adapter, case), "grad")
    want = float(np.ravel(case.problem().X)[0]) / 8
    return "kept" if got == want else f"grad {format_number(got, case.format)}, exact {format_hex(want)}"


def dtypes_kept(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer "kept"; an output of another dtype, or of none, raises `AdapterMisbehaved`."""
    evaluated(adapter, case)
    return "kept"


def width_of_loss(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer "wide" if the loss is the number nearest to the exact one, as with a wider accumulator."""
    r = 0.5 - case.problem().y.astype(np.float64)
    want = float(nearest(math.fsum((0.5 * r * r).flat), 0.0, case.format))
    got = first_number(evaluated(adapter, case), "loss")
    return "wide" if got == want else f"narrow: loss {format_number(got, case.format)}"


def by_position(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer whether ŷ of the same z has the same bits at every place of columns of the lengths `LENGTHS`."""
    X, y, W = case.problem()
    seen: dict[str, str] = {}
    for length in LENGTHS:
        part = Problem(contiguous(X[:, :length]), contiguous(y[:, :length]), W)
        y_hat = adapter.evaluate(*part).y_hat
        if y_hat is None:
            raise NotImplementedError("no y_hat")
        for place, value in enumerate(y_hat.ravel(), 1):
            seen.setdefault(format_hex(float(value)), f"place {place} of {length}")
    _, *others = seen.values()
    return f"{len(seen)} bit patterns, the second at {others[0]}" if others else SAME


def alone(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer how many of the first `ALONE` networks of a stack have other bits when evaluated alone.

    Each lies in memory that is aligned as the stack is.
    """
    problem = case.problem()
    whole = adapter.evaluate(*problem)
    found = []
    for part in (slice(i, i + 1) for i in range(ALONE)):
        stacked = Outputs(*(None if output is None else output[part] for output in whole))
        single = adapter.evaluate(*(contiguous(array[part]) for array in problem))
        found.append(differing(stacked, single))
    other = set[str]().union(*found)
    return f"{sum(map(bool, found))} of {ALONE} networks have {_difference(other)}" if other else SAME


def by_alignment(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer which outputs have other bits than for the same numbers in contiguous arrays."""
    aligned = replace(case, layout="contiguous")
    return _difference(differing(evaluated(adapter, aligned), evaluated(adapter, case)))


def by_threads(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer which outputs have other bits with another number of threads."""
    if not isinstance(adapter, WithThreadVariant):
        raise NotImplementedError("no second adapter with other threads")
    return _difference(differing(evaluated(adapter, case), evaluated(adapter.thread_variant, case)))


def by_run(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Answer which outputs have other bits when the same call is repeated."""
    return _difference(differing(*(evaluated(adapter, case) for _ in range(RUNS))))


def differing(first: Outputs, *others: Outputs) -> set[str]:
    """Return the names of the outputs in which others differ from the first in any bit; NaNs are the same."""
    return {
        name
        for other in others
        for name, was, now in zip(OUTPUTS, first, other, strict=True)
        if was is not None and now is not None and first_difference(name, now, was)
    }


def _difference(found: set[str]) -> str:
    return f"other bits: {', '.join(name for name in OUTPUTS if name in found)}" if found else SAME
