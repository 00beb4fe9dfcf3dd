"""Where X·W is infinite or NaN: each mask against what IEEE 754 says of every single term."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest
from admissible_sets import arithmetic

from reference.formats import FORMATS
from reference.nonfinite import Special, flushed_size, special_terms, subnormal
from reference.product import Product, with_special
from reference.types import Float64, Problem
from reference.units import Units

FORMAT = FORMATS["float16"]
INF, NAN, LARGE, TINY = math.inf, math.nan, FORMAT.largest, FORMAT.least_subnormal
BELOW, LEAST = FORMAT.least_normal - TINY, FORMAT.least_normal
NUMBERS = (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, TINY, -TINY, BELOW, -LEAST, LARGE, -LARGE)
CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "flush": {"flush": True},
    "tf32": {"u_in": 2.0**-11},
}
EVERYWHERE = pytest.mark.parametrize("claim", CLAIMS)


def units(claim: str) -> Units:
    return Units.of(FORMAT, arithmetic("float16", **CLAIMS[claim]))


def matrices() -> Iterator[tuple[Float64, Float64]]:
    """Every pair of numbers as X and W, and sums of three terms, in one row and column of several."""
    pairs = np.array(list(itertools.product(NUMBERS, repeat=2)))
    yield pairs[:, :1, None], pairs[:, 1:, None]
    random = np.random.default_rng(0)
    ordinary = [1.0, -1.0, 0.5] * 12
    yield tuple(random.choice([*NUMBERS, *ordinary], (3000, *shape)) for shape in ((2, 3), (3, 2)))  # type: ignore[misc]


def is_subnormal(number: float) -> bool:
    return 0 < abs(number) < LEAST


def of_terms(x: list[float], w: list[float], claim: str) -> tuple[bool, ...]:
    """plus, minus, must, may and free of one sum of these products."""
    terms = [a * b for a, b in zip(x, w, strict=True)]
    plus, minus = INF in terms, -INF in terms
    must = any(math.isnan(term) for term in terms) or (plus and minus)
    lost = any(
        (is_subnormal(a) and math.isinf(b)) or (math.isinf(a) and is_subnormal(b))
        for a, b in zip(x, w, strict=True)
    )
    may = lost and claim != "default"
    u_in = CLAIMS[claim].get("u_in", 0.0)
    free = bool(u_in) and any(abs(number) * (1 + 2 * u_in) >= LARGE for number in (*x, *w))
    return plus, minus, must, may, free


@pytest.mark.untraced
@EVERYWHERE
def test_each_mask_is_what_the_terms_say(claim: str) -> None:
    for X, W in matrices():
        with np.errstate(invalid="ignore"):
            found = special_terms(X, W, units(claim))
        (stack, m), p = X.shape[:2], W.shape[-1]
        for index, i, k in itertools.product(range(stack), range(m), range(p)):
            x, w = X[index, i].tolist(), W[index, :, k].tolist()
            got = tuple(bool(np.broadcast_to(mask, (stack, m, p))[index, i, k]) for mask in found)
            assert got == of_terms(x, w, claim), (x, w)


@EVERYWHERE
def test_the_size_of_what_may_be_flushed_is_that_of_the_terms_with_a_subnormal_operand(claim: str) -> None:
    random = np.random.default_rng(1)
    finite = [each for each in NUMBERS if math.isfinite(each)]
    X, W = (random.choice(finite, shape) for shape in ((500, 2, 3), (500, 3, 2)))
    found = flushed_size(X, W, units(claim))
    for index, i, k in itertools.product(range(500), range(2), range(2)):
        pairs = zip(X[index, i].tolist(), W[index, :, k].tolist(), strict=True)
        # all products and sums of these few digits are exact
        assert found[index, i, k] == sum(abs(a * b) for a, b in pairs if is_subnormal(a) or is_subnormal(b))


def test_a_number_is_subnormal_below_the_least_normal_one_and_above_0() -> None:
    assert subnormal(np.array(NUMBERS), units("default")).tolist() == [is_subnormal(each) for each in NUMBERS]


def test_special_terms_decide_the_product_and_the_others_only_what_they_leave_open() -> None:
    """Every combination of the masks of a sum's special terms and of its finite ones."""
    masks = np.array(list(itertools.product([False, True], repeat=2 + 5)))
    found = Product(
        np.full(128, 3.0),
        np.full(128, 0.5),
        masks[:, 0],
        masks[:, 1],
        masks[:, 0] & masks[:, 1],
        masks[:, 0] & False,
    )
    special = Special(*masks[:, 2:].T)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reference.product.special_terms", lambda *_: special)
        got = with_special(found, Problem(*np.zeros((3, 1, 1))), units("default"))
    for index, (up, down, plus, minus, must, may, free) in enumerate(masks.tolist()):
        z = 0.0 if free else INF if plus else -INF if minus else 3.0
        e_z = INF if free else 0.0 if plus or minus else 0.5
        wanted = (
            z,
            e_z,
            free or plus or (up and not minus),
            free or minus or (down and not plus),
            free or may or (up and down) or (plus and down) or (minus and up),
            must,
        )
        assert tuple(array[index].item() for array in got) == wanted, index
