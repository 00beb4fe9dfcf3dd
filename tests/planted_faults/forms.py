"""Wrong dtype, shape or type, missing outputs, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.planted_faults.fault import EMPTY, FORM, REFUSAL, Array, Evaluate, Fault
from tests.planted_faults.network import healthy


def answering(change: Callable[..., Any]) -> Callable[[], Evaluate]:
    """The right outputs in another form: `change` gets y_hat, loss, grad."""
    return lambda: lambda X, y, W: change(*healthy(X, y, W))


def _other(A: Array) -> Array:
    return A.astype(np.float32 if A.dtype == np.float64 else np.float64)


def _refusing(hard: Callable[[Array, Array, Array], bool], reason: str) -> Callable[[], Evaluate]:
    def evaluate(X: Array, y: Array, W: Array) -> Any:
        if hard(X, y, W):
            raise NotImplementedError(reason)
        return healthy(X, y, W)

    return lambda: evaluate


def _is_hard(X: Array, y: Array, W: Array) -> bool:
    return not all(np.isfinite(A).all() for A in (X, y, W))


def _is_large(X: Array, y: Array, W: Array) -> bool:
    return bool(np.nanmax(abs(np.matmul(X, W))) > 5 or np.nanmax(abs(y)) > 2)


def _without_loss(X: Array, y: Array, W: Array) -> Any:
    """No loss where it would not be finite."""
    y_hat, loss, G = healthy(X, y, W)
    return {"y_hat": y_hat, "grad": G} if not np.isfinite(loss).all() else (y_hat, loss, G)


def _squeezed(X: Array, y: Array, W: Array) -> Any:
    y_hat, loss, G = healthy(X, y, W)
    return y_hat[..., 0] if y_hat.shape[-1] == 1 else y_hat, loss, G


def _per_row(X: Array, y: Array, W: Array) -> Any:
    y_hat, _, G = healthy(X, y, W)
    return y_hat, ((y - y_hat) ** 2).sum(-1) * y.dtype.type(0.5), G


def _ones_of_nothing(X: Array, y: Array, W: Array) -> Any:
    y_hat, loss, G = healthy(X, y, W)
    return y_hat, loss, G if X.shape[-2] else np.ones_like(G)


NAMES = ("returned", "want")
FAULTS = [
    Fault("loss_in_other_dtype", "The loss has another dtype.", answering(lambda p, L, G: (p, _other(L), G)),
          NAMES,
          FORM),
    Fault("gradient_in_other_dtype", "The gradient has another dtype.", answering(lambda p, L, G: (p, L,
          _other(G))),
          NAMES, FORM),
    Fault("swapped_bytes", "The gradient has swapped bytes.", answering(
        lambda p, L, G: (p, L, G.astype(G.dtype.newbyteorder()))), NAMES, FORM),
    Fault("loss_with_axis", "The loss has an axis of length 1.", answering(lambda p, L, G: (p, L[..., None],
          G)),
          NAMES, FORM),
    Fault("gradient_transposed", "The gradient is transposed.", answering(
        lambda p, L, G: (p, L, np.swapaxes(G, -1, -2))), NAMES, FORM),
    Fault("gradient_summed", "The gradient is the sum over the stack.", answering(
        lambda p, L, G: (p, L, G.sum(0) if G.ndim > 2 else G[None])), NAMES, FORM),
    Fault("losses_of_rows", "The loss has a number for each row.", lambda: _per_row, NAMES, FORM),
    Fault("y_hat_squeezed", "With one output ŷ lacks its last axis.", lambda: _squeezed, NAMES, FORM,
          witness=("ordinary:0:16x7x3x1:contiguous:{}",)),
    Fault("lists", "The gradient is a list.", answering(lambda p, L, G: (p, L, G.tolist())), NAMES, FORM),
    Fault("float_loss", "The loss is a Python number where there is one.", answering(
        lambda p, L, G: (p, float(np.asarray(L).flat[0]), G)), NAMES, FORM),
    Fault("two_outputs", "The gradient is missing, and the tuple has two members.",
          answering(lambda p, L, _: (p, L)), NAMES, FORM),
    Fault("unknown_output", "There is an output called gradient.",
          answering(lambda p, L, G: {"y_hat": p, "loss": L, "gradient": G}), NAMES, FORM),
    Fault("nothing", "Returns None.", answering(lambda *_: None), NAMES, FORM),
    Fault("object_array", "The gradient is an array of objects.", answering(
        lambda p, L, G: (p, L, G.astype(object))), NAMES, FORM),
    Fault("raises", "Raises ZeroDivisionError.", answering(lambda *_: 1 // 0), ("raised ZeroDivisionError",),
          FORM),
    Fault("refuses_all", "Refuses every input.", _refusing(lambda *_: True, "not yet"), ("nothing",
          "unsupported"),
          REFUSAL),
    Fault("refuses_non_finite", "Refuses inputs that are not finite.", _refusing(_is_hard, "not finite"),
          ("refuse", "unsupported", "not finite"), REFUSAL, witness=("non_finite:0:64x7x3x2:contiguous:{}",)),
    Fault("refuses_large", "Refuses inputs with |z| above 5 or |y| above 2.", _refusing(_is_large,
          "too large"),
          ("refuse", "unsupported", "too large"), REFUSAL,
          witness=("saturated_low:0:64x7x3x2:contiguous:{}",)),
    Fault("leaves_out_the_loss", "Has no loss where it would not be finite.", lambda: _without_loss,
          ("refuse", "left out", "leaves out", "missing"), REFUSAL,
          witness=("non_finite:0:64x7x3x2:contiguous:{}",)),
    Fault("gradient_of_no_rows", "Without rows the gradient is 1.", lambda: _ones_of_nothing,
          ("no rows",), EMPTY, witness=("ordinary:0:2x7x3x1:contiguous:{}",)),
]  # fmt: skip
