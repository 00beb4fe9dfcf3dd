"""Healthy adapters of other arithmetic: other orders, formulas and formats, with honest claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tests.planted_faults.fault import EVERY, Array, Evaluate, Fault
from tests.planted_faults.network import (
    delta_of,
    gradient,
    half_squares,
    healthy,
    matmul,
    network,
    sigmoid,
    transpose,
)

HALVES = ("float16", "bfloat16")


def adding(add: Callable[[list[Array]], Array]) -> Callable[[Array, Array], Array]:
    """A·B, whose terms are added by a function of the list of terms."""

    def product(A: Array, B: Array) -> Array:
        terms = [A[..., :, k, None] * B[..., k, None, :] for k in range(A.shape[-1])]
        return add(terms).astype(A.dtype)

    return product


def sequential(terms: Sequence[Array]) -> Array:
    """One after the other."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def pairwise(terms: list[Array]) -> Array:
    """Halves first."""
    half = len(terms) // 2
    return terms[0] if len(terms) == 1 else pairwise(terms[:half]) + pairwise(terms[half:])


def blocked(terms: list[Array]) -> Array:
    """Four sums side by side."""
    return sequential([sequential(terms[i::4]) for i in range(min(4, len(terms)))])


def compensated(terms: list[Array]) -> Array:
    """By Kahan, where the sum stays finite."""
    total, lost = terms[0], np.zeros_like(terms[0])
    for term in terms[1:]:
        step = term - lost
        new = total + step
        lost = np.where(np.isfinite(new), (new - total) - step, 0).astype(new.dtype)
        total = new
    return total


def by_rows(add: Callable[[list[Array]], Array]) -> Callable[[], Evaluate]:
    """Both products added in one way; short sums only, as long ones would take long in Python."""
    product = adding(add)

    def small(A: Array, B: Array) -> Array:
        return product(A, B) if A.shape[-1] <= 64 else matmul(A, B)

    return network(product=small, grad=lambda X, d: small(transpose(X), d))


def _losses(add: Callable[[list[Array]], Array]) -> Callable[[Array, Array], Array]:
    def loss(y: Array, p: Array) -> Array:
        r = (y.dtype.type(0.5) * (y - p) ** 2).reshape(*y.shape[:-2], -1)
        return add([r[..., i] for i in range(r.shape[-1])]) if r.shape[-1] <= 512 else r.sum(-1)

    return loss


def wider(dtype: Any) -> Callable[[Array, Array], Array]:
    """A·B in a wider format."""
    return lambda A, B: np.matmul(A.astype(dtype), B.astype(dtype)).astype(A.dtype)


def _fused(A: Array, B: Array) -> Array:
    """A·B by fused multiply-adds of float32, emulated in float64, whose product is exact."""
    total = (A[..., :, 0, None] * B[..., 0, None, :]).astype(A.dtype)
    for k in range(1, A.shape[-1]):
        wide = A[..., :, k, None].astype(np.float64) * B[..., k, None, :].astype(np.float64)
        total = (total.astype(np.float64) + wide).astype(A.dtype)
    return total


