"""The pictures of the page: the worst error in ulp against z, one file for each dtype.

The same ledger and the same version of matplotlib make the same bytes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, Final

from crosscheck.sweep.exhaustive import MEASURED
from tools.findings.steps import NON_FINITE, Step, Steps
from tools.findings.tables import NAMES

# The range of z on both sides; beyond it the errors no longer change.
SPANS: Final = {"float32": 110, "bfloat16": 110, "float16": 20}
# Steps narrower than 1/NARROW of the range are thinner than a line.
NARROW: Final = 400
# Errors below this limit are drawn at the lower edge.
LEAST: Final = 0.01
# Colours that the colour-blind tell apart (Okabe and Ito); lines that lie on each other differ in width and
# dashes, the widest one lowest.
COLOURS: Final = ("#56b4e9", "#d55e00", "#000000", "#009e73", "#cc79a7", "#0072b2", "#e69f00")
WIDTHS: Final = (3.0, 1.6, 1.0)
DASHES: Final = ("-", "--", "-")
STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "findings",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 9,
    "path.simplify": False,
    "text.color": "black",
    "axes.edgecolor": "black",
    "axes.labelcolor": "black",
    "xtick.color": "black",
    "ytick.color": "black",
}
NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}
# Coordinates are rounded to a hundredth of a point, which is invisible.
LONG: Final = re.compile(r"(?<=\.\d\d)\d+")


def picture(steps: Steps, dtype: str) -> str:
    """Draw the picture of a dtype, as the text of an SVG file.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 8), facecolor="white", layout="constrained")
        panels = figure.subplots(len(MEASURED), 1, sharex=True)
        for output, axes in zip(MEASURED, panels, strict=True):
            _draw(axes, steps, dtype, output)
        panels[0].legend(loc="upper right", ncols=3)
        panels[-1].set_xlabel("z")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=NO_METADATA)
    return LONG.sub("", file.getvalue())


def _draw(axes: Any, steps: Steps, dtype: str, output: str) -> None:
    """Draw one output of all adapters."""
    mine = {key.adapter: each for key, each in steps.items() if key[:2] == (dtype, output)}
    styles = zip(cycle(COLOURS), cycle(WIDTHS), cycle(DASHES), strict=False)
    for (adapter, each), (colour, width, dashes) in zip(mine.items(), styles, strict=False):
        line = list(_line(each, SPANS[dtype]))
        axes.plot(*zip(*line, strict=True), color=colour, linewidth=width, linestyle=dashes, label=adapter)
    axes.axhline(0.5, color="#555555", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_ylim(bottom=LEAST)
    axes.set_xlim(-SPANS[dtype], SPANS[dtype])
    axes.set_ylabel(f"worst error of {NAMES[output]} / ulp")
    axes.grid(color="#dddddd", linewidth=0.6)


def _line(each: Sequence[Step], span: float) -> Iterator[tuple[float, float]]:
    """Yield the corners of the steps, and a NaN where there is a gap."""
    last = -span
    for low, high, value in _visible(each, span):
        if low > last:
            yield last, math.nan
        yield low, value
        yield high, value
        last = high
    yield span, math.nan


def _visible(each: Sequence[Step], span: float) -> Iterator[tuple[float, float, float]]:
    """Yield the steps within the picture; narrow neighbours are merged, with the larger error."""
    held: tuple[float, float, float] | None = None
    for step in each:
        if step.word == NON_FINITE or step.high <= -span or step.low >= span or step.summary.error is None:
            continue
        low, high, value = max(step.low, -span), min(step.high, span), step.summary.error.value
        if held and held[1] == low and high - held[0] <= span / NARROW:
            held = held[0], high, max(held[2], value)
            continue
        if held:
            yield held
        held = low, high, max(value, LEAST)
    if held:
        yield held
