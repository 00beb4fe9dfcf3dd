"""Ledgers of exhaustive sweeps, and the page that is made of them, for the tests of findings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ledgers import adapter, cell, header, summary
from msgspec.structs import replace

from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Header, Sweep
from crosscheck.results.summary import Cell, Number, Summary, Worst
from reference.formats import FORMATS
from tools.findings.page import page
from tools.findings.steps import steps_of

LOW, HIGH, SMALL = "saturated_low -28 -26", "ordinary 0.5 0.53125", "ordinary 0.53125 0.5625"
Cells = dict[Cell, Summary]


def head(profile: str = "sweep exhaustive", shards: str = "0-261", *names: str) -> Header:
    """Make the header of a sweep of 262 shards."""
    said = tuple(
        replace(adapter(name), framework=name.partition("-")[0]) for name in names or ("jax-jit", "numpy")
    )
    settings = {"size": "[1,3,1]"} if "random" in profile else {}
    whole = Sweep(
        sweep_kind=profile, settings=settings, known="0" * 64, of=262, shards=shards, failed_shards=""
    )
    return header(profile=profile, adapters=said, sweep=whole)


def of(name: str, regime: str, output: str = "y_hat", dtype: str = "float32", **changed: Any) -> Cells:
    """Make the cell of an interval; by default it has a thousand numbers without an error."""
    fields: dict[str, Any] = {
        "problems": 1000, "elements": 1000, "equal": 900, "errors": {"zero": 1000}, "error": None,
        "share": None, "shares": {}, **changed,
    }  # fmt: skip
    place = cell(name, regime=regime, output=output, dtype=dtype, shape="1x1x1")
    return {place: summary(**fields)}


def worst(value: float, z: float, dtype: str = "float32", label: int = 0) -> Worst:
    """Make a worst value at this z, in a case that begins three numbers before it."""
    bits = FORMATS[dtype].dtype.itemsize * 8
    pattern = int(np.array(z, FORMATS[dtype].dtype).view(f"u{bits // 8}"))
    case = f"every:{(label << bits) + pattern - 3}:8x1x1x1:contiguous:{dtype}"
    return Worst(Number(value), case, (3, 0, 0), "any")


def text(cells: Cells, sample: Cells | None = None, header: Header | None = None) -> str:
    """The page."""
    ledger = Ledger(header or head(), cells)
    beside = Ledger(head("sweep random"), sample) if sample else None
    return page(ledger, steps_of(ledger), beside, "findings")


def rows(page: str) -> list[list[str]]:
    """Return the rows of all tables of a page."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines]


def row(page: str, *begin: str) -> list[str]:
    """Return the rest of the only row with this beginning."""
    (found,) = [each[len(begin) :] for each in rows(page) if each[: len(begin)] == [*begin]]
    return found
