"""Values that differ, each within its own bounds, are counted, and the reason is the one that was planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck.cases import Case, parse
from crosscheck.check import CheckResult
from crosscheck.differing import difference_lines
from crosscheck.evaluation import InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judge import Judge
from crosscheck.pool import AdapterPool
from crosscheck.results.claims import Differences
from reference.arithmetic import KAPPA
from tests.faulty_adapters import wrong

Array = np.ndarray[Any, Any]
SUBNORMAL = "float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]"
CANCELLING = "float32:X=[[0x1p+24,0x1p+0,0x1p+0,0x1p+0,-0x1p+24]]:y=[[0x0p+0]]:W=[[1],[1],[1],[1],[1]]"
OVERFLOWING = "float32:X=[[0x1p+127,0x1p+127,-0x1p+127,-0x1p+127]]:y=[[0x0p+0]]:W=[[1],[1],[1],[1]]"
# ŷ is 1 where the sum overflows and about ½ where it does not: nothing that is returned says anything.
NOT_JUDGED = "float16:X=[[0x1.ffcp+15,0x1.004p+6,-0x1p+6,-0x1.ffcp+15]]:y=[[0]]:W=[[1],[1],[1],[1]]"
# After 1, each of sixty 2^-11 is lost in float16.
STAGNANT = f"float16:X=[[1{',0x1p-11' * 60}]]:y=[[0]]:W=[{','.join(['[1]'] * 61)}]"
ORDINARY = "ordinary:7:64x1x3x1:contiguous:float32"


class Claiming(wrong.Planted):
    """An adapter that multiplies X·W in its own way, and may claim something about it."""

    def __init__(self, name: str, product: Callable[[Array, Array], Array], **claims: Any) -> None:
        super().__init__(name, lambda X, y, W: self._outputs(product(X, W), y), "float32", "float16")
        self._claims = claims

    def arithmetic(self, dtype: str) -> Mapping[str, Any]:
        """What it claims, with a source."""
        return {"kappa": KAPPA[dtype], **self._claims, "sources": dict.fromkeys(self._claims, "its manual")}

    def _outputs(self, z: Array, y: Array) -> Mapping[str, Array]:
        y_hat = 1 / (1 + np.exp(-z))
        return {"y_hat": y_hat, "loss": wrong.half_squares(y, y_hat)}


def in_order(X: Array, W: Array) -> Array:
    """The products added up one after the other."""
    return np.add.accumulate(X * W[..., 0][..., None, :], axis=-1, dtype=X.dtype)[..., -1:]


def backwards(X: Array, W: Array) -> Array:
    """The same from the end."""
    return in_order(X[..., ::-1], W[..., ::-1, :])


def ends_first(X: Array, W: Array) -> Array:
    """Those that cancel first."""
    order = [0, X.shape[-1] - 1, *range(1, X.shape[-1] - 1)]
    return in_order(X[..., order], W[..., order, :])


def flushing(X: Array, W: Array) -> Array:
    """Without subnormal operands."""
    return in_order(np.where(np.abs(X) < np.finfo(np.float32).tiny, np.float32(0), X), W)


def wide(X: Array, W: Array) -> Array:
    """Added up in float64."""
    return np.matmul(X.astype(np.float64), W.astype(np.float64)).astype(X.dtype)


def heard(text: str, *adapters: wrong.Planted) -> tuple[Judge, list[Outcome]]:
    judge = Judge(parse(text).problem())
    return judge, [evaluate_and_judge(InProcessAdapter(adapter), judge) for adapter in adapters]


PLAIN = Claiming("plain", in_order)
OTHER = Claiming("other", ends_first)
FLUSHING = Claiming("flushing", flushing, flush=True)


@pytest.mark.parametrize(
    ("text", "other", "why"),
    [
        (
            SUBNORMAL,
            FLUSHING,
            "planted-flushing claims flush: subnormal operands and results may become zero (its manual)",
        ),
        (
            STAGNANT,
            Claiming("wide", wide, u_acc=2.0**-53),
            "planted-wide claims u_acc: its dot products add in a wider format (its manual)",
        ),
        (CANCELLING, OTHER, "the set holds them all: the products of X·W cancel: they are 1.1e+07 times"),
        (OVERFLOWING, OTHER, "the set holds them all: X·W may overflow in one order of operations"),
        (ORDINARY, Claiming("back", backwards), "the set holds them all: "),
    ],
    ids=["flush", "wide", "cancelling", "overflow", "roundings"],
)
def test_the_reason_is_the_claim_or_what_makes_the_set_wide(
    text: str, other: wrong.Planted, why: str
) -> None:
    judge, outcomes = heard(text, PLAIN, other)
    assert all(outcome.is_green for outcome in outcomes)
    lines = list(difference_lines(judge, outcomes))
    assert any(line.startswith("y_hat") and why in line for line in lines), lines


def test_values_are_listed_with_who_returned_them() -> None:
    judge, outcomes = heard(SUBNORMAL, PLAIN, FLUSHING, Claiming("same", in_order))
    assert next(difference_lines(judge, outcomes)) == (
        "y_hat[0, 0]: 0.7310586 (planted-plain, planted-same); 0.5 (planted-flushing)"
    )


def test_equal_values_need_no_reason() -> None:
    assert not list(difference_lines(*heard(SUBNORMAL, PLAIN, Claiming("same", in_order))))


def test_what_is_outside_is_no_difference_within_bounds() -> None:
    judge, outcomes = heard(SUBNORMAL, PLAIN, Claiming("liar", flushing))
    assert not outcomes[1].is_green
    assert not list(difference_lines(judge, outcomes))


def test_what_is_not_judged_is_no_difference_within_bounds() -> None:
    judge, outcomes = heard(NOT_JUDGED, PLAIN, OTHER)
    assert not any(outcome.judgements["y_hat"].judged.any() for outcome in outcomes)
    assert next(difference_lines(judge, outcomes)) == (
        "y_hat[0, 0]: 1.0 (planted-plain); 0.5156 (planted-other); not judged"
    )
    found = Differences()
    found.add(judge, outcomes)
    assert (found.elements, found.different) == (2, 0)


def test_check_tells_the_values_and_the_reason() -> None:
    found = CheckResult(SUBNORMAL, Judge(parse(SUBNORMAL).problem()))
    found.add_all(AdapterPool({adapter.name: InProcessAdapter(adapter) for adapter in (PLAIN, FLUSHING)}))
    (paragraph,) = (part for part in found.lines() if part.startswith("Values differ, none outside its own"))
    assert "y_hat, loss: planted-flushing claims flush" in " ".join(paragraph.split())


def test_compare_counts_numbers_that_differ_and_those_that_take_a_claim() -> None:
    case = Case("subnormal", 3, (64, 1, 3, 1), dtype="float32")
    judge = Judge(case.problem())
    outcomes = [evaluate_and_judge(InProcessAdapter(adapter), judge) for adapter in (PLAIN, FLUSHING)]
    found = Differences()
    found.add(judge, outcomes)
    assert found.elements == 2 * 64
    apart = [getattr(outcomes[0].outputs, o) != getattr(outcomes[1].outputs, o) for o in ("y_hat", "loss")]
    assert found.different == sum(int(np.count_nonzero(each)) for each in apart) > 0
    assert list(found.by_claim) == [("planted-flushing", "float32", "flush")]
    assert 0 < found.by_claim.total() <= found.different
