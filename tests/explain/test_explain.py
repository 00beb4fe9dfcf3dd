"""Explaining a disagreement: the outliers, the reference among them, and the first equation that differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adapters
from adapters.errors import AdapterCrashed
from crosscheck.explain.disagreement import Disagreement, DisagreementAnalysis, worst
from crosscheck.explain.element import EQUATIONS
from crosscheck.explain.equation import REFERENCE, first_equation, outliers
from crosscheck.inputs import parse
from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from reference import network, stable
from tests.faulty_adapters import wrong

Fault = Callable[[Any, Any, Any], Any]
DOCUMENT = "float64:X=[[0x1p+0,0x1p-1,-0x1p-2]]:y=[[0x1p+0]]:W=[[0x1p-1],[0x1.8p+0],[0x1p+0]]"


def disagreements(text: str, *tried: CheckedAdapter) -> list[Disagreement]:
    """The disagreements of the first of the adapters."""
    judge = Judge(parse(text).problem())
    outcomes = [evaluate_and_judge(adapter, judge) for adapter in tried]
    analysis = DisagreementAnalysis(text, judge, outcomes, {s.description.name: s for s in tried})
    return list(analysis.disagreements(outcomes[0]))


def planted(**faults: Callable[[Any], Any]) -> InProcessAdapter:
    """The closed form, with some of its steps done otherwise, in `evaluate` and `trace` alike."""

    def steps(X: Any, y: Any, W: Any) -> dict[str, Any]:
        known: dict[str, Any] = {}
        formulas: dict[str, Callable[[], Any]] = {
            "z": lambda: network.matmul(X, W),
            "y_hat": lambda: network.sigma(known["z"]),
            "loss": lambda: network.loss(y, known["y_hat"]),
            "dL_dyhat": lambda: known["y_hat"] - y,
            "dyhat_dz": lambda: known["y_hat"] * (1 - known["y_hat"]),
            "delta": lambda: known["dL_dyhat"] * known["dyhat_dz"],
            "grad": lambda: network.gradient(X, known["delta"]),
        }
        for name, formula in formulas.items():
            known[name] = faults.get(name, lambda value: value)(formula())
        return known

    class Traced(wrong.Planted):
        def trace(self, X: Any, y: Any, W: Any) -> dict[str, Any]:
            return {name: steps(X, y, W)[name] for name in ("z", "dL_dyhat", "dyhat_dz", "delta")}

    def evaluate(X: Any, y: Any, W: Any) -> dict[str, Any]:
        return {name: steps(X, y, W)[name] for name in ("y_hat", "loss", "grad")}

    return InProcessAdapter(Traced("traced", evaluate))


def times(factor: float) -> Callable[[Any], Any]:
    """A fault that multiplies."""
    return lambda value: value * factor


@pytest.mark.parametrize("quantity", sorted(EQUATIONS.keys() - {"row_loss"}))
def test_a_trace_names_the_equation_that_differs_first(quantity: str) -> None:
    adapter = planted(**{quantity: times(1.001)})
    (*_, disagreement) = disagreements(DOCUMENT, adapter)
    diagnosis = first_equation(adapter, disagreement)
    assert diagnosis.equation == EQUATIONS[quantity]
    assert diagnosis.evidence.startswith("by trace")


def formula(delta: Callable[[Any, Any], Any]) -> Fault:
    """The closed form with another Δ(ŷ, y)."""

    def evaluate(X: Any, y: Any, W: Any) -> Any:
        y_hat = wrong.forward(X, W)
        return y_hat, wrong.half_squares(y, y_hat), wrong.product(wrong.turned(X), delta(y_hat, y))

    return evaluate


def without_last_input(X: Any, y: Any, W: Any) -> Any:
    """The ŷ of sums without their last product, where there are two or more."""
    n = max(1, X.shape[-1] - 1)
    return {"y_hat": wrong.right(X[..., :n], y, W[..., :n, :])[0]}


def largest_loss(X: Any, y: Any, W: Any) -> Any:
    """The closed form with the largest term of the loss instead of their sum."""
    y_hat, _, grad = wrong.right(X, y, W)
    return y_hat, (0.5 * (y - y_hat) ** 2).max((-2, -1)), grad


def with_term_of_z(X: Any, y: Any, W: Any) -> Any:
    """The closed form with a term in Δ that depends on z alone."""
    y_hat, loss, grad = wrong.right(X, y, W)
    return y_hat, loss, grad + wrong.product(wrong.turned(X), 1e-3 * wrong.product(X, W))


def with_weight_decay(X: Any, y: Any, W: Any) -> Any:
    """The closed form with weight decay in the gradient; with X = 1 it is `with_term_of_z`."""
    y_hat, loss, grad = wrong.right(X, y, W)
    return y_hat, loss, grad + 1e-3 * W


def mean_over_stack(X: Any, y: Any, W: Any) -> Any:
    """The closed form with the gradient of the mean over the stack."""
    y_hat, loss, grad = wrong.right(X, y, W)
    return y_hat, loss, grad / max(1, loss.size)


def only_gradient(X: Any, y: Any, W: Any) -> Any:
    """A gradient of the wrong sign, alone."""
    return {"grad": wrong.scaled(-1)(X, y, W)[2]}


STACK = "ordinary:8:4x2x3x1:contiguous:float64"
ONE_LABEL = "float64:X=[[0x1p+0]]:y=[[0x1.8p-1]]:W=[[0x1p-1]]"
SATURATED = "float64:X=[[0x1p+0]]:y=[[0x1p-1]]:W=[[{}]]"
# By name: a fault, the outputs that it makes wrong, the equation of the first, words of the evidence.
PROBED: dict[str, tuple[Fault, str, str, str]] = {
    "float32": (wrong.in_float32, "y_hat, loss, grad", "(10.2)", "ŷ is"),
    "twice the loss": (wrong.without_half, "loss, grad", "L = ", "L is 2 × exact at every probe"),
    "sign": (wrong.scaled(-1), "grad", "(13)", "Δ is -1 × exact at every probe"),
    "half": (wrong.scaled(0.5), "grad", "(13)", "Δ is 0.5 × exact at every probe"),
    "without 1 − ŷ": (wrong.without_one_minus, "grad", "(14–16)", "the factor (1 − ŷ) is missing"),
    "axes": (wrong.wrong_axes, "grad", "(18–19)", "Δ is right at its own z"),
    "without ŷ": (formula(lambda p, y: (p - y) * (1 - p)), "grad", "(14–16)", "the factor ŷ is missing"),
    "no slope": (formula(lambda p, y: p - y), "grad", "(14–16)", "the factor ŷ·(1 − ŷ) is missing"),
    "slope": (
        formula(lambda p, y: (p - y) * p * p),
        "grad",
        "(14–16)",
        "a factor that depends on z and not on y",
    ),
    "root": (formula(lambda p, y: (p - y + 0.25) * p * (1 - p)), "grad", "(13)", "vanishes at y = "),
    "smoothed labels": (
        formula(lambda p, y: (p - 0.875 * y - 0.0625) * p * (1 - p)),
        "grad",
        "(13)",
        "right but for its labels: y = 0 acts as 0.0625",
    ),
    "a term of z": (with_term_of_z, "grad", "(13)", "vanishes at y = "),
    "weight decay": (with_weight_decay, "grad", "(18–19)", "not twice the "),
    "cube": (
        formula(lambda p, y: (p - y) ** 3 * p * (1 - p)),
        "grad",
        "(17, 20)",
        "no single factor explains it",
    ),
    "thrice": (formula(lambda p, y: 3 * (p - y) * p * (1 - p)), "grad", "(17, 20)", "Δ is 3 × exact"),
    "a sum too short": (without_last_input, "y_hat", EQUATIONS["z"], "σ is right at its own z"),
    "only a gradient": (only_gradient, "grad", EQUATIONS["dL_dyhat"], ""),
}
# The same where a case of its own shows the fault.
PROBED_AT: dict[str, tuple[str, Fault, str, str, str]] = {
    f"nan at {z}": (SATURATED.format(z), wrong.saturated_nan, "grad", EQUATIONS["dyhat_dz"], "whatever y is")
    for z in ("-inf", "-0x1p+10", "-0x1.8p+9")
} | {
    "a sum of right terms": (STACK, largest_loss, "loss", EQUATIONS["loss"], "L of one element is right"),
    "some labels": (
        SATURATED.format("-0x1.8p+2").replace("y=[[0x1p-1]]", "y=[[0x1p-6]]"),
        formula(lambda p, y: np.where(np.abs(p - y) < 2.0**-6, 0.0, p - y) * p * (1 - p)),
        "grad",
        EQUATIONS["dL_dyhat"],
        "wrong with y = 0 only",
    ),
    "mean over the stack": (
        "ordinary:8:4x1x3x1:contiguous:float64",
        mean_over_stack,
        "grad",
        EQUATIONS["grad"],
        "right in a stack of one",
    ),
    "one label": (
        ONE_LABEL,
        formula(lambda p, y: np.where(y == 0.75, 0.0, p - y) * p * (1 - p)),
        "grad",
        EQUATIONS["dL_dyhat"],
        "wrong with its own y",
    ),
}
CASES = {name: (DOCUMENT, *row) for name, row in PROBED.items()} | PROBED_AT


@pytest.mark.parametrize("name", CASES)
def test_probes_name_the_equation_without_a_trace(name: str) -> None:
    text, fault, outputs, equation, words = CASES[name]
    adapter = InProcessAdapter(wrong.Planted("fault", fault))
    found = disagreements(text, adapter)
    diagnosis = first_equation(adapter, found[0])
    assert ", ".join(each.element.output for each in found) == outputs
    assert diagnosis.equation.startswith(equation)
    assert words in diagnosis.evidence


def test_probes_do_not_tell_a_wrong_logistic_of_nan_from_a_wrong_sum() -> None:
    def constant(X: Any, y: Any, W: Any) -> Any:
        return tuple(np.nan_to_num(output, nan=0.125) for output in wrong.right(X, y, W))

    adapter = InProcessAdapter(wrong.Planted("constant", constant))
    (disagreement, *_) = disagreements("float64:X=[[inf]]:y=[[0x0p+0]]:W=[[nan]]", adapter)
    diagnosis = first_equation(adapter, disagreement)
    assert diagnosis.equation.startswith("(10.2) or (10.3)")
    assert "so the sum X·W is not" not in diagnosis.evidence


def test_a_result_that_fails_only_in_one_layout_is_no_matter_of_equations() -> None:
    adapter = InProcessAdapter(wrong.contiguous_only)
    for text in ("ordinary:8:4x1x3x1:strided:float64", DOCUMENT + ":layout=reversed"):
        diagnosis = first_equation(adapter, disagreements(text, adapter)[0])
        assert diagnosis == (
            "none: the layout of memory",
            "with the same numbers in contiguous memory y_hat is right",
        )


def test_a_result_of_another_call_is_no_matter_of_equations() -> None:
    adapter = InProcessAdapter(wrong.Planted("stale", wrong.Remembering()))
    text = "ordinary:8:4x1x3x1:contiguous:float64"
    adapter.evaluate(*parse("ordinary:9:4x1x3x1:contiguous:float64").problem())
    disagreement, *_ = disagreements(text, adapter)
    assert disagreement.text == text
    diagnosis = first_equation(adapter, disagreement)
    assert diagnosis.equation.startswith("none")
    assert "of an earlier call" in diagnosis.evidence


def nan_sticks() -> Fault:
    """The closed form; after a loss of NaN, the loss of the next call with the same shapes is NaN, too."""
    before: list[Any] = [None]

    def evaluate(X: Any, y: Any, W: Any) -> Any:
        y_hat, loss, grad = wrong.right(X, y, W)
        sticks = before.pop() == X.shape
        before.append(X.shape if np.isnan(loss).any() else None)
        return y_hat, np.full_like(loss, np.nan) if sticks else loss, grad

    return evaluate


@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_a_result_that_is_right_when_called_again_is_no_matter_of_layouts_or_equations(layout: str) -> None:
    adapter = InProcessAdapter(wrong.Planted("sticky", nan_sticks()))
    X, y, W = parse("ordinary:9:4x2x3x1:contiguous:float64").problem()
    adapter.evaluate(X, np.full_like(y, np.nan), W)
    (disagreement,) = disagreements(f"ordinary:8:4x2x3x1:{layout}:float64", adapter)
    diagnosis = first_equation(adapter, disagreement)
    assert diagnosis.equation == "none: the adapter breaks the contract"
    assert "called again with the same input, it returns loss within its set" in diagnosis.evidence


def test_an_adapter_that_crashes_during_the_analysis_is_shown_on_the_original_case() -> None:
    adapter = InProcessAdapter(wrong.sign)
    judge = Judge(parse(DOCUMENT).problem())
    outcome = evaluate_and_judge(adapter, judge)

    def crashing(*_: Any) -> Any:
        raise AdapterCrashed("planted-sign", "exited with status 0", None, Path("log"))

    adapter.evaluate = crashing  # type: ignore[assignment,method-assign]  # it crashes from now on
    (disagreement,) = DisagreementAnalysis(DOCUMENT, judge, [outcome], {"sign": adapter}).disagreements(
        outcome
    )
    diagnosis = first_equation(adapter, disagreement)
    assert disagreement.text == DOCUMENT
    assert "exited with status 0" in diagnosis.evidence


def test_an_adapter_that_refuses_the_probes_leaves_the_equation_unknown() -> None:
    def only_three_inputs(X: Any, y: Any, W: Any) -> Any:
        if X.shape[-1] != 3:
            raise NotImplementedError("three inputs only")
        return wrong.scaled(-1)(X, y, W)

    adapter = InProcessAdapter(wrong.Planted("narrow", only_three_inputs))
    (disagreement,) = disagreements(DOCUMENT, adapter)
    assert first_equation(adapter, disagreement) == (
        "not known",
        "neither a trace nor probes could be had: three inputs only",
    )


def test_the_outliers_are_those_outside_their_own_sets() -> None:
    judge = Judge(parse(DOCUMENT).problem())
    tried = [
        InProcessAdapter(adapters.load("numpy")),
        InProcessAdapter(wrong.sign),
        InProcessAdapter(wrong.healthy),
    ]
    outcomes = [evaluate_and_judge(adapter, judge) for adapter in tried]
    assert outliers(worst(judge, outcomes[1], "grad"), outcomes) == ("planted-sign",)


def test_the_reference_is_named_where_the_exact_value_lies_outside_its_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def off(z: Any) -> tuple[Any, Any]:
        p = 1 / (1 + np.exp(-z)) * (1 + 2.0**-40)
        return p, 1 - p

    monkeypatch.setattr(stable, "logistic", off)
    judge = Judge(parse(DOCUMENT).problem())
    outcomes = [evaluate_and_judge(InProcessAdapter(adapters.load("numpy")), judge)]
    assert outliers(worst(judge, outcomes[0], "y_hat"), outcomes) == ("numpy", REFERENCE)
