"""How the page writes numbers: the shortest form that says enough, and never more than there is."""

from __future__ import annotations

import math

from crosscheck.shown import ulps
from crosscheck.summary import Worst

# Verdicts of `crosscheck.comparison.table.Row`, with the mark that stands for each beside its colour.
MARKS = {
    "agrees": "",  # its mark is the worst error
    "disagrees": "✗",
    "failed": "!",
    "known": "K",
    "not judged": "?",
    "unsupported": "–",
    "not run": "…",
}


def error_of(worst: Worst | None) -> str:
    """The worst error in words."""
    return "no error measured" if worst is None else f"worst {ulps(worst.value)} ulp"


def mark_of(worst: Worst | None) -> str:
    """The worst error in at most four characters: up to 999 ulp as a number, beyond as a power of ten."""
    if worst is None:
        return "✓"
    value = worst.value
    if not math.isfinite(value):
        return "∞"
    if value >= 999.5:
        return f"e{math.floor(math.log10(value))}"
    digits = 1 if value < 9.95 else 0
    return "0" if value < 0.05 else f"{value:.{digits}f}".removeprefix("0")


def share_of(worst: Worst | None) -> str:
    """In percent, cut off, so that 100 % is on the bound or beyond it; as a multiple from 10 on."""
    if worst is None:
        return "-"
    if worst.value < 10:
        return f"{math.floor(1000 * worst.value) / 10:g} %"
    return "outside" if math.isinf(worst.value) else f"{worst.value:.3g} × the bound"
