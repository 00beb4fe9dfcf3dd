"""Claims that nothing supports are found, and claims that a result needs are not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from adapters import load
from crosscheck.explain.message import failure
from crosscheck.inputs import parse
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.claims import ClaimEvidence, MissingClaims
from reference.arithmetic import WITHOUT_CLAIM, default_arithmetic, widening
from reference.formats import FORMATS
from reference.types import Array, Outputs
from tests.planted_faults import HEALTHY

# X is subnormal, X·W = 1: with flush ŷ = σ(0), without it σ(1).
FLUSHED = "float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]"

# Forward mode rounds x·ŷ(1 − ŷ), which is subnormal here, before it is made larger by ŷ − y.
SUBNORMAL = (
    "float64:X=[[-0x0.00003p-1022,-0x1.cb277435454c6p-5]]:y=[[0x1.a2881c7bc085ep+4]]"
    ":W=[[-0x1.22c29c3ffffffp+1012],[-0x1p-4]]"
)


class Claiming:
    """NumPy's closed form, with more claims than it makes; it flushes its input if told so."""

    name, framework, version, dtypes = "claiming", "numpy", "0", ("float32",)

    def __init__(self, *, flushes: bool, **claims: Any) -> None:
        self.flushes, self.claims = flushes, claims

    def arithmetic(self, dtype: str) -> Any:
        """The default claims and those that were given."""
        return dataclasses.replace(default_arithmetic(FORMATS[dtype]), **self.claims)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The closed form."""
        if self.flushes:
            X = np.where(np.abs(X) < FORMATS["float32"].least_normal, X.dtype.type(0), X)
        found: Outputs = load("numpy").evaluate(X, y, W)
        return found


def unneeded_claims(adapter: Any, *texts: str) -> list[str]:
    evidence = ClaimEvidence()
    for text in texts:
        judge = Judge(parse(text).problem())
        evidence.add(judge, evaluate_and_judge(InProcessAdapter(adapter), judge))
    return evidence.unneeded_claims()


ORDINARY = "ordinary:0:256x7x3x2:contiguous:float32"
UNNEEDED = ["claiming claims flush for float32, and nothing seen needs it"]


@pytest.mark.parametrize(
    ("adapter", "texts", "want"),
    [
        (Claiming(flushes=False, flush=True), [FLUSHED], UNNEEDED),
        (Claiming(flushes=True, flush=True), [FLUSHED], []),
        (Claiming(flushes=True, flush=True), [ORDINARY, FLUSHED, ORDINARY], []),
        (Claiming(flushes=False), [FLUSHED], []),
    ],
    ids=["never flushes", "flushes", "was seen once", "claims nothing"],
)
def test_a_flush_that_is_not_seen_is_unneeded(adapter: Claiming, texts: list[str], want: list[str]) -> None:
    assert unneeded_claims(adapter, *texts) == want


@pytest.mark.parametrize("claim", WITHOUT_CLAIM)
def test_every_claim_that_widens_the_set_needs_support(claim: str) -> None:
    stated: dict[str, Any] = {claim: 2.0**-11 if claim == "u_in" else True}
    claims = dataclasses.replace(default_arithmetic(FORMATS["float32"]), **stated)
    assert widening(claims) == [claim]
    assert len(unneeded_claims(Claiming(flushes=False, **stated), FLUSHED)) == 1


def missing_claims(adapter: Any, *texts: str) -> list[str]:
    missing = MissingClaims()
    for text in texts:
        judge = Judge(parse(text).problem())
        outcome = evaluate_and_judge(InProcessAdapter(adapter), judge)
        if not outcome.is_green:
            missing.add(judge, outcome)
    return missing.lines()


def test_a_claim_that_admits_all_that_is_wrong_is_named_and_counted() -> None:
    (line,) = missing_claims(Claiming(flushes=True), ORDINARY, FLUSHED)
    assert line.startswith(
        "claiming float32: all 4 numbers outside would be within bounds if it claimed flush"
    )
    assert missing_claims(Claiming(flushes=True, flush=True), ORDINARY, FLUSHED) == []


def test_a_claim_that_admits_only_a_part_of_what_is_wrong_is_not_named() -> None:
    class Wrong(Claiming):
        def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
            found = super().evaluate(X, y, W)
            assert found.grad is not None
            return found._replace(grad=found.grad * -1)

    assert missing_claims(Wrong(flushes=True), FLUSHED, ORDINARY) == []
    assert missing_claims(Wrong(flushes=True), ORDINARY, FLUSHED) == []


def test_the_message_names_each_claim_that_would_admit_the_result() -> None:
    adapter = InProcessAdapter(HEALTHY["forward_mode"].adapter())
    bare = {dtype: default_arithmetic(FORMATS[dtype]) for dtype in adapter.description.dtypes}
    adapter.description = dataclasses.replace(adapter.description, arithmetic=bare)
    judge = Judge(parse(SUBNORMAL).problem())
    text = failure(SUBNORMAL, judge, [evaluate_and_judge(adapter, judge)], {"forward_mode": adapter})
    said = " ".join(text.split())
    assert "claim within bounds if it claims flush (subnormal operands and results may become zero)" in said
    assert "), or forward (the gradient comes from forward mode)" in said
