"""Probes of bits: which circumstances, with equal numbers in the input, change the last digits of results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from crosscheck.behaviours.probe import Probe, WithThreadVariant, literal
from crosscheck.inputs import Case, Literal
from crosscheck.judging.contract import first_difference
from crosscheck.judging.evaluation import CheckedAdapter, evaluate_stack
from crosscheck.judging.judge import OUTPUTS
from crosscheck.text import format_hex
from reference.formats import Format
from reference.layouts import contiguous
from reference.types import Outputs, Problem

LENGTHS = (1, 7, 33)  # of columns: less than any vector register, and several with a remainder
# A z at which torch's vectorized and scalar loops return different neighbours, in float64 and in float32.
POSITIONED = -float.fromhex("0x1.3f50be80ff35cp+1")
STACK = (8192, 1, 3, 1)
ALONE = 128  # the number of networks of the stack that are also evaluated one by one
LAID_OUT = (64, 2, 33, 1)
LONG = (16385, 3, 1)  # long enough to be shared among threads
RUNS = 3
SAME = "the same bits"


def differing(pairs: Iterable[tuple[Outputs, Outputs]]) -> Counter[str]:
    """Count the pairs in which each output differs in any bit; all NaNs count as the same."""
    return Counter(
        name
        for first, second in pairs
        for name, was, now in zip(OUTPUTS, first, second, strict=True)
        if was is not None and now is not None and first_difference(name, now, was)
    )


def _difference(found: Counter[str]) -> str:
    return f"other bits: {', '.join(name for name in OUTPUTS if name in found)}" if found else SAME


def _position(format: Format) -> Literal:
    z = float(np.float64(POSITIONED).astype(format.dtype))
    return literal(format, [[z]] * LENGTHS[-1], [[0.0]] * LENGTHS[-1], [[1.0]])


def _by_position(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Compare ŷ of the same z at all places in columns of all lengths."""
    X, y, W = case.problem()
    seen: dict[str, str] = {}
    for length in LENGTHS:
        y_hat = evaluate_stack(
            adapter, Problem(contiguous(X[:, :length]), contiguous(y[:, :length]), W)
        ).y_hat
        if y_hat is None:
            raise NotImplementedError("no y_hat")
        for place, value in enumerate(y_hat.ravel(), 1):
            seen.setdefault(format_hex(float(value)), f"place {place} of {length}")
    _, *others = seen.values()
    return f"{len(seen)} bit patterns, the second at {others[0]}" if others else SAME


def _alone(adapter: CheckedAdapter, case: Case | Literal) -> str:
    """Compare the results of the first networks of a stack with those of each network alone."""
    problem = case.problem()
    whole = evaluate_stack(adapter, problem)
    rows = [differing([_one(adapter, problem, whole, i)]) for i in range(ALONE)]
    found = sum(rows, Counter[str]())
    return f"{sum(map(bool, rows))} of {ALONE} networks have {_difference(found)}" if found else SAME


def _one(adapter: CheckedAdapter, problem: Problem, whole: Outputs, i: int) -> tuple[Outputs, Outputs]:
    """Return the outputs of one network in the stack, and alone with the memory alignment of the stack."""
    part = slice(i, i + 1)
    stacked = Outputs(*(None if output is None else output[part] for output in whole))
    return stacked, evaluate_stack(adapter, Problem(*(contiguous(array[part]) for array in problem)))


def _aligned(adapter: CheckedAdapter, case: Case | Literal) -> str:
    aligned = replace(case, layout="contiguous")
    return _difference(
        differing([(evaluate_stack(adapter, aligned.problem()), evaluate_stack(adapter, case.problem()))])
    )


def _threads(adapter: CheckedAdapter, case: Case | Literal) -> str:
    if not isinstance(adapter, WithThreadVariant):
        raise NotImplementedError("no second adapter with other threads")
    problem = case.problem()
    return _difference(
        differing([(evaluate_stack(adapter, problem), evaluate_stack(adapter.thread_variant, problem))])
    )


def _runs(adapter: CheckedAdapter, case: Case | Literal) -> str:
    first, *others = (evaluate_stack(adapter, case.problem()) for _ in range(RUNS))
    return _difference(differing((first, other) for other in others))


BITS = (
    Probe(
        "position",
        "Does σ depend on the place of z in the array?",
        f"κ: loops over vectors and what is left of them (columns of {', '.join(map(str, LENGTHS))} rows)",
        _position,
        _by_position,
    ),
    Probe(
        "stacking",
        "Does a network alone have the bits that it has in a stack?",
        f"reducing a failure to one network (of the first {ALONE} of {STACK[0]})",
        lambda format: Case("ordinary", 0, STACK, dtype=format.name),
        _alone,
    ),
    Probe(
        "stacking_subnormal",
        "The same where operands are subnormal, which large calls may flush?",
        "the claim flush, which may hold for large calls only",
        lambda format: Case("subnormal", 0, STACK, dtype=format.name),
        _alone,
    ),
    Probe(
        "alignment",
        "Do 8 bytes beyond an alignment of 64 change bits?",
        "the contract: any strides",
        lambda format: Case("ordinary", 0, LAID_OUT, "offset8", format.name),
        _aligned,
    ),
    Probe(
        "threads",
        "Does a second thread change bits?",
        "the order of a sum: ν in e_L and e_G; thread counts are set, never inherited",
        lambda format: Case("ordinary", 0, LONG, dtype=format.name),
        _threads,
    ),
    Probe(
        "runs",
        f"Has the same problem the same bits {RUNS} times?",
        "the contract",
        lambda format: Case("ordinary", 0, LAID_OUT, dtype=format.name),
        _runs,
    ),
)
