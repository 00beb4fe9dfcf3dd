"""The contract beyond single results: state, memory, threads that call at once, and axes of length 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adapters
from adapters import Spec, effort, repeated
from adapters.effort import COMPILED, COSTLY, OUTSIDE, OWN, effort_for
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from adapters.repeated import Calls
from crosscheck.explain.message import failure
from crosscheck.inputs import Case
from crosscheck.judging.contract import check_contract, contract_violations
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.judging.variants import CHANGED, EXCHANGED, Variants
from crosscheck.pool import AdapterPool
from reference.formats import FORMATS
from reference.types import Problem
from tests.faulty_adapters import stateful, wrong
from tests.faulty_adapters.stateful import Evaluate
from tests.faulty_adapters.wrong import Array, Planted

SMALL = (1, 2, 3, 2)
SENTENCES = {
    "wrong-from-2": "changes loss",
    "wrong-from-10": "call 10 with the input of call 4 changes loss; ",
    "wrong-from-100": "call 100 with the input of call 2 changes loss; ",
    "wrong-from-1000": "call 1000 with the input of call 6 changes loss; ",
    "weights-by-identity": "returns y_hat, loss, grad as if W were of an earlier call",
    "weights-by-address": "returns y_hat, loss, grad as if W were of an earlier call",
    "weights-once": "as if W were of an earlier call",
    "forward-once": "returns y_hat, loss as if X were of an earlier call",
    "accumulating": "changes grad; ",
    "one-buffer": "changed grad of an earlier call in a later one",
    "same-objects": "returned y_hat in the memory of an earlier y_hat",
    "clearing": "changed y_hat of an earlier call in a later one",
    "shared-scratch": "threads call at once, it is outside on y_hat",
    "raising-if-busy": "raised RuntimeError: busy; 2 threads called at once, one alone it answers",
    "narrow-after-float16": "a call with float16 in between changes y_hat",
    "by-number-of-shapes": "a call with another shape in between changes grad",
    "one-for-nothing": "if there are no rows, m = 0, it is outside on loss; loss[0]: got 0x1p+0",
    "where-X-and-W-overlap": "if the arrays are parts of one array, it is outside on grad",
    "by-first-numbers": "returns y_hat, loss, grad as if X were of an earlier call",
    "by-sums": "returns y_hat, loss, grad as if X were of an earlier call",
    "after-nothing": "if there are no rows, m = 0, the next call changes grad",
    "hot": "changes loss; ",
    "ring-of-60": "changed y_hat of an earlier call in a later one",
    "after-a-large-one": "a call with 131,072 numbers in between changes y_hat",
    "for-some-numbers": "with a network in each of 4,096 calls, it is outside on grad",
    "where-y-is-transposed": "if y alone is transposed, it is outside on loss",
    "where-y-is-X": "if X and y are one array, it is outside on loss",
    "zero-times-infinity": "with a network in each of 2,197 calls, it is outside on y_hat",
    "where-X-is-unaligned": "if X alone is unaligned, it is outside on loss",
    "at-least-one": "returned loss of shape (1,), want (0,); if the stack has no networks",
}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All calls are made, also where other programs take most of the time, but few with a network each."""
    monkeypatch.setattr(repeated, "SECONDS", 600.0)
    monkeypatch.setattr(effort, "OUTSIDE", OUTSIDE._replace(alone=64))


def violations(name: str, shape: tuple[int, ...] = SMALL, dtype: str = "float64") -> list[str]:
    adapter = InProcessAdapter(stateful.planted(name))
    return contract_violations(adapter, Case("ordinary", 5, shape, dtype=dtype).problem())


@pytest.mark.parametrize("name", SENTENCES)
def test_a_fault_between_calls_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in ("for-some-numbers", "zero-times-infinity"):
        monkeypatch.setattr(effort, "OUTSIDE", OUTSIDE)
    found = violations(name)
    assert any(SENTENCES[name] in sentence for sentence in found), found


def test_an_array_that_repeats_along_the_stack_is_tried_alone() -> None:
    found = violations("where-X-repeats", (5, 7, 3, 2))
    assert any("if X alone is the same for the whole stack, it is outside on loss" in each for each in found)


@pytest.mark.untraced
@pytest.mark.parametrize(
    "dtype", ["float64", *(pytest.param(other, marks=pytest.mark.long) for other in [*FORMATS][1:])]
)
@pytest.mark.parametrize("name", stateful.HEALTHY)
def test_what_looks_suspicious_and_keeps_the_contract_passes(name: str, dtype: str) -> None:
    assert violations(name, dtype=dtype) == []


