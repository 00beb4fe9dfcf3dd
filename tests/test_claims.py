"""Claims that nothing supports are found, and claims that a result needs are not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from adapters import load
from crosscheck.cases import parse
from crosscheck.comparison.claims import MODEST, Support, widening
from crosscheck.judge import Judge
from crosscheck.trial import Direct, run
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


def too_generous(adapter: Any, *texts: str) -> list[str]:
    support = Support()
    for text in texts:
        judge = Judge(parse(text).problem())
        support.hear(judge, run(Direct(adapter), judge))
    return support.too_generous()


@pytest.mark.parametrize(("flushes", "is_generous"), [(False, True), (True, False)])
def test_a_flush_that_never_flushes_is_too_generous(flushes: bool, is_generous: bool) -> None:
    found = too_generous(Claiming(flushes=flushes, flush=True), FLUSHED)
    assert found == ["claiming claims flush for float32, and nothing seen needs it"] * is_generous


def test_support_that_was_seen_once_stays() -> None:
    ordinary = "ordinary:0:256x7x3x2:contiguous:float32"
    assert not too_generous(Claiming(flushes=True, flush=True), ordinary, FLUSHED, ordinary)


def test_an_adapter_without_claims_is_never_too_generous() -> None:
    assert not too_generous(Claiming(flushes=False), FLUSHED)


@pytest.mark.parametrize("claim", MODEST)
def test_every_claim_that_widens_the_set_needs_support(claim: str) -> None:
    stated: dict[str, Any] = {claim: 2.0**-11 if claim == "u_in" else True}
    claims = dataclasses.replace(default_arithmetic(FORMATS["float32"]), **stated)
    assert widening(claims) == [claim]
    assert len(too_generous(Claiming(flushes=False, **stated), FLUSHED)) == 1
