"""Plots of errors against z: one for each dtype, with the worst case of every cell.

A plot is a list of points in the coordinates of its drawing; the template makes SVG of it. z runs over
±2^`SPAN` on a scale that is linear within ±1 and logarithmic beyond; the error's scale is logarithmic.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from crosscheck.report.cells import Cells, Key, sort_key
from crosscheck.results.ledger import Ledger
from crosscheck.text import format_ulp
from reference.formats import FORMATS

# In float64 σ(z) or 1 − σ(z) is 0 from |z| = 745 on; points beyond 2^10 are drawn at the edge.
SPAN: Final = 10
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 340, 220, 40, 14, 8, 24
TICKS: Final = (-1000, -30, -1, 0, 1, 30, 1000)
# The most kinds of points that can be told apart by shape and colour.
MOST_KINDS: Final = 8


class Point(NamedTuple):
    """The worst error of a cell.

    Attributes:
        key: the key of the cell.
        z: the z of the element; where it depends on several ŷ, the z of largest magnitude.
        error: the error in ulp.
    """

    key: Key
    z: float
    error: float


def points_of(cells: Cells) -> list[Point]:
    """List the points that can be drawn, in the order of the cells."""
    return [
        Point(key, max(worst.z, key=abs), worst.value)
        for key, row in cells.items()
        if (worst := row.summary.error) is not None and worst.z is not None and math.isfinite(worst.value)
        if not any(map(math.isnan, worst.z))
    ]


def plot_of(ledger: Ledger, points: list[Point], cells: Cells) -> dict[str, Any]:
    """Make the template's data: the kinds of points, a plot for each dtype, and the table of the points."""
    kinds = _kinds(ledger, points)
    names = list(dict.fromkeys(kinds.values()))
    dtypes = sorted({point.key.dtype for point in points}, key=lambda name: sort_key(name, tuple(FORMATS)))
    measured = sum(row.summary.error is not None for row in cells.values())
    return {
        "kinds": list(enumerate(names)),
        "pictures": [_picture(name, points, kinds, names) for name in dtypes],
        "rows": [(point.key, f"{point.z:.6g}", format_ulp(point.error)) for point in points],
        "left_out": measured - len(points),
        "size": (WIDTH, HEIGHT),
    }


def _kinds(ledger: Ledger, points: list[Point]) -> dict[str, str]:
    """Return the kind of each adapter's points: its name, or its framework if there are too many adapters."""
    adapters = list(dict.fromkeys(point.key.adapter for point in points))
    if len(adapters) <= MOST_KINDS:
        return {name: name for name in adapters}
    frameworks = {one.name: one.framework for one in ledger.header.adapters}
    found = {name: frameworks.get(name, "others") for name in adapters}
    first = list(dict.fromkeys(found.values()))[: MOST_KINDS - 1]
    return {name: kind if kind in first else "others" for name, kind in found.items()}


def _picture(dtype: str, points: list[Point], kinds: dict[str, str], names: list[str]) -> dict[str, Any]:
    own = [point for point in points if point.key.dtype == dtype]
    most = max((point.error for point in own), default=0)
    top = max(1, math.ceil(math.log10(most))) if most > 0 else 1
    bottom = -1  # errors of a tenth of an ulp and less
    height = HEIGHT - TOP - BOTTOM

    def y(error: float) -> float:
        at = min(max(math.log10(error), bottom), top) if error > 0 else bottom
        return round(TOP + height * (top - at) / (top - bottom), 1)

    marks = sorted({(names.index(kinds[p.key.adapter]), _x(p.z), y(p.error)) for p in own})
    step = max(1, math.ceil((top - bottom) / 5))
    return {
        "dtype": dtype,
        "marks": marks,
        "count": len(own),
        "x": [(f"{tick}".replace("-", "−"), _x(tick)) for tick in TICKS],
        "y": [(_power(at), y(10.0**at)) for at in range(0, top + 1, step)],
        "box": (LEFT, TOP, WIDTH - LEFT - RIGHT, height),
    }


def _power(exponent: int) -> str:
    return ("1", "10")[exponent] if exponent in (0, 1) else f"1e{exponent}"


def _x(z: float) -> float:
    """Return the horizontal position of a z in the plot."""
    size = min(math.log2(1 + abs(z)), SPAN) if math.isfinite(z) else SPAN
    at = math.copysign(size, z)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (at + SPAN) / (2 * SPAN), 1)
