"""The pictures of the page, as SVG files that are readable on light and on dark pages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from cycler import cycler
from figures import Figure, Run
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator
from tables import MEGABYTE, WHO

# Colours that the colour-blind tell apart (Okabe and Ito).
COLOURS: Final = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7", "#d55e00", "#000000")
STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "benchmarks",
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 9,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}
# What nobody sees: less than a hundredth of a point, comments, indentation.
UNSEEN: Final = re.compile(r"(?<=\.\d\d)\d+|<!--.*?-->|(?<=\n)\s+")


def rates(run: Run, canvas: Canvas) -> None:
    """Problems a second on a logarithmic scale."""
    axes = canvas.subplots()
    figures = run.kind("rates")[::-1]
    names = list(WHO)
    for place, figure in enumerate(figures):
        facts = figure.facts
        axes.barh(place, figure.rate, color=COLOURS[names.index(facts["who"])])
        axes.text(figure.rate * 1.15, place, f"{figure.rate:,.0f}", va="center")
    labels = [f"{f.facts['who']}, {f.facts['size']}, {f.facts['dtype']}" for f in figures]
    axes.set_yticks(range(len(figures)), labels)
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xlim(10, 10 * max(figure.rate for figure in figures))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("problems a second, in one process")


def split(run: Run, canvas: Canvas) -> None:
    """Every part in multiples of the time inside the frameworks."""
    axes = canvas.subplots()
    figures = run.kind("split")[::-1]
    starts = [0.0] * len(figures)
    for group in figures[0].groups:
        sizes = [figure.groups[group] / figure.groups["frameworks"] for figure in figures]
        axes.barh(range(len(figures)), sizes, left=starts, label=group)
        starts = [start + size for start, size in zip(starts, sizes, strict=True)]
    labels = [f"{len(f.adapters)} adapters, {f.facts['size']}, {f.facts['dtype']}" for f in figures]
    axes.set_yticks(range(len(figures)), labels)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("time ÷ time inside the frameworks' own evaluation")
    canvas.legend(loc="outside upper center", ncols=5)


def growth(run: Run, canvas: Canvas) -> None:
    """Nanoseconds a problem against what grows."""
    panels = canvas.subplots(2, 3).ravel()
    names = list(dict.fromkeys(figure.facts["axis"] for figure in run.kind("growth")))
    for name, axes in zip(names, panels, strict=True):
        for label, points in _lines(run.kind("growth", axis=name)):
            axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=label)
        if name not in ("adapters", "workers"):
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.minorticks_off()
        else:
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(name)
        axes.legend()
    panels[0].set_ylabel("ns a problem")
    panels[3].set_ylabel("ns a problem")


def _lines(figures: Sequence[Figure]) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """The lines of a panel: the whole and what the frameworks have of it, or one for each dtype."""
    for dtype in dict.fromkeys(figure.facts["dtype"] for figure in figures):
        mine = [figure for figure in figures if figure.facts["dtype"] == dtype]
        label = "whole" if mine[0].is_clocked else dtype
        yield label, [(figure.facts["value"], 1e9 / figure.rate) for figure in mine]
        if mine[0].is_clocked:
            yield "frameworks", [(figure.facts["value"], figure.groups["frameworks"]) for figure in mine]


def memory(run: Run, canvas: Canvas) -> None:
    """What a process holds against the shards that it computed."""
    axes = canvas.subplots()
    for figure in run.kind("memory"):
        held = figure.rounds[0]["held"]
        for key, label in (("held", "now"), ("peak", "at most")):
            points = ((one["shards"], one[key] / MEGABYTE) for one in held)
            axes.plot(*zip(*points, strict=True), marker="o", label=label)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("shards")
    axes.set_ylabel("MB of the process")
    axes.legend(loc="center right")


PICTURES: Final[Mapping[str, tuple[Callable[[Run, Canvas], None], tuple[float, float]]]] = {
    "rates": (rates, (8, 4.5)),
    "split": (split, (8, 5)),
    "growth": (growth, (9, 5.5)),
    "memory": (memory, (6, 3)),
}


def draw(run: Run, folder: Path) -> None:
    """Write the pictures of what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = [(name, *how) for name, how in PICTURES.items() if run.kind(name)]
    for name, paint, size in measured:
        with mpl.rc_context(STYLE):
            canvas, file = Canvas(figsize=size, facecolor="white", layout="constrained"), io.StringIO()
            paint(run, canvas)
            canvas.savefig(file, format="svg", metadata=NO_METADATA)
        (folder / f"{name}.svg").write_text(UNSEEN.sub("", file.getvalue()), "utf-8")
