"""The radii of certified pairs are those of ``docs/accuracy.md`` at u = 2^-98, in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reference import certificate
from reference.certificate import Leading
from reference.types import Array, Float64

TWO = Fraction(2)
U, KAPPA, H = TWO**-98, 16, TWO**-1060
GAMMA_4 = 4 * U / (1 - 4 * U)
ROUNDED_UP = 1 + TWO**-20
M, N, P = 3, 2, 2
# The relative error of at most 60 operations, and what their underflow adds.
RELATIVE, ABSOLUTE = 60 * TWO**-53, 60 * TWO**-1074
# Scales of s and X: where s is 1, the roundings count, and where it is small, h does.
SCALES = {
    "ordinary": (1.0, 1.0),
    "saturated": (2.0**-690, 1.0),
    "vanishing": (2.0**-1000, 1.0),
    "tiny": (2.0**-1000, 2.0**-400),
}


def drawn(scale: str, seed: int) -> Leading:
    of_s, of_X = SCALES[scale]
    random, one = np.random.default_rng(seed), (M, P, 1)
    s = random.uniform(0.1, 0.5, one) * of_s
    r = random.choice([-1, 1], one) * random.uniform(0.5, 1, one) * random.choice([1, of_s], one)
    T, X = random.uniform(0.5, 2, one), random.uniform(-1, 1, (M, N, 1)) * of_X
    high = random.integers(0, 2, one).astype(bool)
    return Leading(X, T, s, random.uniform(0.5, 1, one), high, r, r * s)


def exactly(array: Array) -> Fraction:
    return Fraction(float(array[0]))


def documented(block: Leading) -> tuple[list[Fraction], list[Fraction], list[Fraction], list[Fraction]]:
    """The radii of ŷ and the loss of each row, of the loss and of ∂L/∂W, each in C order."""
    of_y_hat, of_rows = [], []
    e_delta: dict[tuple[int, int], Fraction] = {}
    for i in range(M):
        of_row = Fraction(0)
        for k in range(P):
            T, s, l, r = (exactly(a[i, k]) for a in (block.T, block.s, block.l, abs(block.r)))
            e_z = (N + 1) * U * T + 2 * N * H
            e_s, e_l = (s * l * ROUNDED_UP * e_z + KAPPA * U * side for side in (s, l))
            of_y_hat.append(e_l if block.high[i, k, 0] else e_s)
            e_r = e_s + U * (r + e_s) + 3 * H
            A = r + e_r
            s_1, l_1 = s + e_s, l + e_l
            moved = e_s * l_1 + s * e_l
            e_delta[i, k] = e_r * s_1 * l_1 + r * moved + GAMMA_4 * A * s_1 * l_1 + 6 * H * (1 + A)
            of_row += r * e_r + e_r**2 / 2 + (M * P + 3) * U * A**2 / 2 + 8 * H
        of_rows.append(of_row)
    of_grad = [
        3 * M * H
        + sum(
            abs(exactly(block.X[i, j]))
            * (e_delta[i, k] + (M + 1) * U * (abs(exactly(block.delta[i, k])) + e_delta[i, k]))
            for i in range(M)
        )
        for j in range(N)
        for k in range(P)
    ]
    return of_y_hat, [sum(of_rows, Fraction(0))], of_rows, of_grad


@pytest.mark.parametrize("scale", SCALES)
def test_a_certified_radius_is_that_of_the_page(scale: str) -> None:
    for seed in range(5):
        block = drawn(scale, seed)
        for found, wanted in zip(certificate.radii(block), documented(block), strict=True):
            for got, want in zip(found.ravel().tolist(), wanted, strict=True):
                assert abs(Fraction(got) - ROUNDED_UP * want) <= RELATIVE * ROUNDED_UP * want + ABSOLUTE, (
                    got,
                    float(want),
                )


def operands(shape: tuple[int, ...], *special: tuple[tuple[int, ...], float]) -> Float64:
    """Ones, but for these places and numbers."""
    found = np.ones(shape)
    for place, number in special:
        found[place] = number
    return found


def test_operands_out_of_range_become_0_and_take_their_row_column_or_element_along() -> None:
    """In each problem of the stack one thing is out of range; the ends of the range are in it."""
    X = operands((3, 2, 6), ((1, 0, 0), 2.0**401), ((1, 1, 1), -(2.0**-401)), ((0, 0, 5), 2.0**400))
    y = operands((3, 2, 6), ((2, 1, 2), np.nan), ((0, 0, 5), 0.0), ((0, 1, 5), -(2.0**-400)))
    W = operands((2, 2, 6), ((1, 0, 3), np.inf))
    found = certificate.operands_in_range(X, y, W)
    for got, given in zip(found[:3], (X, y, W), strict=True):
        fine = (np.abs(given) <= 2.0**400) & ((np.abs(given) >= 2.0**-400) | (given == 0))
        assert np.array_equal(got, np.where(fine, given, 0.0))
    wanted = np.ones((3, 2, 6), bool)
    wanted[1, :, :2] = wanted[2, 1, 2] = wanted[:, 0, 3] = False
    assert np.array_equal(found[3], wanted)


def test_operands_that_are_all_in_range_stay_what_they_are() -> None:
    given = operands((3, 2, 4)), operands((3, 2, 4)), operands((2, 2, 4))
    found = certificate.operands_in_range(*given)
    assert all(got is one for got, one in zip(found[:3], given, strict=True))
    assert found[3].shape == (3, 2, 4)
    assert found[3].all()
