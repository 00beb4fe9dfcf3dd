"""Checks of the contract of adapters, apart from the values of results.

A result must depend on the input of its own call only, and be the same at a second call. No call may change
its input or an earlier result. Arrays may have any memory layout. Shapes and dtypes are checked where results
are received (`adapters.protocol`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from adapters.errors import AdapterMisbehaved
from crosscheck.judging.evaluation import CheckedAdapter, evaluate_stack
from crosscheck.judging.judge import OUTPUTS, Judge
from crosscheck.text import format_element, format_hex
from reference.layouts import LAYOUTS, arrange
from reference.types import Array, Bool, Outputs, Problem

# The decoy: a problem without extremes, whose outputs differ from the special values common to many problems.
DECOY = Problem(*(np.array(value) for value in (0.5, 2.0, -0.25)))


def contract_violations(adapter: CheckedAdapter, problem: Problem) -> list[str]:
    """Check the contract on a problem, and return one sentence for each violation.

    An input that the adapter does not support is no violation.

    Args:
        adapter: an adapter that has the problem's dtype.
        problem: ``X[*stack, m, n]``, ``y[*stack, m, p]``, ``W[*stack, n, p]``.

    Raises:
        AdapterCrashed: the adapter's process crashed.
    """
    return _collect(adapter, chain(_repeatability(adapter, problem), _layouts(adapter, problem)))


def check_repeatability(adapter: CheckedAdapter, problem: Problem) -> list[str]:
    """Check that a result depends on its input only; return sentences as `contract_violations` does.

    Another problem of the same shapes, the decoy, is evaluated first, and then the problem twice, so that a
    result that belongs to another call is detected.
    """
    return _collect(adapter, _repeatability(adapter, problem))


def _collect(adapter: CheckedAdapter, sentences: Iterator[str]) -> list[str]:
    """Collect the sentences, until the adapter refuses an input or fails, which may add a last one."""
    found: list[str] = []
    try:
        for sentence in sentences:
            found += [sentence] * (sentence not in found)
    except NotImplementedError as reason:
        if not str(reason):
            found.append(f"{adapter.description.name} raised NotImplementedError without a reason")
    except AdapterMisbehaved as failure:
        found.append(str(failure))
    return found


def _repeatability(adapter: CheckedAdapter, problem: Problem) -> Iterator[str]:
    decoy = Problem(*(np.full(a.shape, value, a.dtype) for a, value in zip(problem, DECOY, strict=True)))
    before = evaluate_stack(adapter, decoy)
    first, changed = _evaluate_copy(adapter, problem)
    yield from changed
    kept = Outputs(*(None if output is None else output.copy() for output in first))
    second, _ = _evaluate_copy(adapter, problem)
    name = adapter.description.name
    yield from _differences(f"{name}: a second call with the same input changes", kept, second)
    yield from _differences(f"{name}: a later call changes what an earlier one returned in", kept, first)
    yield from _stale(adapter, Judge(problem), before, kept)
    yield from _stale(adapter, Judge(decoy), kept, before)


def _layouts(adapter: CheckedAdapter, problem: Problem) -> Iterator[str]:
    judge = Judge(problem)
    contiguous, _ = _evaluate_copy(adapter, problem)
    for layout in LAYOUTS[1:]:
        yield from _layout(adapter, judge, contiguous, layout)


def _evaluate_copy(adapter: CheckedAdapter, problem: Problem) -> tuple[Outputs, list[str]]:
    """Return the outputs for a copy of the problem, and sentences about changes of the copy."""
    copy = arrange(problem, "contiguous")
    outputs = evaluate_stack(adapter, copy)
    found = [
        f"{adapter.description.name} changes its input {difference}"
        for array, want, symbol in zip(copy, problem, "XyW", strict=True)
        if (difference := first_difference(symbol, array, want))
    ]
    return outputs, found


def _differences(what: str, first: Outputs, second: Outputs) -> Iterator[str]:
    """Yield a sentence if two results differ in their bits, with the first place where they do."""
    there = [tuple(output is not None for output in outputs) for outputs in (first, second)]
    if there[0] != there[1]:
        yield f"{what} which outputs there are"
        return
    found = {
        name: difference
        for name, want, got in zip(OUTPUTS, first, second, strict=True)
        if want is not None and got is not None and (difference := first_difference(name, got, want))
    }
    if found:
        yield f"{what} {', '.join(found)}; {next(iter(found.values()))}"


def first_difference(name: str, got: Array, want: Array) -> str:
    """Say where two arrays first differ in their bits, with all NaNs equal; empty if they do not differ."""
    differs = _bits(got) != _bits(want)
    differs &= ~(np.isnan(got.astype(np.float64)) & np.isnan(want.astype(np.float64)))
    if not differs.any():
        return ""
    index = tuple(int(i) for i in np.argwhere(differs)[0])
    now, was = (format_hex(float(array[index])) for array in (got, want))
    return (
        f"{format_element(name, index)} from {was} to {now} ({int(differs.sum())} of {differs.size} elements)"
    )


def _bits(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(array.shape).view(f"u{array.dtype.itemsize}")


def _outside(adapter: CheckedAdapter, judge: Judge, outputs: Outputs) -> dict[str, Bool]:
    """Return, for each output with elements outside their sets, which elements these are."""
    claims = adapter.description.arithmetic[judge.format.name]
    judged = judge.judge(outputs, claims)
    return {name: ~one.admissible for name, one in judged.items() if not one.admissible.all()}


def _stale(adapter: CheckedAdapter, judge: Judge, before: Outputs, outputs: Outputs) -> Iterator[str]:
    """Yield a sentence if outputs that are outside equal those for another problem of the same shapes."""
    pairs = {
        name: (getattr(outputs, name), getattr(before, name)) for name in _outside(adapter, judge, outputs)
    }
    stale = [n for n, (now, old) in pairs.items() if old is not None and not first_difference(n, now, old)]
    if stale:
        what = f"{', '.join(stale)} for other X, y and W of the same shapes"
        yield f"{adapter.description.name} returns the same {what}: of an earlier call, or constant"


def _layout(adapter: CheckedAdapter, judge: Judge, contiguous: Outputs, layout: str) -> Iterator[str]:
    """Yield a sentence if outputs are admissible in contiguous memory and not in another layout."""
    laid_out = arrange(judge.problem, layout)
    try:
        outputs = evaluate_stack(adapter, laid_out)
    except AdapterMisbehaved as failure:
        yield f"{failure}; the arrays were {layout}, in contiguous memory it answers"
        return
    known = _outside(adapter, judge, contiguous)
    found = {name: o for name, o in _outside(adapter, judge, outputs).items() if name not in known}
    if found:
        name, outside = next(iter(found.items()))
        index = tuple(int(i) for i in np.argwhere(outside)[0])
        got, want = (format_hex(float(getattr(o, name)[index])) for o in (outputs, contiguous))
        where = f"{format_element(name, index)}: got {got}, in contiguous memory {want}"
        what = f"is outside on {', '.join(found)} if the arrays are {layout}"
        yield f"{adapter.description.name} {what}; {where}"
