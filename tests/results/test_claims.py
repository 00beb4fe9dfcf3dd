"""Claims that nothing supports are found, and claims that a result needs are not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from adapters import load
from crosscheck.inputs import parse
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.claims import ClaimEvidence
from reference.arithmetic import WITHOUT_CLAIM, default_arithmetic, widening
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
