"""Sources of one scale: the terms of every sum have one size, and one wrong row shows in the sum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crosscheck.inputs import Case, CaseError, parse
from crosscheck.inputs.one_scale import ONE_SCALE
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.judge import Judge, Verdict
from reference import stable
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Float64, Outputs, Problem

SHAPES = ((64, 1, 1, 1), (256, 7, 3, 2), (2, 64, 300, 3), (1025, 3, 2), (4, 257, 33, 1))
LONG = (16385, 3, 2)  # of a sum that hides thousands of wrong rows of ordinary problems
PLACE = 9000  # of the wrong row
SUMS = ("loss", "grad")


def sources(dtype: str) -> list[str]:
    """The sources of one scale that the dtype can have."""
    return [f"one_scale_{name}" for name in ONE_SCALE if (name, dtype) != ("huge_label", "float16")]


def sized_terms(problem: Problem) -> tuple[Float64, Float64]:
    """(ŷ − y)², ``[*stack, m, p]``, and x·Δ, ``[*stack, m, n, p]``."""
    wide = stable.widen(problem)
    found = stable.evaluate(*wide)
    return found.r**2, wide.X[..., :, None] * found.delta[..., None, :]


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_every_element_lies_in_the_regime_and_all_terms_of_a_sum_have_about_one_size(
    shape: tuple[int, ...], dtype: str
) -> None:
    for source in sources(dtype):
        case = Case(source, 3, shape, dtype=dtype)
        assert REGIMES[source.removeprefix("one_scale_")].contains(*case.problem(), case.format).all()
        squares, products = sized_terms(case.problem())
        assert (squares.max((-2, -1)) <= 16 * squares.min((-2, -1))).all()
        sizes = np.abs(products)
        assert (sizes.max(-3) <= 8 * sizes.min(-3)).all()


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_terms_of_a_gradient_have_one_sign_and_so_have_the_products_of_a_sum(dtype: str) -> None:
    for source in sources(dtype):
        problem = Case(source, 3, (64, 33, 5, 2), dtype=dtype).problem()
        signs = np.sign(sized_terms(problem)[1])
        assert (np.abs(signs.sum(-3)) == problem.X.shape[-2]).all()
        wide = stable.widen(problem)
        assert (np.abs(wide.X @ wide.W) == np.abs(wide.X) @ np.abs(wide.W)).all()


def test_rows_have_both_signs_of_z_and_differ_in_size_for_any_n() -> None:
    for name in ("ordinary", "near_label"):
        z = stable.evaluate(*Case(f"one_scale_{name}", 3, (1025, 300, 1)).problem()).z
        assert 0.4 < (z > 0).mean() < 0.6
        assert np.abs(z).max() > 1.5 * np.abs(z).min()


def without(problem: Problem, rows: slice) -> Problem:
    """The problem with these rows and labels left out."""
    return Problem(np.delete(problem.X, rows, 0), np.delete(problem.y, rows, 0), problem.W)


def changed(problem: Problem, what: str) -> Problem:
    """The problem with one row wrong."""
    X, y, W = (array.copy() for array in problem)
    if what == "left out":
        return without(problem, slice(PLACE, PLACE + 1))
    if what == "another row's":
        X[PLACE], y[PLACE] = X[PLACE + 1], y[PLACE + 1]
    elif what == "another row's label":
        y[PLACE] = 1 - y[PLACE + 1]
    else:
        X[PLACE] = -X[PLACE]
    return Problem(X, y, W)


def shows(case: Case, wrong: Problem) -> dict[str, bool]:
    """Whether the loss and the gradient of the wrong problem, exact but for their rounding, are refused."""
    found = stable.evaluate(*stable.widen(wrong))
    loss: Array = np.asarray(stable.half_squares(found.r)[1])
    outputs = Outputs(loss=loss.astype(case.format.dtype), grad=found.grad.astype(case.format.dtype))
    verdicts = Judge(case.problem()).judge(outputs, default_arithmetic(case.format))
    return {name: verdicts[name].verdict is Verdict.OUTSIDE for name in SUMS}


@pytest.mark.parametrize("what", ["left out", "another row's", "another row's label", "minus z"])
def test_one_wrong_row_of_16385_shows_in_float64(what: str) -> None:
    case = Case("one_scale_ordinary", 0, LONG)
    assert shows(case, changed(case.problem(), what)) == dict.fromkeys(SUMS, True)


def test_a_wrong_row_shows_in_float32_beside_labels_that_are_near() -> None:
    case = Case("one_scale_near_label", 0, LONG, dtype="float32")
    for what in ("another row's label", "minus z"):
        assert shows(case, changed(case.problem(), what)) == dict.fromkeys(SUMS, True)


def test_ordinary_problems_hide_thousands_of_rows_from_the_loss() -> None:
    case = Case("ordinary", 0, (16385, 3, 1))
    biggest = int(np.argmax(np.abs(case.problem().y)))
    rows = slice(biggest + 1, biggest + 1001)
    assert not shows(case, without(case.problem(), rows))["loss"]
    homogeneous = replace(case, regime="one_scale_ordinary")
    assert shows(homogeneous, without(homogeneous.problem(), rows))["loss"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one_scale_huge_label:0:4x1x3x1:contiguous:float16", "passes the largest number of float16"),
        ("one_scale_ordinary:0:65536x3x1:contiguous:float16", "with 65536 labels"),
    ],
)
def test_a_shape_that_cannot_have_one_scale_says_why(text: str, says: str) -> None:
    with pytest.raises(CaseError, match=says):
        parse(text)
