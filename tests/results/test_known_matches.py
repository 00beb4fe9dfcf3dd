"""Known differences: what they cover is counted, the rest is shown; their evidence is tried again."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_entries import HALF, LATER, TURNED, TWO, entry, file_of, heard, match_of
from known_proof import RECOGNISED, verify

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES, classify
from crosscheck.inputs.strategies import cases
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import Judge
from crosscheck.results.known import SHIPPED, KnownDifferences, KnownMatch, equal_arrays, in_regimes
from crosscheck.results.known_entry import NATURES, Difference
from reference.formats import FORMATS
from reference.types import Array, Problem
from tests.faulty_adapters import wrong


@given(
    case=cases("float32", shapes=((2, 3, 3, 2), (3, 2, 2))), chosen=st.sets(st.sampled_from(list(REGIMES)))
)
def test_an_element_is_in_the_regimes_of_the_y_hat_that_it_depends_on(case: Case, chosen: set[str]) -> None:
    judge = Judge(case.problem())
    places = classify(*judge.problem, judge.format)
    for output, axes in {"y_hat": "ik", "loss": "", "grad": "jk", "row_loss": "i"}.items():
        got = in_regimes(judge, output, chosen)
        assert got.shape == getattr(judge.centers, output).shape
        for index in np.ndindex(got.shape):
            named = dict(zip(axes, index[len(index) - len(axes) :], strict=True))
            stack = index[: len(index) - len(axes)]
            sources = places[(*stack, named.get("i", slice(None)), named.get("k", slice(None)))]
            assert got[index] == any(list(REGIMES)[place] in chosen for place in np.ravel(sources))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(
    ("numbers", "is_equal"),
    [
        ([[0.5, 0.5], [0.5, 0.5]], True),
        ([[0.5, 0.5], [0.5, 0.25]], False),
        ([[0.0, 0.0], [0.0, -0.0]], False),
        ([[math.nan, math.nan]], True),
        ([[]], True),
    ],
    ids=["equal", "one-odd", "signs-of-zero", "nan", "empty"],
)
def test_the_numbers_of_an_array_are_equal_if_their_bits_are(
    dtype: str, numbers: list[list[float]], is_equal: bool
) -> None:
    array = np.array(numbers).astype(FORMATS[dtype].dtype)
    different = np.array([[1, 2]]).astype(array.dtype)
    assert equal_arrays(Problem(array, different, array.T)) == ({"X", "W"} if is_equal else set())


ZEROS, NARROW = entry(regimes=["zeros"]), entry(shape={"stack": "==1"})
HALVED = InProcessAdapter(wrong.missing_half)
# Name: an adapter, its case, the entries, how many elements each covers, and the mask of what none covers.
MATCHES: dict[str, tuple[InProcessAdapter, str, tuple[Difference, ...], dict[str, int], dict[str, Any]]] = {
    "a part": (TURNED, TWO, (ZEROS,), {"turned-sign": 1}, {"grad": [[[False]], [[True]]]}),
    "every wrong element": (
        TURNED,
        TWO,
        (ZEROS, entry(name="others", regimes=["ordinary"])),
        {"turned-sign": 1, "others": 1},
        {},
    ),
    "entries that overlap both count": (
        TURNED,
        TWO,
        (ZEROS, entry(name="all")),
        {"turned-sign": 1, "all": 2},
        {},
    ),
    "an output that no entry names": (HALVED, HALF, (entry(),), {"turned-sign": 1}, {"loss": True}),
    "the shape of the entry": (TURNED, HALF, (NARROW,), {"turned-sign": 1}, {}),
    "another shape": (TURNED, TWO, (NARROW,), {}, {"grad": [[[True]], [[True]]]}),
    "equal numbers": (TURNED, HALF, (entry(equal=["X", "y", "W"]),), {"turned-sign": 1}, {}),
    "two numbers": (TURNED, TWO, (entry(equal=["W"]),), {}, {"grad": [[[True]], [[True]]]}),
    "another dtype": (TURNED, HALF.replace("float32", "float64"), (NARROW,), {}, {"grad": [[True]]}),
    "what agrees": (InProcessAdapter(wrong.healthy), TWO, (entry(),), {}, {}),
}


@pytest.mark.parametrize("name", MATCHES)
def test_what_is_covered_is_counted_and_what_is_not_is_shown(name: str) -> None:
    adapter, text, entries, covered, uncovered = MATCHES[name]
    found = match_of(adapter, text, *entries)
    assert found.covered == covered
    assert {output: mask.tolist() for output, mask in found.uncovered.items()} == uncovered
    assert found.is_green is not bool(uncovered)


def test_a_failure_is_never_covered() -> None:
    found = match_of(InProcessAdapter(wrong.raises), HALF, entry())
    assert found == KnownMatch({}, {}, failed=True)
    assert not found.is_green


@pytest.mark.long
@pytest.mark.untraced
@given(case=cases("float32", shapes=((4, 2, 3, 2), (2, 3, 1))))
def test_an_empty_record_covers_nothing(case: Case) -> None:
    for adapter in (wrong.sign, wrong.nan_in_saturation, wrong.healthy):
        _, outcome, found = heard(InProcessAdapter(adapter), case.text, KnownDifferences())
        wrongly = {n: ~j.admissible for n, j in outcome.judgements.items() if not j.admissible.all()}
        assert found.covered == {}
        assert found.is_green is outcome.is_green
        np.testing.assert_equal(found.uncovered, wrongly)


def test_the_example_in_the_shipped_file_is_a_complete_entry_that_holds(tmp_path: Path) -> None:
    lines = SHIPPED.read_text("utf-8").splitlines()
    example = [line.removeprefix("#") for line in lines if line.startswith("#     ")]
    (found,) = KnownDifferences.read(file_of(tmp_path, "\n".join(example))).entries
    assert all(getattr(found, name) is not None for name in Difference.__struct_fields__)
    assert all(f" {name} = " in "\n".join(example) for name in Difference.__struct_fields__)
    here = msgspec.structs.replace(found, platform=None)
    assert verify(here, InProcessAdapter(wrong.another_row)) is None


def test_every_nature_that_an_entry_may_have_is_recognised() -> None:
    assert RECOGNISED.keys() == NATURES.keys()


LOSS = {"outputs": ["loss"], "output": "loss", "index": [], "mode": "planted-missing-half"}


@pytest.mark.parametrize(
    ("changes", "adapter"),
    [({}, TURNED), ({"case": TWO, "index": [0, 0, 0]}, TURNED), (LOSS, InProcessAdapter(wrong.missing_half))],
    ids=["alone", "in-a-stack", "loss"],
)
def test_evidence_that_holds_is_no_news(changes: dict[str, Any], adapter: InProcessAdapter) -> None:
    assert verify(entry(**changes), adapter) is None


@pytest.mark.parametrize("at_least", [1, 1e3, math.inf])
def test_a_nan_is_farther_outside_than_any_number(at_least: float) -> None:
    assert verify(entry(mode="planted-nan", at_least=at_least), InProcessAdapter(wrong.nan)) is None


def returning(name: str, grad: Callable[[Array], Any]) -> InProcessAdapter:
    return InProcessAdapter(wrong.Planted(name, lambda X, y, W: {"grad": grad(wrong.right(X, y, W)[2])}))


def test_the_exact_value_of_what_is_not_finite_is_nan() -> None:
    case, ones = HALF.replace("y=[[0x0p+0]]", "y=[[nan]]"), returning("ones", np.ones_like)
    assert verify(entry(case=case, mode="planted-ones", at_least=math.inf, exact="nan"), ones) is None


MENDED, WORSE = returning("mended", np.abs), returning("worse", lambda grad: -4 * grad)
NEARER = returning("nearer", lambda grad: np.abs(grad) * grad.dtype.type(1 + 2**-16))
WITHOUT = InProcessAdapter(wrong.Planted("without", lambda X, y, W: {"loss": wrong.right(X, y, W)[1]}))


@pytest.mark.parametrize(
    ("changes", "adapter", "why"),
    [
        ({}, MENDED, "grad[0, 0] no longer differs: it is 0x1p-3, admissible"),
        ({}, NEARER, "grad[0, 0] differs by less: it is 0x1.0001p-3, "),
        ({"at_least": math.inf}, TURNED, "grad[0, 0] differs by less: it is -0x1p-3, "),
        ({"exact": "0x1p-2"}, TURNED, "the exact grad[0, 0] is 0x1p-3, recorded 0x1p-2"),
        ({"exact": "nan"}, TURNED, "the exact grad[0, 0] is 0x1p-3, recorded nan"),
        ({"regimes": ["ordinary", "overflow"]}, TURNED, "grad[0, 0] lies in none of ordinary, overflow"),
        (
            {},
            InProcessAdapter(wrong.raises),
            "planted-raises no longer returns grad[0, 0]: planted-raises raised",
        ),
        (
            {},
            InProcessAdapter(wrong.refuses),
            "planted-refuses no longer returns grad[0, 0]: no (1, 1) (1, 1)",
        ),
        ({}, WITHOUT, "planted-without no longer returns grad[0, 0]: it has no grad"),
    ],
    ids=["mended", "nearer", "finite", "exact", "no-exact", "regime", "raises", "refuses", "without"],
)
def test_stale_evidence_is_one_sentence(changes: dict[str, Any], adapter: InProcessAdapter, why: str) -> None:
    said = verify(entry(mode=adapter.description.name, **changes), adapter)
    assert (said or "").startswith(f"known difference turned-sign is stale: {why}")


@pytest.mark.parametrize(
    "adapter", [WORSE, returning("vanished", lambda g: g * 0), InProcessAdapter(wrong.nan)]
)
def test_a_wrong_value_that_no_sighting_has_is_no_news(adapter: InProcessAdapter) -> None:
    assert verify(entry(mode=adapter.description.name), adapter) is None


def test_a_difference_that_shrank_is_reported_with_both_distances() -> None:
    said = str(verify(entry(mode="planted-nearer"), NEARER))
    assert re.search(r"[\d.]+ times the bound, recorded as at least 1000$", said), said


ROWS = "float32:X=[[0x0p+0],[0x1p+7]]:y=[[0x0p+0],[0x0p+0]]:W=[[0x1p+0]]"
OF_ROWS: dict[str, Any] = {
    "outputs": ["row_loss"],
    "output": "row_loss",
    "index": [0],
    "case": ROWS,
    "nature": "y_hat_of_another_row",
}


RECORDED = InProcessAdapter(wrong.another_row)


def losses(name: str, *values: float) -> InProcessAdapter:
    """An adapter with these losses of rows."""
    return InProcessAdapter(wrong.Planted(name, lambda X, *_: {"row_loss": np.array(values, X.dtype)}))


@pytest.mark.parametrize("adapter", [RECORDED, losses("one", 0.5, 0.5)], ids=["all", "one"])
def test_losses_with_the_y_hat_of_another_row_are_recognised(adapter: InProcessAdapter) -> None:
    assert verify(entry(mode=adapter.description.name, **OF_ROWS), adapter) is None


def first_input(X: Array, y: Array, W: Array) -> dict[str, Array]:
    """The losses with the ŷ of the first input alone."""
    _, loss, _ = wrong.right(X[..., :1], y, W[..., :1, :])
    residual = y - wrong.forward(X[..., :1], W[..., :1, :])
    return {"loss": loss, "row_loss": np.sum(y.dtype.type(0.5) * residual**2, axis=-1)}


# z = 1 − 1, so that ŷ = ½ exactly.
FIRST: dict[str, Any] = {
    "case": "float32:X=[[0x1p+0,-0x1p+0],[0x1p+0,-0x1p+0]]:y=[[0x0p+0],[0x0p+0]]:W=[[0x1p+0],[0x1p+0]]",
    "nature": "y_hat_of_the_first_input",
    "equal": ["W"],
}
LOSS_OF_INPUTS = {"outputs": ["loss"], "output": "loss", "index": [], "exact": "0x1p-2"}


@pytest.mark.parametrize("of", [OF_ROWS, LOSS_OF_INPUTS], ids=["rows", "loss"])
def test_losses_with_the_y_hat_of_the_first_input_are_recognised(of: dict[str, Any]) -> None:
    adapter = InProcessAdapter(wrong.Planted("first-input", first_input))
    assert verify(entry(mode="planted-first-input", **{**of, **FIRST}), adapter) is None


def test_losses_with_another_y_hat_than_that_of_the_first_input_are_reported() -> None:
    said = verify(entry(mode="planted-odd", **{**OF_ROWS, **FIRST}), losses("odd", 0.25, 0.5))
    assert "row_loss[0] is 0x1p-2, and not the loss with the ŷ of the first input alone" in str(said)


def test_numbers_that_are_not_equal_are_no_evidence() -> None:
    said = verify(entry(**{**OF_ROWS, "mode": "planted-another-row", "equal": ["X"]}), RECORDED)
    assert "X of the case has several numbers, recorded as equal ones" in str(said)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((0.25, 0.5), "row_loss[0] is 0x1p-2, and not the loss of its row with the ŷ of another row"),
        ((0.5, 0.25), "row_loss[1] is 0x1p-2, and not the loss of its row with the ŷ of another row"),
        ((np.nan, 0.5), "row_loss[0] is nan, and not the loss of its row"),
    ],
    ids=["pinned", "beside", "nan"],
)
def test_a_wrong_element_of_another_nature_is_reported(values: tuple[float, float], why: str) -> None:
    said = verify(entry(mode="planted-odd", **OF_ROWS), losses("odd", *values))
    assert (said or "").startswith(f"known difference turned-sign is stale: {why}")


def test_a_single_row_has_no_other_row() -> None:
    alone = {**OF_ROWS, "case": HALF}
    assert "and not the loss of its row" in str(
        verify(entry(mode="planted-odd", **alone), losses("odd", 0.5))
    )


@pytest.mark.parametrize(
    ("changes", "adapter"),
    [({}, InProcessAdapter(wrong.nan)), (LATER, TURNED), ({"platform": ["pdp11"]}, TURNED)],
    ids=["mode", "version", "machine"],
)
def test_an_entry_is_proved_by_its_own_adapter_only(
    changes: dict[str, Any], adapter: InProcessAdapter
) -> None:
    with pytest.raises(ValueError, match="turned-sign says nothing about planted-"):
        verify(entry(**changes), adapter)
