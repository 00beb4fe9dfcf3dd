"""Planted wrong adapters: each is rejected by the check that is meant to catch it, the contract too."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import crosscheck

import adapters
from adapters.errors import AdapterMisbehaved
from crosscheck.check import CheckResult
from crosscheck.inputs import SHAPES_ELEMENTWISE, Case, parse
from crosscheck.judging.bits import first_difference
from crosscheck.judging.contract import contract_violations
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import Judge
from crosscheck.pool import AdapterPool
from tests.faulty_adapters import wrong

STACK = "ordinary:7:64x2x3x2:contiguous:{}"
DOCUMENT = "ordinary:7:64x1x3x1:contiguous:{}"


def report_on(name: str, text: str) -> str:
    """All that `crosscheck check` says about numpy and a planted adapter."""
    found = CheckResult(text, Judge(parse(text).problem()))
    selector = f"tests.faulty_adapters.wrong:{name}"
    tried = {"numpy": adapters.load("numpy"), selector: getattr(wrong, name)}
    found.add_all(AdapterPool({name: InProcessAdapter(adapter) for name, adapter in tried.items()}))
    return "\n".join(found.lines())


def assert_says(report: str, *words: str) -> None:
    """The report contains all the words."""
    joined = " ".join(report.split())
    missing = [word for word in words if word not in joined]
    assert not missing, f"{missing} not in:\n{report}"


@pytest.mark.parametrize(
    ("name", "dtype", "output", "equation"),
    [
        ("sign", "float32", "grad", "(13)"),
        ("missing_half", "float32", "loss", "L = ½(y − ŷ)²"),
        ("missing_half", "float64", "grad", "(13)"),
        ("missing_one_minus", "float32", "grad", "(14–16)"),
        ("transposed", "float32", "grad", "(18–19)"),
        ("commented_19", "float64", "grad", "(13)"),
        ("float32_inside_float64", "float64", "y_hat", "(10.2)"),
        ("nan", "float32", "grad", "(17, 20)"),
        ("relative_error_float64", "float64", "grad", "(17, 20)"),
        ("relative_error_float32", "float32", "grad", "(17, 20)"),
    ],
)
def test_a_wrong_formula_is_named_with_its_output_its_equation_and_a_replay(
    name: str, dtype: str, output: str, equation: str
) -> None:
    for text in (STACK, DOCUMENT):
        report = report_on(name, text.format(dtype))
        who = getattr(wrong, name).name
        assert_says(
            report, f"{who} is wrong: {output}", f"outlier {who}", equation, f"wrong:{name}", "by probes"
        )


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["sign", "missing_half", "missing_one_minus"])
def test_a_wrong_formula_is_caught_in_sixteen_bits(name: str, dtype: str) -> None:
    assert_says(report_on(name, STACK.format(dtype)), f"{getattr(wrong, name).name} is wrong: grad")


def test_the_commented_out_variant_is_recognised_by_its_sign_and_its_shape() -> None:
    words = "(13)", "Δ is -1 × exact", "(18–19) ∂L/∂W = Xᵀ·Δ differs too", "commented-out variant of (19)"
    assert_says(report_on("commented_19", DOCUMENT.format("float64")), *words)


def test_nan_in_saturation_is_blamed_on_the_derivative_of_the_logistic() -> None:
    report = report_on("nan_in_saturation", "saturated_low:1:64x1x3x1:contiguous:float32")
    assert_says(report, "planted-nan-in-saturation is wrong: grad", "not a number", "(14–16)")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("stale_result", "returns y_hat, loss, grad as if X and y and W were of an earlier call"),
        ("late_result", "call 3 with the input of call 2 changes y_hat, loss, grad"),
        ("counts_calls", "call 3 with the input of call 2 changes grad"),
        ("contiguous_only", "if the arrays are transposed, it is outside on y_hat, loss, grad"),
        ("mutates_input", "changed its input W in place"),
        ("raises", "raised ValueError: no kernel for float64"),
        ("wrong_shape", "returned grad of shape (64, 2), want (64, 3, 2)"),
        ("wrong_dtype", "returned loss in float32, want float64"),
    ],
)
def test_a_broken_contract_is_named_in_one_sentence(name: str, sentence: str) -> None:
    assert_says(report_on(name, STACK.format("float64")), f"{getattr(wrong, name).name}", sentence)


@pytest.mark.parametrize("dtype", wrong.ALL)
@pytest.mark.parametrize(
    "text", [STACK, "saturated_high:3:64x1x3x1:contiguous:{}", "zeros:3:64x1x3x1:strided:{}"]
)
def test_a_healthy_adapter_from_outside_agrees(text: str, dtype: str) -> None:
    assert_says(report_on("healthy", text.format(dtype)), "Within bounds: numpy, planted-healthy")


@pytest.mark.long
@pytest.mark.parametrize("name", ["missing_one_minus", "mutates_input"])
def test_the_command_line_rejects_it_and_its_replay_line_does_again(name: str, tmp_path: Path) -> None:
    who, journal = getattr(wrong, name).name, ["--journal", str(tmp_path), "--only", "numpy"]
    first = crosscheck(
        "check", STACK.format("float64"), "--adapter", f"tests.faulty_adapters.wrong:{name}", *journal
    )
    assert first.returncode == 1, first.stdout + first.stderr
    assert_says(first.stdout, who, "1 of 2 adapters off")
    lines = [line.split("replay", 1)[1] for line in first.stdout.splitlines() if line.startswith("  replay")]
    for line in lines:
        again = crosscheck(*shlex.split(line)[1:], *journal)
        assert again.returncode == 1, again.stdout + again.stderr
        assert_says(again.stdout, who, "1 of 2 adapters off")


PROBLEM = Case("ordinary", 5, (4, 1, 3, 1)).problem()


def violations(name: str, evaluate: Callable[[Any, Any, Any], Any]) -> list[str]:
    """How an adapter around a function breaks the contract."""
    return contract_violations(InProcessAdapter(wrong.Planted(name, evaluate)), PROBLEM)


@pytest.mark.parametrize("shape", SHAPES_ELEMENTWISE)
@pytest.mark.parametrize("dtype", wrong.ALL)
def test_the_closed_form_keeps_the_contract(dtype: str, shape: tuple[int, ...]) -> None:
    problem = Case("ordinary", 5, shape, dtype=dtype).problem()
    assert contract_violations(InProcessAdapter(adapters.load("numpy")), problem) == []


def test_outputs_that_come_and_go_are_found() -> None:
    calls = itertools.count()

    def now_and_then(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        return y_hat, loss if next(calls) % 2 else None, grad

    sentence = violations("moody", now_and_then)[0]
    assert sentence.endswith("call 3 with the input of call 2 changes which outputs there are")


@pytest.mark.parametrize("regime", ["non_finite", "overflow", "zeros"])
def test_nan_is_the_same_result_twice(regime: str) -> None:
    problem = Case(regime, 5, (16, 2, 3, 2), dtype="float32").problem()
    assert contract_violations(InProcessAdapter(wrong.healthy), problem) == []


def test_a_result_that_a_later_call_overwrites_is_found() -> None:
    kept, calls = np.zeros((4, 3, 1)), itertools.count()

    def drifting(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        kept[...] = grad * (1 + next(calls) * 1e-15)
        return y_hat, loss, kept

    found = violations("one-buffer", drifting)
    assert any("changed grad of an earlier call in a later one" in sentence for sentence in found)


def test_an_adapter_that_fails_in_one_layout_only_is_told_which() -> None:
    def demanding(X: Any, y: Any, W: Any) -> Any:
        if not X.flags.writeable:
            raise ValueError("cannot use this buffer")
        return wrong.right(X, y, W)

    first, *others = violations("demanding", demanding)
    assert "raised ValueError: cannot use this buffer; the arrays are readonly" in first
    assert all("cannot use this buffer; X alone is the same for the whole stack" in each for each in others)


@pytest.mark.parametrize(("reason", "count"), [("", 1), ("no stacks here", 0)])
def test_what_is_not_supported_needs_a_reason(reason: str, count: int) -> None:
    def refusing(X: Any, y: Any, W: Any) -> Any:
        raise NotImplementedError(reason)

    assert len(violations("refusing", refusing)) == count


def test_misbehaviour_is_one_sentence() -> None:
    (sentence,) = contract_violations(InProcessAdapter(wrong.raises), PROBLEM)
    with pytest.raises(AdapterMisbehaved) as raised:
        InProcessAdapter(wrong.raises).evaluate(*PROBLEM)
    assert str(raised.value).split(":")[0] in sentence


def test_bits_are_compared_with_all_nans_the_same_and_both_zeros_apart() -> None:
    nans = np.array([np.nan, 0.0]), np.array([-np.nan, 0.0])
    assert first_difference("grad", *nans) == ""
    assert (
        first_difference("grad", np.array([0.0]), np.array([-0.0]))
        == "grad[0] from -0x0p+0 to 0x0p+0 (1 of 1 elements)"
    )
