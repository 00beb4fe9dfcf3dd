"""Checks of an adapter's result against the contract: names, types, shapes and dtypes of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from adapters.errors import AdapterMisbehaved
from adapters.protocol import TRACED
from reference.types import Array, Outputs, Problem


def shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    """Return the shape that each output of the problem must have."""
    stack, (m, n), p = problem.X.shape[:-2], problem.X.shape[-2:], problem.W.shape[-1]
    return {"y_hat": (*stack, m, p), "loss": stack, "grad": (*stack, n, p), "row_loss": (*stack, m)}


def outputs_of(adapter: str, result: Any, problem: Problem) -> Outputs:
    """Return the result of `evaluate` as `Outputs`: NumPy arrays, each checked for its shape and dtype.

    Raises:
        AdapterMisbehaved: the result breaks the contract; the message names the output and what it is.
    """
    if isinstance(result, tuple) and len(result) in (3, 4):
        result = dict(zip(Outputs._fields, result, strict=False))
    if not isinstance(result, Mapping):
        raise AdapterMisbehaved(adapter, f"returned {_kind(result)}, want (y_hat, loss, grad) or a mapping")
    unknown = [str(name) for name in result if name not in Outputs._fields]
    if unknown:
        want = ", ".join(Outputs._fields)
        raise AdapterMisbehaved(adapter, f"returned an output called {unknown[0]!r}, want any of {want}")
    checked = {
        name: _checked(adapter, name, value, shape, problem.X.dtype)
        for name, shape in shapes(problem).items()
        if (value := result.get(name)) is not None
    }
    if not checked:
        raise AdapterMisbehaved(adapter, "returned no output at all")
    return Outputs(**checked)


def traced_of(adapter: str, result: Any, problem: Problem) -> dict[str, Array]:
    """Return the result of `trace`, with each quantity checked as the outputs are.

    Raises:
        AdapterMisbehaved: as in `outputs_of`.
    """
    if not isinstance(result, Mapping) or any(name not in TRACED for name in result):
        got = ", ".join(map(str, result)) if isinstance(result, Mapping) else _kind(result)
        raise AdapterMisbehaved(adapter, f"traced {got}, want a mapping of any of {', '.join(TRACED)}")
    want = shapes(problem)["y_hat"]
    return {name: _checked(adapter, name, value, want, problem.X.dtype) for name, value in result.items()}


def _kind(value: Any) -> str:
    named = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    return f"{named} of {len(value)}" if isinstance(value, (tuple, list)) else named


def _checked(adapter: str, name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return one output after its checks; a NumPy scalar becomes an array without axes."""
    if not isinstance(value, (np.ndarray, np.generic)):
        raise AdapterMisbehaved(adapter, f"returned {name} as {_kind(value)}, want numpy.ndarray")
    if value.dtype != dtype:
        raise AdapterMisbehaved(adapter, f"returned {name} in {value.dtype}, want {dtype}")
    if value.shape != shape:
        raise AdapterMisbehaved(adapter, f"returned {name} of shape {value.shape}, want {shape}")
    return np.asarray(value)
