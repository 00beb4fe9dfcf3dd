"""The evidence of a known difference is tried again, and reported where it no longer holds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from known_entries import HALF, LATER, TURNED, TWO, entry, file_of
from known_proof import RECOGNISED, verify

from crosscheck.evaluation import InProcessAdapter
from crosscheck.results.known import SHIPPED, KnownDifferences
from crosscheck.results.known_entry import NATURES, Difference
from reference.types import Array
from tests.faulty_adapters import wrong


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
def test_stale_evidence_is_reported_in_one_sentence(
    changes: dict[str, Any], adapter: InProcessAdapter, why: str
) -> None:
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


def losses(name: str, *values: float) -> InProcessAdapter:
    """An adapter with these losses of rows."""
    return InProcessAdapter(wrong.Planted(name, lambda X, *_: {"row_loss": np.array(values, X.dtype)}))


@pytest.mark.parametrize(
    "adapter", [InProcessAdapter(wrong.another_row), losses("one", 0.5, 0.5)], ids=["all", "one"]
)
def test_losses_with_the_y_hat_of_another_row_are_recognised(adapter: InProcessAdapter) -> None:
    assert verify(entry(mode=adapter.description.name, **OF_ROWS), adapter) is None


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
def test_an_entry_is_proved_only_by_the_adapter_that_it_is_about(
    changes: dict[str, Any], adapter: InProcessAdapter
) -> None:
    with pytest.raises(ValueError, match="turned-sign says nothing about planted-"):
        verify(entry(**changes), adapter)
