"""The tables of how many wrong rows a sum shows are in the document, as the benchmark makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference.admissible import AdmissibleSet

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wrong_rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import wrong_rows

    return wrong_rows


def test_the_document_has_the_tables_of_wrong_rows(wrong_rows: Any) -> None:
    there = (ROOT / "docs/accuracy.md").read_text("utf-8").splitlines()
    for line in wrong_rows.lines((64, 1025), ("float64", "float32", "float16", "bfloat16")):
        assert line in there


def test_the_least_number_of_rows_that_show_is_found(wrong_rows: Any) -> None:
    terms, growing = np.ones(64), np.arange(64.0)
    no, yes = np.array([False, True])[:, None]
    admissible = AdmissibleSet(np.array([1000.0]), np.array([3.5]), no, no, no, no, yes)
    assert wrong_rows.least_rows(terms, 0 * terms, admissible, back=False) == 4
    assert wrong_rows.least_rows(terms, terms, admissible, back=True) is None
    assert wrong_rows.least_rows(growing, growing, admissible, back=True) == 2
