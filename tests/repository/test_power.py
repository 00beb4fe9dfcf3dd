"""The page of what is caught: its numbers are those of its figures, and these are of the corpus as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.planted_faults import FAULTS, HEALTHY

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that makes the page."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import power_page

    return power_page


@pytest.fixture
def figures(pages: Any) -> Any:
    """The figures that the last run left."""
    return json.loads(pages.FIGURES.read_text("utf-8"))


def test_the_page_is_made_of_its_figures(pages: Any, figures: Any) -> None:
    assert (ROOT / "docs" / "power.md").read_text("utf-8") == pages.page(figures)


def test_every_fault_was_measured(figures: Any) -> None:
    names = {*FAULTS, *HEALTHY}
    caught = {one["name"] for one in figures["default"] if one["check"]}
    assert set(FAULTS) <= {one["name"] for one in figures["default"]} <= names
    assert {one["name"] for one in figures["peers"]} == names
    assert {one["name"] for one in figures["nightly"]} <= names - caught


def test_no_healthy_adapter_and_nothing_undetectable_is_rejected(figures: Any) -> None:
    must_pass = {*HEALTHY, *(fault.name for fault in FAULTS.values() if fault.undetectable)}
    assert not [one for one in (*figures["default"], *figures["nightly"])
                if one["check"] and one["name"] in must_pass]  # fmt: skip


def test_the_knee_with_one_problem_of_the_document_is_a_few_ulp(figures: Any) -> None:
    document = [k for k in figures["knee"] if (k["size"], k["problems"]) == ("1x3x1", 1)]
    assert {k["seeds"] for k in document} == {1000}
    most = {"float64": 1.5e-14, "float32": 3e-6}
    assert not [k for k in document if k["median"] > most.get(k["dtype"], 1)]