LARGE = ((2, 1025, 3, 2), (1025, 3, 2), (5, 3, 2, 3, 2))


@pytest.mark.long
@pytest.mark.parametrize("shape", LARGE, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("name", ["weights-once", "accumulating", "one-buffer", "shared-scratch"])
def test_it_is_named_at_every_size_and_number_of_stack_axes(name: str, shape: tuple[int, ...]) -> None:
    found = violations(name, shape)
    assert any(SENTENCES[name] in sentence for sentence in found), found


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", LARGE, ids=lambda shape: "x".join(map(str, shape)))
def test_the_closed_form_keeps_it_at_every_size(shape: tuple[int, ...], dtype: str) -> None:
    problem = Case("ordinary", 5, shape, dtype=dtype).problem()
    assert contract_violations(InProcessAdapter(adapters.load("numpy")), problem) == []


def test_an_output_in_the_memory_of_an_input_is_found_where_the_values_are_right() -> None:
    X, y, W = Case("ordinary", 5, SMALL).problem()
    problem = Problem(X, np.full_like(y, 0.5), np.zeros_like(W))  # so that ŷ is y
    (sentence,) = contract_violations(InProcessAdapter(stateful.planted("in-the-input")), problem)
    assert sentence == "planted-in-the-input returned y_hat in the memory of its input y"


def test_a_formula_that_is_wrong_for_some_values_is_not_blamed_on_other_calls() -> None:
    def wrong_for_small(X: Array, y: Array, W: Array) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        return y_hat, loss, np.where(np.abs(W) < 0.3, 2 * grad, grad)

    problem = Case("ordinary", 5, SMALL).problem()
    assert contract_violations(InProcessAdapter(Planted("small", wrong_for_small)), problem) == []


def mean_over_rows(X: Array, y: Array, W: Array) -> Any:
    """The closed form with the gradient of the mean over rows."""
    y_hat, loss, grad = wrong.right(X, y, W)
    return y_hat, loss, grad / X.shape[-2]


@pytest.mark.long
@pytest.mark.parametrize(
    "evaluate",
    [wrong.scaled(-1), wrong.scaled(0.5), wrong.without_one_minus, mean_over_rows],
    ids=["sign", "half", "without 1 − ŷ", "mean over rows"],
)
def test_a_wrong_formula_is_not_blamed_on_other_calls_where_a_set_holds_anything(evaluate: Evaluate) -> None:
    """With one label of 10^14 and the weights of the decoy, ∂L/∂W is 10^138 and its set 10^146 wide."""
    problem = Case("ordinary", 0, (16385, 3, 2)).problem()
    assert contract_violations(InProcessAdapter(Planted("formula", evaluate)), problem) == []


def labels_transposed(X: Array, y: Array, W: Array) -> Any:
    """The closed form with labels transposed where m = p."""
    return wrong.right(X, wrong.turned(y) if y.shape[-1] == y.shape[-2] else y, W)


def test_a_loss_that_is_right_for_the_decoy_by_chance_in_16_bits_is_no_state() -> None:
    problem = Case("ordinary", 0, (1, 2, 3, 2), dtype="float16").problem()
    assert contract_violations(InProcessAdapter(Planted("labels", labels_transposed)), problem) == []


def test_an_output_that_is_left_out_for_some_numbers_does_not_end_the_check() -> None:
    first: list[Any] = []

    def once(X: Array, y: Array, W: Array) -> Any:
        first[:] = first or [wrong.right(X, y, W)]  # of the first call, and without L for one label
        y_hat, loss, grad = (np.array(array) for array in first[0])
        return {"y_hat": y_hat, "grad": grad} | ({} if (y == y_decoy).all() else {"loss": loss})

    problem = Case("ordinary", 5, SMALL).problem()
    y_decoy = Variants(problem)[3].y
    found = contract_violations(InProcessAdapter(Planted("once", once)), problem)
    assert any("of an earlier call" in sentence for sentence in found), found


def test_an_adapter_that_refuses_the_decoy_is_checked_with_the_problem_alone() -> None:
    def refusing(X: Array, y: Array, W: Array) -> Any:
        if (y == 2).any():  # a number of the decoy
            raise NotImplementedError("no label of 2")
        return wrong.right(X, y, W)

    problem = Case("ordinary", 5, SMALL).problem()
    assert contract_violations(InProcessAdapter(Planted("refusing", refusing)), problem) == []


def test_it_is_tried_with_as_many_networks_as_it_takes_at_once() -> None:
    adapter = stateful.planted("weights-once")
    adapter.max_stack = 2  # type: ignore[attr-defined]  # a member that adapters may have
    found = contract_violations(InProcessAdapter(adapter), Case("ordinary", 5, (5, 2, 3, 2)).problem())
    assert any("as if W were of an earlier call" in sentence for sentence in found), found


def test_a_slow_adapter_makes_fewer_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "SECONDS", 0.0)
    assert len(calls_of("slow")) == repeated.LEAST_CALLS


