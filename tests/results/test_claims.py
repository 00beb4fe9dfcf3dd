"""Claims that nothing supports are found, and claims that a result needs are not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from adapters import load
from crosscheck.cases import parse
from crosscheck.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.results.claims import WITHOUT_CLAIM, ClaimEvidence, widening
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs

# X is subnormal, X·W = 1: with flush ŷ = σ(0), without it σ(1).
FLUSHED = "float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]"


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


@pytest.mark.parametrize(("flushes", "is_unneeded"), [(False, True), (True, False)])
def test_a_flush_that_never_flushes_is_an_unneeded_claim(flushes: bool, is_unneeded: bool) -> None:
    found = unneeded_claims(Claiming(flushes=flushes, flush=True), FLUSHED)
    assert found == ["claiming claims flush for float32, and nothing seen needs it"] * is_unneeded


def test_support_that_was_seen_once_stays() -> None:
    ordinary = "ordinary:0:256x7x3x2:contiguous:float32"
    assert not unneeded_claims(Claiming(flushes=True, flush=True), ordinary, FLUSHED, ordinary)


def test_an_adapter_without_claims_has_no_unneeded_claim() -> None:
    assert not unneeded_claims(Claiming(flushes=False), FLUSHED)


@pytest.mark.parametrize("claim", WITHOUT_CLAIM)
def test_every_claim_that_widens_the_set_needs_support(claim: str) -> None:
    stated: dict[str, Any] = {claim: 2.0**-11 if claim == "u_in" else True}
    claims = dataclasses.replace(default_arithmetic(FORMATS["float32"]), **stated)
    assert widening(claims) == [claim]
    assert len(unneeded_claims(Claiming(flushes=False, **stated), FLUSHED)) == 1
