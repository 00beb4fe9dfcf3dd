"""Naming z = X·W and not σ where equation probes return a wrong ŷ, and σ where it is σ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from crosscheck.explain.message import failure
from crosscheck.inputs import parse
from crosscheck.judging.evaluation import InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from tests.faulty_adapters import wrong

Fault = Callable[[Any, Any, Any], Any]


def message_on(text: str, fault: Fault) -> str:
    """The message on a faulty adapter, as one line."""
    adapter, judge = InProcessAdapter(wrong.Planted("fault", fault)), Judge(parse(text).problem())
    message = failure(text, judge, [evaluate_and_judge(adapter, judge)], {"it": adapter})
    return " ".join(message.split())


def first_weights(X: Any, y: Any, W: Any) -> Any:
    """The W of the first network for the whole stack."""
    return wrong.right(X, y, np.broadcast_to(W[:1], W.shape) if W.ndim > 2 else W)


def after_a_step(X: Any, y: Any, W: Any) -> Any:
    """The ŷ of weights that a step of descent has changed."""
    _, loss, grad = wrong.right(X, y, W)
    return wrong.forward(X, W - W.dtype.type(2.0**-10) * grad), loss, grad


def operands(change: Callable[[Any], Any]) -> Fault:
    """The closed form with a change of X and W in the forward pass."""

    def evaluate(X: Any, y: Any, W: Any) -> Any:
        del y
        return {"y_hat": wrong.forward(change(X).astype(X.dtype), change(W).astype(W.dtype))}

    return evaluate


def logistic(function: Callable[[Any], Any]) -> Fault:
    """The closed form with another function of z in the place of σ."""

    def evaluate(X: Any, y: Any, W: Any) -> Any:
        del y
        return {"y_hat": function(wrong.product(X, W)).astype(X.dtype)}

    return evaluate


def to_bits(bits: int, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Numbers rounded or cut to some significant bits."""

    def changed(array: Any) -> Any:
        significand, exponent = np.frexp(array)
        return np.ldexp(change(np.ldexp(significand, bits)), exponent - bits)

    return changed


def sigma(z: Any) -> Any:
    """The logistic in the dtype of z."""
    return 1 / (1 + np.exp(-z))


SUMS = {
    "float32": ("float64", operands(lambda a: a.astype(np.float32)), "z rounded to 24 significant bits"),
    "bfloat16": ("float32", operands(to_bits(8, np.round)), "z rounded to 8 significant bits"),
    "TF32": ("float32", operands(to_bits(11, np.trunc)), "z cut to 11 significant bits"),
    "first weights": ("float64", first_weights, "of the stack has the ŷ of network 0"),
    "a step": ("float64", after_a_step, "with X = 2 and W = z/2, and "),
}
LOGISTICS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "float32": ("float64", lambda z: sigma(z).astype(np.float32)),
    "of float32": ("float64", lambda z: sigma(z.astype(np.float32))),
    "constant near 0": ("float64", lambda z: np.where(np.abs(z) < 0.125, 0.5, sigma(z))),
    "clamped": ("float32", lambda z: sigma(np.clip(z, -1, 1))),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_z_that_is_not_the_sum_is_named(name: str) -> None:
    dtype, fault, words = SUMS[name]
    message = message_on(f"ordinary:8:4x2x3x1:contiguous:{dtype}", fault)
    assert "equation (10.3) z = X·W" in message
    assert words in message


@pytest.mark.parametrize("name", LOGISTICS)
def test_a_wrong_logistic_is_named(name: str) -> None:
    dtype, function = LOGISTICS[name]
    message = message_on(f"ordinary:8:16x2x3x1:contiguous:{dtype}", logistic(function))
    assert "equation (10.2) σ(z)" in message
