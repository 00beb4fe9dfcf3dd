"""The contract beyond values, on healthy adapters and on broken ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adapters
from adapters.errors import AdapterMisbehaved
from crosscheck.inputs import SHAPES_ELEMENTWISE, Case
from crosscheck.judging.contract import contract_violations, first_difference
from crosscheck.judging.evaluation import InProcessAdapter
from tests.faulty_adapters import wrong


@pytest.mark.parametrize("shape", SHAPES_ELEMENTWISE)
@pytest.mark.parametrize("dtype", wrong.ALL)
def test_the_closed_form_keeps_the_contract(dtype: str, shape: tuple[int, ...]) -> None:
    problem = Case("ordinary", 5, shape, dtype=dtype).problem()
    assert contract_violations(InProcessAdapter(adapters.load("numpy")), problem) == []


def test_outputs_that_come_and_go_are_found() -> None:
    calls = iter(range(100))

    def now_and_then(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        return y_hat, loss if next(calls) % 2 else None, grad

    problem = Case("ordinary", 5, (4, 1, 3, 1)).problem()
    (sentence,) = contract_violations(InProcessAdapter(wrong.Planted("moody", now_and_then)), problem)
    assert sentence.endswith("a second call with the same input changes which outputs there are")


@pytest.mark.parametrize("regime", ["non_finite", "overflow", "zeros"])
def test_nan_is_the_same_result_twice(regime: str) -> None:
    problem = Case(regime, 5, (16, 2, 3, 2), dtype="float32").problem()
    assert contract_violations(InProcessAdapter(wrong.healthy), problem) == []


def test_a_result_that_a_later_call_overwrites_is_found() -> None:
    kept = np.zeros((4, 3, 1))

    def one_buffer(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        kept[...] = grad
        return y_hat, loss, kept

    calls = iter(range(100))

    def drifting(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = one_buffer(X, y, W)
        grad[...] *= 1 + next(calls) * 1e-15
        return y_hat, loss, grad

    problem = Case("ordinary", 5, (4, 1, 3, 1)).problem()
    found = contract_violations(InProcessAdapter(wrong.Planted("one-buffer", drifting, "float64")), problem)
    assert any("a later call changes what an earlier one returned in grad" in sentence for sentence in found)


def test_an_adapter_that_fails_in_one_layout_only_is_told_which() -> None:
    def demanding(X: Any, y: Any, W: Any) -> Any:
        if not X.flags.writeable:
            raise ValueError("cannot use this buffer")
        return wrong.right(X, y, W)

    problem = Case("ordinary", 5, (4, 1, 3, 1)).problem()
    (sentence,) = contract_violations(InProcessAdapter(wrong.Planted("demanding", demanding)), problem)
    assert "raised ValueError: cannot use this buffer; the arrays were readonly" in sentence


@pytest.mark.parametrize(("reason", "count"), [("", 1), ("no stacks here", 0)])
def test_what_is_not_supported_needs_a_reason(reason: str, count: int) -> None:
    def refusing(X: Any, y: Any, W: Any) -> Any:
        raise NotImplementedError(reason)

    found = contract_violations(
        InProcessAdapter(wrong.Planted("refusing", refusing)), Case("ordinary", 5, (4, 1, 3, 1)).problem()
    )
    assert len(found) == count


def test_misbehaviour_is_one_sentence() -> None:
    found = contract_violations(InProcessAdapter(wrong.raises), Case("ordinary", 5, (4, 1, 3, 1)).problem())
    with pytest.raises(AdapterMisbehaved) as raised:
        InProcessAdapter(wrong.raises).evaluate(*Case("ordinary", 5, (4, 1, 3, 1)).problem())
    assert len(found) == 1
    assert str(raised.value).split(":")[0] in found[0]


def test_bits_are_compared_with_all_nans_the_same_and_both_zeros_apart() -> None:
    nans = np.array([np.nan, 0.0]), np.array([-np.nan, 0.0])
    assert first_difference("grad", *nans) == ""
    assert (
        first_difference("grad", np.array([0.0]), np.array([-0.0]))
        == "grad[0] from -0x0p+0 to 0x0p+0 (1 of 1 elements)"
    )
