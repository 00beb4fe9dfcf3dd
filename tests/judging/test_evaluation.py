"""What an adapter returns, does not support, or breaks, becomes one outcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adapters
from adapters import repeated
from adapters.errors import AdapterCrashed, AdapterError, AdapterMisbehaved
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import (
    InProcessAdapter,
    Outcome,
    evaluate_and_judge,
)
from crosscheck.judging.judge import Judge, Verdict
from reference.types import Array, Outputs, Problem
from tests.faulty_adapters import wrong

STACK = Case("ordinary", 5, (7, 2, 3, 2)).problem()
Evaluate = Callable[[Array, Array, Array], Any]


def planted(function: Evaluate, *dtypes: str, most: int | None = None) -> InProcessAdapter:
    """An adapter around a function; it takes so many problems in a call."""
    adapter = wrong.Planted("one", function, *dtypes)
    adapter.max_stack = most  # type: ignore[attr-defined]  # an optional member of the contract
    return InProcessAdapter(adapter)


@pytest.mark.parametrize(("stack", "size"), [((), 1), ((1,), 1), ((7,), 7), ((2, 3), 6)])
def test_a_problem_knows_how_many_networks_it_stacks(stack: tuple[int, ...], size: int) -> None:
    assert Problem(*(np.zeros((*stack, 2, 2)) for _ in "XyW")).stack_size == size


def outcome_of(function: Evaluate, *dtypes: str) -> Outcome:
    return evaluate_and_judge(planted(function, *dtypes), Judge(STACK))


def raising(error: BaseException) -> Evaluate:
    def evaluate(*_: Array) -> Any:
        raise error

    return evaluate


def returning(result: Callable[[Array], Any]) -> Evaluate:
    return lambda *arrays: result(arrays[2])


def assert_is_only(outcome: Outcome, field: str) -> None:
    """Exactly one of the three fates is set."""
    found = [n for n in ("outputs", "unsupported", "failure") if getattr(outcome, n) is not None]
    assert found == [field]


def test_a_healthy_adapter_agrees_in_all_that_it_returns() -> None:
    outcome = outcome_of(wrong.right)
    assert_is_only(outcome, "outputs")
    assert {n: j.verdict for n, j in outcome.judgements.items()} == dict.fromkeys(
        ("y_hat", "loss", "grad"), Verdict.WITHIN_BOUNDS
    )
    assert outcome.is_green


def test_a_wrong_adapter_is_not_green_and_names_its_outputs() -> None:
    outcome = evaluate_and_judge(InProcessAdapter(wrong.missing_half), Judge(STACK))
    assert_is_only(outcome, "outputs")
    assert outcome.disagreeing == ("loss", "grad")
    assert not outcome.is_green


def test_a_dtype_that_an_adapter_does_not_have_is_not_asked_for() -> None:
    outcome = outcome_of(raising(AssertionError("asked")), "float32", "bfloat16")
    assert_is_only(outcome, "unsupported")
    assert outcome.unsupported == "planted-one has no float64"


@pytest.mark.parametrize("reason", ["", "no stacks here"])
def test_what_is_not_implemented_is_not_supported(reason: str) -> None:
    outcome = outcome_of(raising(NotImplementedError(*filter(None, [reason]))))
    assert_is_only(outcome, "unsupported")
    assert outcome.unsupported == (reason or "no reason given")
    assert outcome.is_green
    assert not outcome.judgements


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (raising(ValueError("no kernel")), "raised ValueError: no kernel"),
        (returning(lambda _: None), "returned NoneType, want"),
        (returning(lambda W: {"grad": W[..., :1]}), "returned grad of shape (7, 3, 1), want (7, 3, 2)"),
    ],
)
def test_misbehaviour_is_a_failure_in_words(function: Evaluate, what: str) -> None:
    outcome = outcome_of(function)
    assert_is_only(outcome, "failure")
    assert isinstance(outcome.failure, AdapterMisbehaved)
    assert str(outcome.failure).startswith(f"planted-one {what}")
    assert not outcome.is_green


def test_a_crash_is_a_failure() -> None:
    class Crashing(InProcessAdapter):
        def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
            super().evaluate(X, y, W)
            raise AdapterCrashed("crashing", "exited with status 0", None, Path("log"))

    outcome = evaluate_and_judge(Crashing(wrong.healthy), Judge(STACK))
    assert_is_only(outcome, "failure")
    assert isinstance(outcome.failure, AdapterCrashed)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_nobodys_misbehaviour(interruption: type[BaseException]) -> None:
    with pytest.raises(interruption):
        outcome_of(raising(interruption()))


def test_direct_describes_its_adapter_and_refuses_what_is_none() -> None:
    assert InProcessAdapter(wrong.healthy).description.name == "planted-healthy"
    with pytest.raises(AdapterError, match="is no adapter: it has no name, framework"):
        InProcessAdapter(object())


def test_an_adapter_in_process_traces_where_it_can() -> None:
    assert set(InProcessAdapter(adapters.load("numpy")).trace(*STACK)) == {
        "z",
        "dL_dyhat",
        "dyhat_dz",
        "delta",
    }
    with pytest.raises(NotImplementedError, match="planted-healthy has no trace"):
        InProcessAdapter(wrong.healthy).trace(*STACK)


@pytest.mark.parametrize(("most", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (8, [7]), (None, [7])])
def test_a_stack_is_split_where_an_adapter_takes_only_so_many(most: int | None, sizes: list[int]) -> None:
    seen: list[int] = []

    def counted(X: Array, y: Array, W: Array) -> Any:
        seen.append(len(X))
        return wrong.right(X, y, W)

    got = planted(counted, most=most).evaluate(*STACK)
    assert seen == sizes
    for output, want in zip(got, [*wrong.right(*STACK), None], strict=True):
        np.testing.assert_array_equal(output, want, strict=output is not None)


def test_a_stack_that_takes_long_goes_on_in_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repeated, "PARTS_SECONDS", -1.0)
    got = planted(wrong.right, most=2).evaluate(*STACK)
    for output, want in zip(got[:3], wrong.right(*STACK), strict=True):
        np.testing.assert_array_equal(output, want, strict=True)


@pytest.mark.parametrize("stack", [(), (7,), (1, 7), (7, 1, 1)])
def test_a_split_stack_has_its_form_again(stack: tuple[int, ...]) -> None:
    problem = Problem(*(a[0] if stack == () else a.reshape((*stack, *a.shape[1:])) for a in STACK))
    got = planted(wrong.right, most=2).evaluate(*problem)
    for output, want in zip(got[:3], planted(wrong.right).evaluate(*problem)[:3], strict=True):
        np.testing.assert_array_equal(output, want, strict=True)


def test_outputs_that_only_some_parts_of_a_split_stack_have_are_misbehaviour() -> None:
    def moody(X: Array, y: Array, W: Array) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        return {"y_hat": y_hat, "grad": grad} | ({"loss": loss} if len(X) == 3 else {})

    outcome = evaluate_and_judge(planted(moody, most=3), Judge(STACK))
    assert_is_only(outcome, "failure")
    assert str(outcome.failure) == "planted-one returned loss for some parts of a stack only"