def _two_branches(z: Array) -> Array:
    e = np.exp(-abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _by_positive(z: Array) -> Array:
    """e^z/(1 + e^z) for z below 0, 1/(1 + e^-z) above."""
    e = np.exp(np.minimum(z, 0))
    return np.where(z < 0, e / (1 + e), 1 / (1 + np.exp(-np.maximum(z, 0))))


def _by_expit(z: Array) -> Array:
    from scipy.special import expit  # type: ignore[import-untyped]

    return expit(z)


def _wide_sigma(z: Array) -> Array:
    return (1 / (1 + np.exp(-z.astype(np.longdouble)))).astype(z.dtype)


def _loops(X: Array, y: Array, W: Array) -> Any:
    """One network at a time, by np.dot."""
    parts = zip(*(A.reshape(-1, *A.shape[-2:]) for A in (X, y, W)), strict=True)
    p, loss, G = (np.stack(column) for column in zip(*(healthy(*part) for part in parts), strict=True))
    return p.reshape(y.shape), loss.reshape(y.shape[:-2]), G.reshape(W.shape)


def _forward_mode(X: Array, y: Array, W: Array) -> Any:
    """∂L/∂w = Σ (ŷ − y)·(x·ŷ(1 − ŷ))."""
    y_hat, loss, _ = healthy(X, y, W)
    slope = y_hat * (1 - y_hat)
    G = [((y_hat - y) * (X[..., :, i, None] * slope)).sum(-2) for i in range(X.shape[-1])]
    return y_hat, loss, np.stack(G, -2).astype(X.dtype)


def _flushed(A: Array) -> Array:
    return np.where(abs(A) < np.finfo(A.dtype).tiny, A * 0, A)


def _flushing(X: Array, y: Array, W: Array) -> Any:
    return tuple(_flushed(np.asarray(A)) for A in healthy(_flushed(X), _flushed(y), _flushed(W)))


def _by_mean(X: Array, y: Array, W: Array) -> Any:
    """A mean times its count, in float64 and float32."""
    p = sigmoid(matmul(X, W))
    count = y.dtype.type(y.shape[-2] * y.shape[-1])
    r = y - p
    loss = (r * r).sum((-2, -1)) / count * count * y.dtype.type(0.5)
    return p, loss, matmul(transpose(X), (p - y) * p * (1 - p))


def _wide(X: Array, y: Array, W: Array) -> Any:
    found = healthy(*(A.astype(np.float64) for A in (X, y, W)))
    return tuple(np.asarray(A).astype(X.dtype) for A in found)


def _einsum(X: Array, y: Array, W: Array) -> Any:
    p = sigmoid(np.einsum("...ij,...jk->...ik", X, W))
    r = p - y
    return p, np.einsum("...ij,...ij->...", r, r) * y.dtype.type(0.5), np.einsum("...ij,...ik->...jk", X,
                                                                                 r * p * (1 - p))  # fmt: skip


def _fortran_outputs(X: Array, y: Array, W: Array) -> Any:
    p, loss, G = healthy(X, y, W)
    return np.asfortranarray(p), loss, transpose(np.ascontiguousarray(transpose(G)))


def _frozen(X: Array, y: Array, W: Array) -> Any:
    found = tuple(map(np.asarray, healthy(X, y, W)))
    for A in found:
        A.flags.writeable = False
    return found


def _mapping(X: Array, y: Array, W: Array) -> Any:
    p, loss, G = healthy(X, y, W)
    return {"grad": G, "row_loss": (y.dtype.type(0.5) * (y - p) ** 2).sum(-1), "loss": loss, "y_hat": p}


def _remembering() -> Evaluate:
    seen: dict[Any, Any] = {}

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        if X.size > 4096:
            return healthy(X, y, W)
        mark = tuple((A.shape, A.dtype, A.tobytes()) for A in (X, y, W))
        if mark not in seen:
            if len(seen) >= 100:
                seen.clear()
            seen[mark] = healthy(X, y, W)
        return tuple(np.array(A, order="F") for A in seen[mark])

    return evaluate


def _padded(X: Array, y: Array, W: Array) -> Any:
    """Where X and W are finite: a zero times an infinity is NaN."""
    if not (np.isfinite(X).all() and np.isfinite(W).all()):
        return healthy(X, y, W)
    m, n = X.shape[-2:]
    rows, inputs, none = (0, -m % 16), (0, -n % 16), [(0, 0)] * (X.ndim - 2)
    A, B = np.pad(X, [*none, rows, inputs]), np.pad(W, [*none, inputs, (0, 0)])
    p = sigmoid(matmul(A, B))[..., :m, :]
    delta = np.pad(delta_of(y, p, p), [*none, rows, (0, 0)])
    return p, half_squares(y, p), gradient(A, delta)[..., :n, :]


def _row_blocks(X: Array, y: Array, W: Array) -> Any:
    places = range(0, max(X.shape[-2], 1), 100)
    parts = [healthy(X[..., i : i + 100, :], y[..., i : i + 100, :], W) for i in places]
    p, losses, grads = zip(*parts, strict=True)
    return np.concatenate(p, -2), np.asarray(sequential(losses)), sequential(grads)


def _halves_in_threads(X: Array, y: Array, W: Array) -> Any:
    half = X.shape[-2] // 2
    if half < 500:
        return healthy(X, y, W)
    with ThreadPoolExecutor(2) as pool:
        parts = pool.map(lambda s: healthy(X[..., s, :], y[..., s, :], W), (slice(half), slice(half, None)))
        p, losses, grads = zip(*parts, strict=True)
    return np.concatenate(p, -2), np.asarray(losses[0] + losses[1]), grads[0] + grads[1]


def _refusing_strides(X: Array, y: Array, W: Array) -> Any:
    if not all(A.flags.c_contiguous for A in (X, y, W)):
        raise NotImplementedError("not in C order")
    return healthy(X, y, W)


HEALTHY = [
    Fault("plain", "As the document has it, in NumPy.", lambda: healthy, dtypes=EVERY),
    Fault("sequential", "Terms one after the other.", by_rows(sequential)),
    Fault("pairwise", "Terms in halves.", by_rows(pairwise)),
    Fault("reversed_order", "Terms from the last to the first.",
          by_rows(lambda terms: sequential(terms[::-1]))),
    Fault("blocked", "Four sums side by side.", by_rows(blocked)),
    Fault("kahan", "Compensated sums.", by_rows(compensated)),
    Fault("fused", "Chains of fused multiply-adds.", network(
        product=lambda A, B: _fused(A, B) if A.shape[-1] <= 64 else matmul(A, B)), dtypes=("float32",)),
    Fault("loss_backwards", "The loss from the last term to the first.", network(
        loss=_losses(lambda terms: sequential(terms[::-1])))),
    Fault("loss_pairwise", "The loss in halves.", network(loss=_losses(pairwise))),
    Fault("float64_accumulator", "Products of float32 add in float64.", network(
        product=wider(np.float64), grad=lambda X, d: wider(np.float64)(transpose(X), d)),
          dtypes=("float32",)),
    Fault("float64_accumulator_claimed", "The same, claimed.", network(
        product=wider(np.float64), grad=lambda X, d: wider(np.float64)(transpose(X), d)), dtypes=("float32",),
        claims={"u_acc": 2.0**-53}),
    Fault("float32_accumulator", "Products of 16 bits add in float32, claimed.", network(
        product=wider(np.float32), grad=lambda X, d: wider(np.float32)(transpose(X), d)), dtypes=HALVES,
        claims={"u_acc": 2.0**-24}),
    Fault("longdouble", "Products add in the platform's long double.", network(
        product=wider(np.longdouble), grad=lambda X, d: wider(np.longdouble)(transpose(X), d)),
        dtypes=("float64",)),
    Fault("sigma_in_longdouble", "σ in the platform's long double.", network(sigma=_wide_sigma)),
    Fault("two_branches", "σ by e^-|z| in two branches.", network(sigma=_two_branches)),
    Fault("positive_branch", "σ by e^z/(1 + e^z) for negative z.", network(sigma=_by_positive)),
    Fault("expit", "σ is SciPy's expit.", network(sigma=_by_expit)),
    Fault("stable_slope", "1 − ŷ is σ(−z).", network(delta=lambda y, p, z: (p - y) * (p * sigmoid(-z)))),
    Fault("slope_first", "Δ is (ŷ(1 − ŷ))·(ŷ − y).", network(delta=lambda y, p, _: (p * (1 - p)) * (p - y))),
    Fault("negated_residual", "Δ is −(y − ŷ)·ŷ(1 − ŷ).", network(delta=lambda y, p,
          _: -((y - p) * p * (1 - p)))),
    Fault("expanded_slope", "Δ is formed from ŷ − ŷ², claimed.", network(
        delta=lambda y, p, _: (p - y) * (p - p * p)), claims={"expanded": True}),
    Fault("squares_halved_last", "The ½ comes last.", network(
        loss=lambda y, p: ((y - p) * (y - p)).sum((-2, -1)) * y.dtype.type(0.5))),
    Fault("flushing", "Subnormal numbers are 0, claimed.", lambda: _flushing, claims={"flush": True}),
    Fault("rescaled_mean", "The loss is a mean times its count, claimed.", lambda: _by_mean,
          claims={"rescaled_mean": True}),
    Fault("forward_mode", "The gradient is that of forward mode, claimed.", lambda: _forward_mode,
          claims={"forward": True}),
    Fault("float64_inside", "float64 inside for 16 bits.", lambda: _wide, dtypes=HALVES),
    Fault("float64_inside_float32", "float64 inside for float32.", lambda: _wide, dtypes=("float32",)),
    Fault("one_network_at_a_time", "Loops over the stack, in parts of 64 networks.", lambda: _loops,
          members={"max_stack": 64}),
    Fault("one_network_a_call", "Takes one network a call.", lambda: healthy, members={"max_stack": 1}),
    Fault("einsum", "Everything by einsum.", lambda: _einsum),
    Fault("transposed_products", "Products by (Bᵀ·Aᵀ)ᵀ.", network(
        product=lambda A, B: transpose(matmul(transpose(B), transpose(A))))),
    Fault("copies_first", "Copies its inputs to C order first.", network(
        given=lambda X, y, W: tuple(map(np.ascontiguousarray, (X, y, W))))),
    Fault("fortran_outputs", "Returns arrays in Fortran order.", lambda: _fortran_outputs),
    Fault("frozen_outputs", "Returns arrays that are read-only.", lambda: _frozen),
    Fault("mapping", "Returns a mapping with the losses of rows.", lambda: _mapping),
    Fault("remembers", "Returns copies of what it computed for the same numbers before, in Fortran order.",
          _remembering),
    Fault("zero_padded", "Pads rows and inputs with zeros to multiples of 16.", lambda: _padded),
    Fault("rows_in_blocks", "Adds the sums of blocks of 100 rows.", lambda: _row_blocks),
    Fault("two_threads", "Computes the halves of the rows in two threads, from 1,000 rows on.",
          lambda: _halves_in_threads),
    Fault("refuses_strides", "Refuses arrays that are not in C order.", lambda: _refusing_strides),
]  # fmt: skip
