"""The same faults before the tools that frameworks come with: gradient checkers, and comparisons of arrays.

A tool has two efforts. *Default*: its own tolerances, on plain inputs, which are normal numbers.
*Best*: cases of the suite in every regime, and for every problem the tightest power of ten as tolerance with
which the healthy adapters without claims pass, of them the plain one for gradient checkers, whose calls take
long; where there is none, the tool cannot use that problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final

import chex
import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import torch
from instead import by_numpy, some
from power_suite import fault_of

from crosscheck.inputs import SHAPES_ELEMENTWISE, Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import Shape
from reference.formats import FORMATS
from reference.types import Array, Problem
from tests.planted_faults import HEALTHY
from tests.planted_faults.fault import WIDE

PLAIN_SIZES: Final = ((1, 3, 1), (4, 3, 2), (7, 8, 1), (16, 2, 3))
PLAIN: Final = 2  # problems of each size
# The shapes that comparisons get, in every regime.
STACKS: Final = (*SHAPES_ELEMENTWISE, (256, 1, 3, 1), (256, 7, 3, 2), (64, 2, 33, 1), (4, 64, 8, 3))
# The shapes that gradient checkers get, in every regime: they evaluate twice for each weight.
SINGLES: Final = ((1, 1, 3, 1), (256, 7, 3, 2))
STEPS: Final = tuple(10.0**-k for k in range(13, 0, -1))
# The adapters that decide which tolerance raises no false alarm; those that need no claim.
CALIBRATORS: Final = tuple(name for name, one in HEALTHY.items() if not one.claims and not one.members)
Check = Callable[[Any, Problem], None]  # raises an AssertionError or a RuntimeError of the tool


@cache
def plain(dtype: str) -> tuple[Problem, ...]:
    """Problems without a stack, of normal numbers."""
    return tuple(problem for size in PLAIN_SIZES for problem in some(size, dtype, PLAIN))


def _cases(dtype: str, shapes: Sequence[Shape]) -> Iterator[Problem]:
    """One case of every regime and shape, where the shape can have the regime."""
    for name, regime in REGIMES.items():
        for shape in shapes:
            if not regime.unsupported(shape, FORMATS[dtype]):
                yield Case(name, 0, shape, dtype=dtype).problem()


@cache
def stacks(dtype: str) -> tuple[Problem, ...]:
    """The problems of one case of every regime and each of the shapes for comparisons."""
    return tuple(_cases(dtype, STACKS))


@cache
def singles(dtype: str) -> tuple[Problem, ...]:
    """The first problem of some of these stacks, where it is finite."""
    firsts = (Problem(*(array[0] for array in problem)) for problem in _cases(dtype, SINGLES))
    return tuple(problem for problem in firsts if all(np.isfinite(array).all() for array in problem))


def want(problem: Problem) -> tuple[Array, ...]:
    """The formulas in float64, rounded to the dtype of the problem."""
    X, y, W = (array.astype(np.float64) for array in problem)
    with np.errstate(all="ignore"):
        if X.ndim == 2:
            found = by_numpy(X, y, W)
        else:
            p = 1 / (1 + np.exp(-np.matmul(X, W)))
            r = p - y
            G = np.matmul(np.swapaxes(X, -1, -2), r * p * (1 - p))
            found = p, (r * r / 2).sum((-2, -1)), G
        return tuple(np.asarray(array).astype(problem.X.dtype) for array in found)


def got(adapter: Any, problem: Problem) -> tuple[Array, ...]:
    """The three outputs of an adapter, whatever its form of answer."""
    found = adapter.evaluate(*(array.copy() for array in problem))
    if isinstance(found, dict):
        return tuple(found[name] for name in ("y_hat", "loss", "grad"))
    y_hat, loss, grad = found[:3]
    return y_hat, loss, grad


def by_numpy_testing(adapter: Any, problem: Problem) -> None:
    """`numpy.testing.assert_allclose` as it is."""
    for mine, right in zip(got(adapter, problem), want(problem), strict=True):
        np.testing.assert_allclose(mine, right)


def by_chex(adapter: Any, problem: Problem) -> None:
    """`chex.assert_trees_all_close` as it is."""
    chex.assert_trees_all_close(got(adapter, problem), want(problem))


def by_torch_testing(adapter: Any, problem: Problem) -> None:
    """`torch.testing.assert_close` as it is."""
    for mine, right in zip(got(adapter, problem), want(problem), strict=True):
        torch.testing.assert_close(torch.from_numpy(np.array(mine)), torch.from_numpy(np.array(right)))


class Loss(torch.autograd.Function):
    """The loss of an adapter, whose gradient is the adapter's own."""

    @staticmethod
    def forward(context: Any, W: torch.Tensor, adapter: Any, problem: Problem) -> torch.Tensor:
        """The loss."""
        _, loss, grad = got(adapter, problem._replace(W=W.detach().numpy().copy()))
        context.save_for_backward(torch.from_numpy(np.array(grad)))
        return torch.from_numpy(np.array(loss))

    @staticmethod
    def backward(context: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """The gradient of the call of `forward`."""
        (grad,) = context.saved_tensors
        return upstream * grad, None, None


def gradcheck(adapter: Any, problem: Problem, tolerance: float | None = None, *, fast: bool = False) -> None:
    """`torch.autograd.gradcheck` of the loss."""
    limits = {} if tolerance is None else {"rtol": tolerance, "atol": tolerance}
    W = torch.from_numpy(problem.W.copy()).requires_grad_()
    torch.autograd.gradcheck(
        lambda W: Loss.apply(W, adapter, problem),  # type: ignore[no-untyped-call]
        (W,),
        fast_mode=fast,
        **limits,  # type: ignore[arg-type]
    )


# What the callback of `jax_loss` evaluates; one callback for all, so that JAX compiles once for each shape.
evaluated: dict[str, Any] = {}


def _evaluate(W: Any) -> tuple[Array, Array]:
    """The loss and the gradient of the adapter in `evaluated`."""
    problem = evaluated["problem"]._replace(W=np.array(W))
    _, loss, grad = got(evaluated["adapter"], problem)
    return np.asarray(loss, W.dtype), np.asarray(grad, W.dtype)


def _both(W: Any) -> Any:
    """The loss, and the gradient for the backward pass."""
    return jax.pure_callback(_evaluate, jax.eval_shape(lambda W: (W.sum(), W), W), W)


@jax.custom_vjp
def jax_loss(W: Any) -> Any:
    """The loss of an adapter, whose gradient is the adapter's own."""
    return _both(W)[0]


jax_loss.defvjp(_both, lambda grad, upstream: (upstream * grad,))


def check_grads(adapter: Any, problem: Problem, tolerance: float | None = None) -> None:
    """`jax.test_util.check_grads` of the loss, in reverse mode."""
    evaluated.update(adapter=adapter, problem=problem)
    limits = {} if tolerance is None else {"rtol": tolerance, "atol": tolerance}
    with jax.enable_x64(problem.X.dtype == np.float64):
        W = jnp.asarray(problem.W)
        jax.test_util.check_grads(jax_loss, (W,), order=1, modes=("rev",), **limits)  # type: ignore[no-untyped-call]


COMPARISONS: Final[dict[str, Check]] = {
    "numpy.testing.assert_allclose": by_numpy_testing,
    "chex.assert_trees_all_close": by_chex,
    "torch.testing.assert_close": by_torch_testing,
}
CHECKERS: Final[dict[str, tuple[Any, tuple[str, ...]]]] = {
    "torch.autograd.gradcheck": (gradcheck, ("float64",)),
    "torch.autograd.gradcheck, fast": (lambda a, p, t=None: gradcheck(a, p, t, fast=True), ("float64",)),
    "jax.test_util.check_grads": (check_grads, WIDE),
}


def fails(check: Callable[..., None], *given: Any) -> bool:
    """Whether a tool rejects; an adapter that raises, or returns what no tool can use, is rejected too."""
    try:
        with np.errstate(all="ignore"):
            check(*given)
    except Exception:  # noqa: BLE001, each tool has exceptions of its own
        return True
    return False


def relative_error(adapter: Any, problem: Problem) -> float:
    """The least rtol with which a comparison passes, all three alike, with atol 0 and NaN equal to NaN."""
    worst = 0.0
    try:
        for mine, right in zip(got(adapter, problem), want(problem), strict=True):
            if mine.shape != right.shape or mine.dtype != right.dtype:
                return math.inf
            a, b = mine.astype(np.float64), right.astype(np.float64)
            with np.errstate(all="ignore"):
                ratio = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, abs(a - b) / abs(b))
            worst = max(worst, float(np.max(np.where(np.isnan(ratio), math.inf, ratio))))
    except Exception:  # noqa: BLE001, an adapter that raises agrees with nothing
        return math.inf
    return worst


