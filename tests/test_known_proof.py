"""The evidence of a known difference is tried again, and told where it no longer holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from known_entries import HALF, TURNED, TWO, entry, file_of
from planted import wrong

from crosscheck.known import Difference, KnownDifferences, prove
from crosscheck.trial import Direct
from reference.types import Array

SHIPPED = Path(__file__).with_name("known_differences.toml")


def test_the_example_in_the_shipped_file_is_a_complete_entry_that_holds(tmp_path: Path) -> None:
    lines = SHIPPED.read_text("utf-8").splitlines()
    example = [line.removeprefix("#") for line in lines if line.startswith("#     ")]
    (found,) = KnownDifferences.read(file_of(tmp_path, "\n".join(example))).entries
    assert all(getattr(found, name) is not None for name in Difference.__struct_fields__)
    assert all(f" {name} = " in "\n".join(example) for name in Difference.__struct_fields__)
    here = msgspec.structs.replace(found, platform=None)
    assert prove(here, Direct(wrong.missing_one_minus)) is None


LOSS = {"outputs": ["loss"], "output": "loss", "index": [], "got": "0x1p-2", "mode": "planted-missing-half"}


@pytest.mark.parametrize(
    ("changes", "subject"),
    [({}, TURNED), ({"case": TWO, "index": [0, 0, 0]}, TURNED), (LOSS, Direct(wrong.missing_half))],
    ids=["alone", "in-a-stack", "loss"],
)
def test_evidence_that_holds_is_no_news(changes: dict[str, Any], subject: Direct) -> None:
    assert prove(entry(**changes), subject) is None


def test_a_nan_proves_a_nan() -> None:
    assert prove(entry(mode="planted-nan", got="nan"), Direct(wrong.nan)) is None


def returning(name: str, grad: Callable[[Array], Any]) -> Direct:
    return Direct(wrong.Planted(name, lambda X, y, W: {"grad": grad(wrong.right(X, y, W)[2])}))


def test_the_exact_value_of_what_is_not_finite_is_nan() -> None:
    case, ones = HALF.replace("y=[[0x0p+0]]", "y=[[nan]]"), returning("ones", np.ones_like)
    assert prove(entry(case=case, mode="planted-ones", got="0x1p+0", exact="nan"), ones) is None


MENDED, WORSE = returning("mended", np.abs), returning("worse", lambda grad: -4 * grad)
WITHOUT = Direct(wrong.Planted("without", lambda X, y, W: {"loss": wrong.right(X, y, W)[1]}))


@pytest.mark.parametrize(
    ("changes", "subject", "why"),
    [
        ({}, MENDED, "grad[0, 0] no longer differs: it is 0x1p-3, admissible, recorded -0x1p-3"),
        ({}, WORSE, "grad[0, 0] differs in another way: it is -0x1p-1, recorded -0x1p-3"),
        ({}, Direct(wrong.nan), "grad[0, 0] differs in another way: it is nan, recorded -0x1p-3"),
        ({"got": "nan"}, TURNED, "grad[0, 0] differs in another way: it is -0x1p-3, recorded nan"),
        ({"exact": "0x1p-2"}, TURNED, "the exact grad[0, 0] is 0x1p-3, recorded 0x1p-2"),
        ({"exact": "nan"}, TURNED, "the exact grad[0, 0] is 0x1p-3, recorded nan"),
        ({"regimes": ["ordinary", "overflow"]}, TURNED, "grad[0, 0] lies in none of ordinary, overflow"),
        ({}, Direct(wrong.raises), "planted-raises no longer returns grad[0, 0]: planted-raises raised"),
        ({}, Direct(wrong.refuses), "planted-refuses no longer returns grad[0, 0]: no (1, 1) (1, 1)"),
        ({}, WITHOUT, "planted-without no longer returns grad[0, 0]: it has no grad"),
    ],
    ids=["mended", "worse", "nan", "no-nan", "exact", "no-exact", "regime", "raises", "refuses", "without"],
)
def test_stale_evidence_is_told_in_one_sentence(changes: dict[str, Any], subject: Direct, why: str) -> None:
    said = prove(entry(mode=subject.description.name, **changes), subject)
    assert (said or "").startswith(f"known difference turned-sign is stale: {why}")


def test_the_sign_of_a_zero_is_part_of_the_evidence() -> None:
    vanished = returning("vanished", lambda g: g * 0)
    assert prove(entry(mode="planted-vanished", got="0x0p+0"), vanished) is None
    assert "another way: it is 0x0p+0" in str(prove(entry(mode="planted-vanished", got="-0x0p+0"), vanished))


@pytest.mark.parametrize(
    ("changes", "subject"),
    [({}, Direct(wrong.nan)), ({"versions": ">=2"}, TURNED), ({"platform": ["pdp11"]}, TURNED)],
    ids=["mode", "version", "machine"],
)
def test_an_entry_is_proved_only_by_the_adapter_that_it_is_about(
    changes: dict[str, Any], subject: Direct
) -> None:
    with pytest.raises(ValueError, match="turned-sign says nothing about planted-"):
        prove(entry(**changes), subject)
