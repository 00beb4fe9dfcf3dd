"""Adapters that are wrong, each in one way that people get wrong. They need NumPy only.

X is ``[*stack, m, n]``, y ``[*stack, m, p]``, W ``[*stack, n, p]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscheck.inputs.regimes import REGIMES, classify
from reference.formats import format_of

Array = NDArray[Any]
Result = tuple[Array, Array, Array]
ALL = ("float64", "float32", "float16", "bfloat16")


class Planted:
    """An adapter around one function.

    Attributes:
        name: of the fault.
        dtypes: where it shows.
    """

    framework = "planted"
    version = "1.0"

    def __init__(self, name: str, evaluate: Callable[[Array, Array, Array], Any], *dtypes: str) -> None:
        self.name, self.dtypes, self._evaluate = f"planted-{name}", dtypes or ALL, evaluate

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """Its outputs, or whatever it takes for them."""
        with np.errstate(all="ignore"):
            return self._evaluate(X, y, W)


def product(A: Array, B: Array) -> Array:
    """A·B in the dtype of A."""
    return np.matmul(A, B).astype(A.dtype)


def turned(A: Array) -> Array:
    """Aᵀ of every matrix of the stack."""
    return np.swapaxes(A, -1, -2)


def forward(X: Array, W: Array) -> Array:
    """ŷ."""
    return 1 / (1 + np.exp(-product(X, W)))


def half_squares(y: Array, y_hat: Array) -> Array:
    """L."""
    return np.sum(y.dtype.type(0.5) * (y - y_hat) ** 2, axis=(-2, -1))


def right(X: Array, y: Array, W: Array) -> Result:
    """All as the document has it."""
    y_hat = forward(X, W)
    return y_hat, half_squares(y, y_hat), product(turned(X), (y_hat - y) * y_hat * (1 - y_hat))


def scaled(factor: float) -> Callable[[Array, Array, Array], Result]:
    """The gradient times a factor."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        y_hat, loss, grad = right(X, y, W)
        return y_hat, loss, grad * grad.dtype.type(factor)

    return evaluate


def without_half(X: Array, y: Array, W: Array) -> Result:
    """L = Σ (y − ŷ)², and its gradient."""
    y_hat, loss, grad = right(X, y, W)
    return y_hat, loss * loss.dtype.type(2), grad * grad.dtype.type(2)


def without_one_minus(X: Array, y: Array, W: Array) -> Result:
    """Δ = (ŷ − y)·ŷ."""
    y_hat = forward(X, W)
    return y_hat, half_squares(y, y_hat), product(turned(X), (y_hat - y) * y_hat)


def wrong_axes(X: Array, y: Array, W: Array) -> Result:
    """Xᵀ read with its axes confused: the order of its rows is that of the memory from the end."""
    y_hat, loss, grad = right(X, y, W)
    return y_hat, loss, grad[..., ::-1, :].copy()


def commented_out(X: Array, y: Array, W: Array) -> Result:
    """(19) as the document has it commented out: [x¹ x² x³]·[(y−ŷ)ŷ(1−ŷ) ...], not transposed, sign and all.

    The row of inputs times a column with n copies of the bracket is one number; it stands in every row.
    """
    y_hat = forward(X, W)
    bracket = (y - y_hat) * y_hat * (1 - y_hat)
    one = np.sum(turned(X)[..., :, :, None] * bracket[..., None, :, :], axis=(-3, -2))
    return y_hat, half_squares(y, y_hat), np.repeat(one[..., None, :], X.shape[-1], axis=-2)


def neighbours(X: Array, y: Array, W: Array) -> dict[str, Array]:
    """Each row's loss, with the ŷ of the row before."""
    residual = y - np.roll(forward(X, W), 1, axis=-2)
    return {"row_loss": np.sum(y.dtype.type(0.5) * residual**2, axis=-1)}


def in_float32(X: Array, y: Array, W: Array) -> Result:
    """float32 inside, float64 outside."""
    y_hat, loss, grad = right(*(array.astype(np.float32) for array in (X, y, W)))
    return y_hat.astype(X.dtype), loss.astype(X.dtype), grad.astype(X.dtype)


def overwriting(X: Array, y: Array, W: Array) -> Result:
    """Right, and W has made one step of gradient descent."""
    outputs = right(X, y, W)
    W -= outputs[2]
    return outputs


class Remembering:
    """Computes once for every shape, as a cache does that looks at shapes only."""

    def __init__(self) -> None:
        self.seen: dict[tuple[Any, ...], Result] = {}

    def __call__(self, X: Array, y: Array, W: Array) -> Result:
        """What the first call with these shapes found."""
        key = (X.shape, W.shape, X.dtype)
        if key not in self.seen:
            self.seen[key] = right(X, y, W)
        return self.seen[key]


