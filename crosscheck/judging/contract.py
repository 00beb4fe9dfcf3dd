"""Checks of the contract of adapters, apart from the values of results; docs/adapters.md states the rules.

A result must depend on the input of its own call only, however many calls there were and whoever calls at the
same time. No call may change its input or an earlier result, or return memory of either. Arrays may have any
memory layout, and an axis of length 0. Shapes and dtypes are checked where results are received
(`adapters.protocol`), memory where the adapter's own arrays are (`adapters.repeated`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from adapters.effort import effort_for
from adapters.errors import AdapterMisbehaved
from adapters.protocol import present
from adapters.repeated import Calls
from crosscheck.inputs import Case
from crosscheck.judging.bits import differences
from crosscheck.judging.contract_layouts import LayoutCheck, outside_sets
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import Judge
from crosscheck.judging.variants import (
    CHANGED,
    EXCHANGED,
    Variants,
    difference,
    empty_problems,
    enlarged,
    larger,
)
from reference.formats import FORMATS
from reference.types import Bool, Outputs, Problem

# The variants in the order of calls: the decoy, the problem twice; then X alone changes, y alone and W alone;
# then one of them stays, and two numbers of each change places. So what is left of a call shows in the bits
# of another. Their number is odd, so that the 2^k-th calls do not all follow the same one.
IN_TURN = (1, 0, 0, 2, 0, 3, 0, 4, 1, 2, 1, 3, 1, 4, 0, 5, 6, 0, 0)
# Threads that call at once, and what they call with: never two with the same problem at a time.
CALLERS = (2, 4)
AT_ONCE = (0, 1, 2, 4)
# The most numbers in X, y and W of a small problem: many calls of one cost little, and so do other shapes.
SMALL = 64
# How many calls are made while outputs are kept: a pool of up to so many buffers shows.
WATCHED = 68
# How many networks have every combination of special values.
SPECIAL = 13**3
# The numbers of X in a large problem between two calls with a small one.
LARGE = 2**17


class ContractResult(NamedTuple):
    """The result of checking the contract on a problem.

    Attributes:
        violations: one sentence for each violation.
        is_steady: whether results depend on the input of their own call only, as far as one thread can see.
    """

    violations: list[str]
    is_steady: bool


def check_contract(adapter: CheckedAdapter, variants: Variants) -> ContractResult:
    """Check the contract on a problem; an input that the adapter does not support is no violation.

    Args:
        adapter: an adapter that has the problem's dtype.
        variants: the problem and its variants, which several adapters can share.

    Raises:
        AdapterCrashed: the adapter's process crashed.
    """
    check = _Check(adapter, variants)
    is_small = sum(array.size for array in variants.problem) <= SMALL
    return ContractResult(_collect(adapter, check.parts(is_small=is_small)), check.is_steady)


def contract_violations(adapter: CheckedAdapter, problem: Problem) -> list[str]:
    """Check the contract on ``X[*stack, m, n]``, ``y[*stack, m, p]``, ``W[*stack, n, p]``.

    Returns:
        The violations; `check_contract` says more.

    Raises:
        AdapterCrashed: the adapter's process crashed.
    """
    return check_contract(adapter, Variants(problem)).violations


def check_repeatability(adapter: CheckedAdapter, problem: Problem) -> list[str]:
    """Check that a result depends on its input only; return sentences as `contract_violations` does.

    Between calls with the problem the adapter is called with others of the same shapes, so that a result that
    belongs to another call is detected.
    """
    order = _first(effort_for(adapter.description.name).calls_large, IN_TURN)
    return _collect(adapter, [_Check(adapter, Variants(problem)).in_turn(order)])


def _first(count: int, order: tuple[int, ...]) -> tuple[int, ...]:
    """Return so many calls of an order that is repeated."""
    return (order * math.ceil(count / len(order)))[:count]


def _collect(adapter: CheckedAdapter, parts: Iterable[Iterator[str]]) -> list[str]:
    """Collect the sentences of all parts; what an adapter refuses ends a part, what it breaks ends all."""
    found: dict[str, None] = {}
    try:
        for part in parts:
            try:
                for sentence in part:
                    found[sentence] = None
            except NotImplementedError as reason:
                if not str(reason):
                    found[f"{adapter.description.name} raised NotImplementedError without a reason"] = None
    except AdapterMisbehaved as failure:
        found[str(failure)] = None
    return list(found)


class _Check(LayoutCheck):
    """The check of one adapter on one problem; each part yields sentences about violations.

    Attributes:
        is_steady: as in `ContractResult`.
    """

    def __init__(self, adapter: CheckedAdapter, variants: Variants) -> None:
        super().__init__(adapter, variants)
        self._called = self._variants.called
        self._alone: dict[int, Outputs] = {}  # the first result of each variant
        self.is_steady = True

    def parts(self, *, is_small: bool) -> Iterator[Iterator[str]]:
        """Yield the parts of the check; the first two alone if results depend on more than their input."""
        effort = self._effort
        calls, at_once, again = effort.calls_large, effort.at_once_large, 0
        if is_small:
            calls, at_once, again = effort.calls, effort.at_once, effort.again
        yield self.in_turn((*_first(calls, IN_TURN), *[0] * again))
        yield self.memory(_first(min(calls, WATCHED), IN_TURN))
        if not self.is_steady:
            return
        yield self.layouts()
        yield self.at_once(_first(at_once, AT_ONCE))
        if is_small or effort.is_outside:
            yield self.sharing()
        if is_small and effort.other_shapes:
            yield self.between()
            yield self.empty()
        if is_small and effort.alone and self._adapter.description.max_stack is None:
            yield self.alone(Case("mixed", 0, (effort.alone, *self._sizes), dtype=self._dtype))
            special = min(effort.alone, SPECIAL)
            yield self.alone(Case("special_values", 0, (special, 1, 1, 1), dtype=self._dtype))

    def in_turn(self, order: tuple[int, ...]) -> Iterator[str]:
        """Call it with variants of the problem, whose results must have the bits of their first call."""
        begun: dict[int, int] = {}
        for call, index, found in self._adapter.evaluate_each(self._called, Calls(order)):
            outputs = Outputs(**found)
            if index not in self._alone:
                self._alone[index], begun[index] = outputs, call
            elif self.is_steady:
                self.is_steady = False
                what = f"{self._name}: call {call + 1} with the input of call {begun[index] + 1} changes"
                yield from differences(what, self._alone[index], outputs)
        for index in self._alone:
            if sentence := self._of_another_call(index):
                self.is_steady = False
                yield sentence
                return

    def _of_another_call(self, index: int) -> str | None:
        """Return a sentence if outputs that are outside belong to other inputs of the same shapes.

        An output that is outside in the first call as well, which none precedes, is wrong in another way.
        """
        outputs, others = self._alone[index], sorted({*range(len(CHANGED))} - {index})
        outside = self._outside(index, outputs)
        first = next(iter(self._alone))
        if outside and index != first:
            before = self._outside(first, self._alone[first])
            outside = {n: mask for n, mask in outside.items() if n not in before}
        if not outside:
            return None
        fitting = {
            at: [n for n, mask in outside.items() if self._fits(n, outputs, index, at, mask)] for at in others
        }
        best = max(others, key=lambda at: (len(fitting[at]), -len(difference(index, at))))
        names = fitting[best]
        # ∂L/∂W may mix a forward pass with another X
        if names and {*outside} - {*names} <= {"grad"} and self._is_always(names, index, best):
            stale = " and ".join(difference(index, best))
            return f"{self._name} returns {', '.join(names)} as if {stale} were of an earlier call"
        other = self._alone.get({0: 1, 1: 0}.get(index, -1))
        if other is not None and not any(differences("", other, outputs)):
            what = f"{', '.join(outside)} for other X, y and W of the same shapes"
            return f"{self._name} returns the same {what}: of an earlier call, or constant"
        return None

    def _is_always(self, names: Sequence[str], index: int, at: int) -> bool:
        """Whether arrays can be of an earlier call; in 16 bits a set may hold a wrong result by chance.

        If a call returns the same bits whatever came before it, each other call has these arrays, too.
        """
        if not self.is_steady or {index, at} & EXCHANGED.keys():
            return True
        stale = {*difference(index, at)}
        for other in self._alone.keys() - EXCHANGED.keys():
            decoys = {*CHANGED[other]} - stale | {*CHANGED[at]} & stale
            mixed = next(k for k, symbols in enumerate(CHANGED) if {*symbols} == decoys)
            judged = self._variants.judge(mixed).judge(self._alone[other], self._claims)
            if not all(judged[name].admissible.all() for name in names if name in judged):
                return False
        return True

    def _fits(self, name: str, outputs: Outputs, index: int, at: int, mask: Bool) -> bool:
        """Whether an output of a variant is right for another one, and that cannot be by chance.

        The elements in the mask count. It may be chance where a value is special, or where the set of the
        other variant holds 0 or the right value of this one: so wide a set holds what any formula returns.
        """
        judgement = self._variants.judge(at).judge(outputs, self._claims)[name]
        values = getattr(outputs, name)[mask]
        is_right = judgement.judged.all() and judgement.admissible.all()
        if not is_right or not (np.isfinite(values) & (values != 0) & (values != 1)).all():
            return False
        whole = self._variants.judge(at).sets(self._claims)[name]
        right = getattr(self._variants.judge(index).nearest, name).astype(np.float64)
        return not (whole.contains(np.zeros_like(right)) | whole.contains(right))[mask].any()

    def memory(self, order: tuple[int, ...]) -> Iterator[str]:
        """Call it while outputs are kept; they must have memory of their own, and later calls leave them."""
        self._adapter.evaluate_each(self._called, Calls(order, watch=True))
        yield from ()

    def at_once(self, order: tuple[int, ...]) -> Iterator[str]:
        """Call it from several threads; results may have other bits, since threads may share a pool."""
        most = self._adapter.description.max_callers or max(CALLERS)
        for callers in (count for count in CALLERS if count <= most and order):
            what = f"if {callers} threads call at once, it is outside on"
            try:
                results = self._adapter.evaluate_each(self._called, Calls(order, callers))
            except AdapterMisbehaved as failure:
                yield f"{failure}; {callers} threads called at once, one alone it answers"
                return
            for _, index, found in results:
                outputs, alone = Outputs(**found), self._alone[index]
                if any(differences("", alone, outputs)):
                    known = self._outside(index, alone)
                    outside = {n: o for n, o in self._outside(index, outputs).items() if n not in known}
                    if outside:
                        yield from self._elsewhere(what, outside, outputs, "alone", alone)
                        return

    def between(self) -> Iterator[str]:
        """Call it with another dtype and with other shapes between two calls with the problem."""
        problem = self._variants.problem
        first = self._adapter.evaluate(*problem)
        for what, other in self._others():
            try:
                self._adapter.evaluate(*other)
            except NotImplementedError:
                continue
            before, first = first, self._adapter.evaluate(*problem)
            for sentence in differences(
                f"{self._name}: a call with {what} in between changes", before, first
            ):
                self.is_steady = False
                yield sentence
        yield from self._same_numbers()

    def _same_numbers(self) -> Iterator[str]:
        """Call it with numbers that it has just had for the first time, in a dtype of fewer digits."""
        if 1 not in self._alone:  # it refuses the decoy
            return
        own, known = FORMATS[self._dtype], self._outside(1, self._alone[1])
        doubled = Problem(*(2 * array for array in self._variants[1]))  # exact in every format
        for format in (FORMATS[dtype] for dtype in self._adapter.description.dtypes):
            if format.precision < own.precision:
                with suppress(NotImplementedError):
                    self._adapter.evaluate(*(array.astype(format.dtype) for array in doubled))
                    outputs = self._adapter.evaluate(*doubled)
                    outside = outside_sets(Judge(doubled), outputs, self._claims)
                    what = f"after a call with the same numbers in {format.name}, it is outside on"
                    if new := {name: mask for name, mask in outside.items() if name not in known}:
                        yield from self._elsewhere(what, new, outputs, "")
                        return

    def _others(self) -> Iterator[tuple[str, Problem]]:
        X, y, W = self._variants[1]
        for dtype in self._adapter.description.dtypes:
            if dtype != X.dtype.name:
                yield dtype, Problem(*(array.astype(FORMATS[dtype].dtype) for array in (X, y, W)))
        yield "another shape", Problem(X[..., :1, :], y[..., :1, :1], W[..., :1])
        if self._effort.is_outside:
            yield "one more row, input and output", enlarged(self._variants[1])
            yield f"{LARGE:,} numbers", larger(self._variants[1], LARGE)

    def alone(self, case: Case) -> Iterator[str]:
        """Call it with all networks of a case in one stack, then with one in each call.

        What is outside in the stack as well is wrong whatever the number of calls; the cases show that.
        """
        stack, X = case.problem(), self._variants.problem.X
        known = outside_sets(Judge(stack), self._adapter.evaluate(*stack), self._claims)
        one = (len(stack.X), *[1] * (X.ndim - 2))  # and as many stack axes as here
        each = Problem(*(array.reshape(*one, *array.shape[1:]) for array in stack))
        results = self._adapter.evaluate_each(each, Calls(tuple(range(len(stack.X)))))
        called = [result.problem for result in results]
        if called != list(range(len(called))):  # it did not even repeat the bits of a call
            return
        names = [name for name in results[0].outputs if all(name in one.outputs for one in results)]
        found = Outputs(**{name: np.stack([one.outputs[name] for one in results]) for name in names})
        masks = outside_sets(Judge(Problem(*(array[called] for array in each))), found, self._claims)
        outside: dict[str, Bool] = {}
        for name, mask in masks.items():
            before = known[name][called].reshape(mask.shape) if name in known else np.zeros_like(mask)
            if (mask > before).any():
                outside[name] = mask > before
        what = f"with a network in each of {len(called):,} calls, it is outside on"
        yield from self._elsewhere(what, outside, found, "")

    def empty(self) -> Iterator[str]:
        """Call it with axes of length 0: a sum of no terms is 0, a mean of none NaN. It may also raise."""
        if self._dtype != self._adapter.description.dtypes[0]:
            return  # a program for each shape; how lengths are treated does not depend on the dtype
        before = self._adapter.evaluate(*self._variants.problem)
        for what, problem, want in empty_problems(self._variants.problem):
            try:
                outputs = self._adapter.evaluate(*problem)
            except NotImplementedError:
                continue
            except AdapterMisbehaved as failure:
                if failure.what.startswith("raised "):  # it refuses them, too
                    if failure.journal is not None:
                        failure.journal.unlink(missing_ok=True)
                else:
                    yield f"{failure}; {what}"
                continue
            if want is None:
                found = present(outputs).items()
                masks = {name: (output != 0) & ~np.isnan(output) for name, output in found}
                outside = {name: mask for name, mask in masks.items() if mask.any()}
            else:
                outside = outside_sets(Judge(want), outputs._replace(grad=None), self._claims)
            yield from self._elsewhere(f"{what}, it is outside on", outside, outputs, "")
            after = self._adapter.evaluate(*self._variants.problem)
            yield from differences(f"{self._name}: {what}, the next call changes", before, after)

    def _outside(self, index: int, outputs: Outputs) -> dict[str, Bool]:
        return outside_sets(self._variants.judge(index), outputs, self._claims)

    @property
    def _sizes(self) -> tuple[int, int, int]:
        X, _, W = self._variants.problem
        return X.shape[-2], X.shape[-1], W.shape[-1]
