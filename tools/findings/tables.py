"""The tables of the page: rows of texts for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from crosscheck.comparison.table import share_of
from crosscheck.formatting import format_decimal, format_element, format_hex
from crosscheck.judge import OUTPUTS
from crosscheck.ledger import Ledger
from crosscheck.summary import Summary, Worst, merged
from crosscheck.sweep.exhaustive import MEASURED
from tools.findings.steps import (
    NON_FINITE,
    Key,
    Step,
    Steps,
    input_of,
    is_normal,
    place_of,
    together,
)

NAMES: Final = {"y_hat": "ŷ", "loss": "L", "row_loss": "L of a row", "grad": "∂L/∂W"}
HALVES: Final = {0.0: "0", 0.5: "½", 1.0: "1"}
NOTHING: Final = "–"
Table = list[list[str]]


class Region(NamedTuple):
    """Steps that share a row.

    Attributes:
        word: the regime.
        negative: whether z is.
        normal: whether all exact values are normal numbers.
    """

    word: str
    negative: bool
    normal: bool

    @classmethod
    def of(cls, step: Step, key: Key) -> Region:
        """The region of a step."""
        return cls(step.word, step.high <= 0, is_normal(step, key))

    def __str__(self) -> str:
        side = f", z {'<' if self.negative else '>'} 0" if self.word in ("ordinary", "subnormal") else ""
        return f"{self.word}{side}{'' if self.normal else ', below λ'}"


def ulp(value: float) -> str:
    """An error, four digits of it."""
    return f"{value:.4g}"


def count(number: int) -> str:
    """A number of elements; a dash for none."""
    return f"{number:,}" if number else NOTHING


def percent(part: int, of: int) -> str:
    """A share, cut off, so that 100 % are all of them."""
    return f"{math.floor(10000 * part / of) / 100:.2f} %" if of else NOTHING


def at(worst: Worst | None, output: str) -> str:
    """A worst error and the input where it is."""
    if worst is None:
        return NOTHING
    found = input_of(worst)
    label = f", y = {HALVES[found.y]}" if found.format.dtype.itemsize == 2 and output != "y_hat" else ""
    z = (
        f"`{format_hex(found.z)}` ({format_decimal(found.z, found.format)})"
        if math.isfinite(found.z)
        else found.z
    )
    return f"{ulp(worst.value)} at {z}{label}"


def rounded(summary: Summary) -> int:
    """How many errors are below half an ulp, so that the result is the nearest number."""
    return sum(number for name, number in summary.errors.items() if _is_below_half(name))


def _is_below_half(name: str) -> bool:
    """Whether errors in [2^e, 2^(e+1)) are, by the name e of their bin."""
    return name == "zero" or (name != "inf" and int(name) < -1)


def in_all(steps: Steps, dtype: str) -> Table:
    """A row for each output and adapter, all finite values together."""
    return [
        [NAMES[key.output], key.adapter, *_in_all(key, [s for s in mine if s.word != NON_FINITE])]
        for key, mine in steps.items()
        if key.dtype == dtype
    ]


def _in_all(key: Key, finite: Sequence[Step]) -> Iterator[str]:
    normal, every = together(step for step in finite if is_normal(step, key)), together(finite)
    measured = sum(every.errors.values())
    yield at(normal.error, key.output)
    yield percent(rounded(every), measured)
    yield count(every.ties) if key.dtype == "float32" else "not counted"
    yield count(every.lost_to_zero)
    yield count(every.overflow)
    yield count(every.undefined)
    yield percent(every.equal, every.elements)


def by_region(steps: Steps, dtype: str, output: str) -> Table:
    """A row for each region, from the lowest z to the highest, with a column for each adapter."""
    mine = {key.adapter: regions(key, steps[key]) for key in steps if key[:2] == (dtype, output)}
    fullest: dict[Region, list[Step]] = {}
    for found in mine.values():
        for region, each in found.items():
            fullest[region] = max(fullest.get(region, []), each, key=len)
    return [
        [str(region), *_extent(fullest[region])]
        + [at(together(found.get(region, [])).error, output) for found in mine.values()]
        for region in sorted(fullest, key=lambda region: place_of(fullest[region][0]))
    ]


def regions(key: Key, mine: Sequence[Step]) -> dict[Region, list[Step]]:
    """The steps of each region, in their order."""
    found: dict[Region, list[Step]] = {}
    for step in mine:
        found.setdefault(Region.of(step, key), []).append(step)
    return found


def _extent(found: Sequence[Step]) -> tuple[str, str]:
    """From where to where, and how many problems."""
    low, high = found[0].low, found[-1].high
    ends = "±inf, NaN" if math.isnan(low) else f"{low + 0.0:.6g} … {high + 0.0:.6g}"  # no −0
    return ends.replace("-", "−"), f"{sum(step.summary.problems for step in found):,}"


def worst_normal(steps: Steps, key: Key) -> float | None:
    """The worst error of an adapter where exact values are normal numbers."""
    worst = together(step for step in steps[key] if is_normal(step, key)).error
    return worst and worst.value


def outside(steps: Steps, dtype: str) -> tuple[int, int, int]:
    """How many results there are, how many lie outside their sets, how many of those are known."""
    whole = merged(together(mine) for key, mine in steps.items() if key.dtype == dtype)
    return whole.elements, whole.wrong_elements, whole.known_elements


def sampled(sample: Ledger, dtype: str) -> Table:
    """A row for each kind of case, output and adapter of a random sweep."""
    cells = [cell for cell in sample.cells if cell.dtype == dtype and cell.output in OUTPUTS]
    cells.sort(key=lambda cell: (cell.regime, OUTPUTS.index(cell.output)))
    return [
        [regime, NAMES[output], adapter, *_sampled(merged(sample.cells[cell] for cell in group), output)]
        for (regime, output, adapter), group in groupby(
            cells, key=lambda cell: (cell.regime, cell.output, cell.adapter)
        )
        if output in MEASURED
    ]


def _sampled(summary: Summary, output: str) -> Iterator[str]:
    worst = summary.error
    yield f"{summary.problems:,}"
    yield f"{summary.elements - summary.unknown:,}"
    yield ulp(worst.value) if worst else NOTHING
    yield worst.regime if worst else NOTHING
    yield (
        f"`{worst.case}`, problem {worst.place[0]}, {format_element(output, worst.place[1:])}"
        if worst
        else NOTHING
    )
    yield share_of(summary.share)
