"""What a user would write instead: tests of the same gradient with the tools that frameworks come with.

Each function here makes a test and warms it up; the test returns how many problems it has checked. Tolerances
are the tools' own defaults, which is what a user has: `assert_allclose` gets those of `torch.testing`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Literal

import jax
import jax.test_util
import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats
from volume import Size

from reference.types import Array, Problem

Test = Callable[[], int]
Answer = tuple[Array, ...]
# rtol and atol of torch.testing.assert_close, by dtype.
TORCH: Final = {"float64": (1e-7, 1e-7), "float32": (1.3e-6, 1e-5)}
# Those of numpy.testing.assert_allclose, whatever the dtype.
NUMPY: Final = (1e-7, 0.0)


def by_numpy(X: Array, y: Array, W: Array) -> Answer:
    """ŷ, L and ∂L/∂W as typed from the formulas."""
    p = 1 / (1 + np.exp(-X @ W))
    r = p - y
    return p, (r * r / 2).sum(), X.T @ (r * p * (1 - p))


def torch_loss(X: torch.Tensor, y: torch.Tensor, W: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """L and ŷ."""
    p = torch.sigmoid(X @ W)
    return ((p - y) ** 2 / 2).sum(), p


def by_torch(X: Array, y: Array, W: Array) -> Answer:
    """The same by autograd."""
    x, label, weights = map(torch.from_numpy, (X, y, W))
    loss, p = torch_loss(x, label, weights.requires_grad_())
    (grad,) = torch.autograd.grad(loss, weights)
    return p.detach().numpy(), loss.detach().numpy(), grad.numpy()


def jax_loss(W: jax.Array, X: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """L and ŷ."""
    p = jax.nn.sigmoid(X @ W)
    return ((p - y) ** 2 / 2).sum(), p


JITTED: Final = jax.jit(jax.value_and_grad(jax_loss, has_aux=True))


def by_jax(X: Array, y: Array, W: Array) -> Answer:
    """The same by a jitted `value_and_grad`."""
    (loss, p), grad = JITTED(W, X, y)
    return tuple(map(np.asarray, (p, loss, grad)))


def agree(problem: Problem, rtol: float, atol: float) -> None:
    """Raise AssertionError where two of the three differ by more."""
    want = by_numpy(*problem)
    for got in (by_torch(*problem), by_jax(*problem)):
        for one, other in zip(got, want, strict=True):
            np.testing.assert_allclose(one, other, rtol, atol)


def by_hypothesis(size: Size, dtype: str, examples: int) -> tuple[Test, Callable[[], int]]:
    """A plain Hypothesis test, and how many of the same problems NumPy's default tolerance rejects.

    Its inputs stay near 0, with |z| ≤ 4, where it need not fail.
    """
    m, n, p = size
    width: Literal[32, 64] = 64 if dtype == "float64" else 32
    near = 4.0 * 2.0 ** -math.ceil(math.log2(max(n, 4)))

    def drawn(rows: int, columns: int, low: float, high: float) -> Any:
        return arrays(dtype, (rows, columns), elements=floats(low, high, width=width))

    problems = given(drawn(m, n, -1, 1), drawn(m, p, 0, 1), drawn(n, p, -near, near))
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    seen: list[bool] = []

    def checked(tolerance: tuple[float, float], *, stop: bool) -> int:
        def check(X: Array, y: Array, W: Array) -> None:
            seen.append(False)
            try:
                agree(Problem(X, y, W), *tolerance)
            except AssertionError:
                seen[-1] = True
                if stop:
                    raise

        seen.clear()
        with jax.enable_x64(width == 64):
            chosen(problems(check))()
        return len(seen)

    def rejected() -> int:
        checked(NUMPY, stop=False)
        return sum(seen)

    checked(TORCH[dtype], stop=True)
    return lambda: checked(TORCH[dtype], stop=True), rejected


def some(size: Size, dtype: str, count: int) -> list[Problem]:
    """Problems of random numbers."""
    (m, n, p), random = size, np.random.default_rng(0)
    made = ((random.normal(size=(m, n)), random.random((m, p)), random.normal(size=(n, p)) / n**0.5)
            for _ in range(count))  # fmt: skip
    return [Problem(*(array.astype(dtype) for array in arrays)) for arrays in made]


def by_gradcheck(size: Size, dtype: str, count: int) -> Test:
    """`torch.autograd.gradcheck`, which needs float64."""
    problems = [[torch.from_numpy(array) for array in problem] for problem in some(size, dtype, count)]

    def test() -> int:
        for X, y, W in problems:
            torch.autograd.gradcheck(lambda W, X=X, y=y: torch_loss(X, y, W)[0], (W.requires_grad_(),))
        return count

    test()
    return test


def by_check_grads(size: Size, dtype: str, count: int) -> Test:
    """`jax.test_util.check_grads` of the first order, of a jitted loss."""
    problems, loss = some(size, dtype, count), jax.jit(lambda W, X, y: jax_loss(W, X, y)[0])

    def test() -> int:
        with jax.enable_x64(dtype == "float64"):
            for X, y, W in problems:
                jax.test_util.check_grads(lambda W, X=X, y=y: loss(W, X, y), (W,), order=1)  # type: ignore[no-untyped-call]  # it has no types
        return count

    test()
    return test