class Late:
    """Returns what the call before has computed, as one buffer for two does."""

    def __init__(self) -> None:
        self.last: dict[tuple[Any, ...], Result] = {}

    def __call__(self, X: Array, y: Array, W: Array) -> Result:
        """The previous result of these shapes."""
        key, found = (X.shape, W.shape, X.dtype), right(X, y, W)
        before = self.last.get(key, found)
        self.last[key] = found
        return before


class Counting:
    """Adds its number of calls to the last bit of the gradient."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, X: Array, y: Array, W: Array) -> Result:
        """Right, and different each time."""
        self.calls += 1
        y_hat, loss, grad = right(X, y, W)
        return y_hat, loss, np.nextafter(grad, grad.dtype.type(self.calls % 2)).astype(grad.dtype)


def saturated_nan(X: Array, y: Array, W: Array) -> Result:
    """∂ŷ/∂z as the quotient rule gives it, e^-z/(1 + e^-z)²: inf/inf where e^-z overflows."""
    e = np.exp(-product(X, W))
    y_hat = 1 / (1 + e)
    return y_hat, half_squares(y, y_hat), product(turned(X), (y_hat - y) * (e / (1 + e) ** 2))


def first_nan(X: Array, y: Array, W: Array) -> Result:
    """NaN in one element of the gradient."""
    y_hat, loss, grad = right(X, y, W)
    grad[(0,) * grad.ndim] = np.nan
    return y_hat, loss, grad


def c_order_only(X: Array, y: Array, W: Array) -> Result:
    """Takes the columns of X in the wrong order where its memory is not contiguous."""
    return right(X if X.flags.c_contiguous else X[..., ::-1], y, W)


def raising(X: Array, y: Array, W: Array) -> Result:
    """Gives up."""
    raise ValueError(f"no kernel for {X.dtype}\nof shape {X.shape} {y.shape} {W.shape}")


def refusing(X: Array, y: Array, W: Array) -> Result:
    """Has nothing, and says why."""
    raise NotImplementedError("no stacks here" if X.ndim > 2 else f"no {X.shape} {y.shape} {W.shape} here")


def refusing_silently(X: Array, y: Array, W: Array) -> Result:
    """Has nothing."""
    raise NotImplementedError


def summed_shape(X: Array, y: Array, W: Array) -> Result:
    """The gradient summed over its rows, which broadcasting would hide."""
    y_hat, loss, grad = right(X, y, W)
    return y_hat, loss, grad.sum(-2)


def half_precision(X: Array, y: Array, W: Array) -> Result:
    """The loss in another dtype."""
    y_hat, loss, grad = right(X, y, W)
    other = np.float32 if loss.dtype == np.float64 else np.float64
    return y_hat, loss.astype(other), grad


healthy = Planted("healthy", right)
sign = Planted("sign", scaled(-1))
missing_half = Planted("missing-half", without_half)
missing_one_minus = Planted("missing-one-minus", without_one_minus)
transposed = Planted("transposed", wrong_axes)
another_row = Planted("another-row", neighbours)
commented_19 = Planted("commented-19", commented_out)
float32_inside_float64 = Planted("float32-inside-float64", in_float32, "float64")
mutates_input = Planted("mutates-input", overwriting)
stale_result = Planted("stale-result", Remembering())
late_result = Planted("late-result", Late())
counts_calls = Planted("counts-calls", Counting(), "float64", "float32")
nan = Planted("nan", first_nan)
nan_in_saturation = Planted("nan-in-saturation", saturated_nan)
contiguous_only = Planted("contiguous-only", c_order_only)
relative_error_float64 = Planted("relative-error-float64", scaled(1 + 3e-14), "float64")
relative_error_float32 = Planted("relative-error-float32", scaled(1 + 6e-6), "float32")
raises = Planted("raises", raising)
refuses = Planted("refuses", refusing)
refuses_silently = Planted("refuses-silently", refusing_silently)
wrong_shape = Planted("wrong-shape", summed_shape)
wrong_dtype = Planted("wrong-dtype", half_precision)


def constant_in(regime: str) -> Planted:
    """An adapter that is right but in one regime: what depends on an element of ŷ in it is 0.123."""
    place = list(REGIMES).index(regime)

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        here = classify(X, y, W, format_of(X)) == place
        changed = here, here.any((-2, -1)), here.any(-2, keepdims=True)
        found = [
            np.where(mask, got.dtype.type(0.123), got)
            for mask, got in zip(changed, right(X, y, W), strict=True)
        ]
        return found[0], found[1], found[2]

    return Planted(f"constant-in-{regime}", evaluate)