def _tolerance(passes: Callable[[float], bool]) -> float:
    """The tightest step that passes; inf if none does."""
    return next((step for step in STEPS if passes(step)), math.inf)


@cache
def calibrated_errors(dtype: str) -> tuple[float, ...]:
    """For every stack, the power of ten above the largest relative error of the healthy adapters."""
    adapters = [HEALTHY[name].adapter() for name in CALIBRATORS if dtype in HEALTHY[name].dtypes]
    worst = (max(relative_error(adapter, problem) for adapter in adapters) for problem in stacks(dtype))
    return tuple(_tolerance(lambda step, error=error: error <= step) for error in worst)  # type: ignore[misc]


@cache
def calibrated_checks(tool: str, dtype: str) -> tuple[float, ...]:
    """For every single problem, the tightest tolerance with which the plain healthy adapter passes."""
    check, adapter = CHECKERS[tool][0], HEALTHY["plain"].adapter()
    return tuple(
        _tolerance(lambda step, problem=problem: not fails(check, adapter, problem, step))  # type: ignore[misc]
        for problem in singles(dtype)
    )


def _verdicts(name: str) -> Iterator[tuple[str, str, bool]]:
    """Yield tool, effort, and whether the tool rejects the adapter; each time a new adapter."""
    fault = fault_of(name)
    dtypes = [dtype for dtype in WIDE if dtype in fault.dtypes]
    for tool, compare in COMPARISONS.items():
        adapter = fault.adapter()
        yield tool, "default", any(fails(compare, adapter, p) for dtype in dtypes for p in plain(dtype))
    adapter = fault.adapter()
    best = any(
        relative_error(adapter, problem) > limit
        for dtype in dtypes
        for problem, limit in zip(stacks(dtype), calibrated_errors(dtype), strict=True)
        if limit < math.inf
    )
    yield from ((tool, "best", best) for tool in COMPARISONS)
    for tool, (check, known) in CHECKERS.items():
        mine = [dtype for dtype in dtypes if dtype in known]
        adapter = fault.adapter()
        yield tool, "default", any(fails(check, adapter, p) for dtype in mine for p in plain(dtype))
        adapter = fault.adapter()
        yield (
            tool,
            "best",
            any(
                fails(check, adapter, problem, limit)
                for dtype in mine
                for problem, limit in zip(singles(dtype), calibrated_checks(tool, dtype), strict=True)
                if limit < math.inf
            ),
        )


def measure(name: str) -> dict[str, Any]:
    """Return which tools reject an adapter, by tool and effort."""
    found: dict[str, dict[str, bool]] = {}
    for tool, effort, rejected in _verdicts(name):
        found.setdefault(tool, {})[effort] = rejected
    return {"name": name, "tools": found}