def calls_of(name: str) -> list[int]:
    """The sizes of the calls of one thread, in turn."""
    calls: list[int] = []

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        calls.append(X.size)
        return wrong.right(X, y, W)

    problems = Variants(Case("ordinary", 5, SMALL).problem()).called
    InProcessAdapter(Planted(name, evaluate)).evaluate_each(problems, Calls((0, 1) * 50))
    return calls


def test_our_own_adapters_are_called_less_often_and_costly_ones_with_fewer_shapes() -> None:
    assert effort_for("tests.faulty_adapters.stateful:thousandth") == OUTSIDE._replace(alone=64)
    assert [effort_for(name) for name in ("numpy", "torch-2threads", "jax-jit")] == [OWN] * 3
    costly = ("jax", "torch-compile", "torch-compile@/usr/bin/python3")
    assert [effort_for(name) for name in costly] == [COSTLY] * 3
    assert effort_for("jax-jit-closed_W") is COMPILED


def test_variants_have_the_numbers_of_the_problem_and_of_the_decoy() -> None:
    problem = Case("ordinary", 5, SMALL, dtype="bfloat16").problem()
    variants = Variants(problem)
    for index, changed in enumerate(CHANGED):
        if index in EXCHANGED:
            continue
        for symbol, own, decoy, got in zip("XyW", problem, variants[1], variants[index], strict=True):
            assert got is (decoy if symbol in changed else own)
            assert not np.array_equal(own, decoy)


@pytest.mark.parametrize(("index", "letters"), EXCHANGED.items())
def test_two_numbers_of_the_last_column_change_places_in_some_variants(index: int, letters: str) -> None:
    problem = Case("ordinary", 5, SMALL, dtype="bfloat16").problem()
    for symbol, own, got in zip("XyW", problem, Variants(problem)[index], strict=True):
        want = own.copy()
        if symbol in letters:
            want[-1, -2:, -1] = own[-1, [-1, -2], -1]
        assert np.array_equal(got, want)
        assert np.array_equal(got, own) != (symbol in letters)


@pytest.mark.long
@pytest.mark.parametrize("member", ["thousandth", "one_memory", "not_for_threads", "overlapping"])
def test_it_is_named_in_a_process_of_its_own_too(member: str, tmp_path: Path) -> None:
    target = f"tests.faulty_adapters.stateful:{member}"
    with ProcessAdapter.start(Spec(target, target), ProcessOptions(tmp_path)) as adapter:
        found = contract_violations(adapter, Case("ordinary", 5, SMALL, dtype="float32").problem())
    name = getattr(stateful, member).name.removeprefix("planted-")
    assert any(SENTENCES[name] in sentence for sentence in found), found


def test_what_depends_on_other_calls_explains_values_that_are_outside_by_then() -> None:
    """From the thousandth call on the loss is always doubled, which looks like a wrong formula."""
    adapter = InProcessAdapter(stateful.planted("wrong-from-1000"))
    problem = Case("ordinary", 5, SMALL).problem()
    with AdapterPool({"it": adapter}) as pool:
        violations = pool.submit_contract("it", Variants(problem)).result()
        assert pool.unsteady == {(adapter.description.name, "float64"): violations}
        assert pool.submit_contract("it", Variants(problem)).result() == []  # said once for each dtype
        judge = Judge(problem)
        outcomes = [evaluate_and_judge(adapter, judge)]
        message = failure(
            "ordinary:5:1x2x3x2:contiguous:float64", judge, outcomes, {"it": adapter}, pool.unsteady
        )
    assert "none: the adapter breaks the contract" in message
    assert "call 1000 with the input of call 6 changes loss" in " ".join(message.split())


@pytest.mark.parametrize("name", ["shared-scratch", "one-for-nothing", "one-buffer"])
def test_other_violations_do_not_explain_values(name: str) -> None:
    problem = Case("ordinary", 5, SMALL).problem()
    found, is_steady = check_contract(InProcessAdapter(stateful.planted(name)), Variants(problem))
    assert found
    assert is_steady
