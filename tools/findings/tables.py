"""The tables of the page, as rows of texts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from crosscheck.formatting import format_decimal, format_element, format_hex
from crosscheck.judge import OUTPUTS
from crosscheck.results.ledger import Ledger
from crosscheck.results.summary import Summary, Worst, merged
from crosscheck.sweep.exhaustive import MEASURED
from crosscheck.terminal.table import share_of
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
    """The steps that share a row.

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
        """Return the region of a step."""
        return cls(step.word, step.high <= 0, is_normal(step, key))

    def __str__(self) -> str:
        side = f", z {'<' if self.negative else '>'} 0" if self.word in ("ordinary", "subnormal") else ""
        return f"{self.word}{side}{'' if self.normal else ', below λ'}"


def ulp(value: float) -> str:
    """Write an error with four digits."""
    return f"{value:.4g}"


def count(number: int) -> str:
    """Write a number of elements, or a dash for none."""
    return f"{number:,}" if number else NOTHING


def percent(part: int, of: int) -> str:
    """Write a share in percent, rounded down, so that 100 % means all."""
    return f"{math.floor(10000 * part / of) / 100:.2f} %" if of else NOTHING


def at(worst: Worst | None, output: str) -> str:
    """Write a worst error and its input."""
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
    """Count the errors below half an ulp, whose results are the nearest numbers."""
    return sum(number for name, number in summary.errors.items() if _is_below_half(name))


def _is_below_half(name: str) -> bool:
    """Return whether the errors of a bin [2^e, 2^(e+1)) with the name e are below half an ulp."""
    return name == "zero" or (name != "inf" and int(name) < -1)


def in_all(steps: Steps, dtype: str) -> Table:
    """Make a row for each output and adapter, with all finite values together."""
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
    """Make a row for each region, from the lowest z to the highest, with a column for each adapter."""
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
    """Group the steps by region, in order."""
    found: dict[Region, list[Step]] = {}
    for step in mine:
        found.setdefault(Region.of(step, key), []).append(step)
    return found


def _extent(found: Sequence[Step]) -> tuple[str, str]:
    """Return the range of z of some steps, and their number of problems."""
    low, high = found[0].low, found[-1].high
    ends = "±inf, NaN" if math.isnan(low) else f"{low + 0.0:.6g} … {high + 0.0:.6g}"  # + 0 turns −0 into 0
    return ends.replace("-", "−"), f"{sum(step.summary.problems for step in found):,}"


def worst_normal(steps: Steps, key: Key) -> float | None:
    """Return the worst error of an adapter where exact values are normal numbers."""
    worst = together(step for step in steps[key] if is_normal(step, key)).error
    return None if worst is None else worst.value


def outside(steps: Steps, dtype: str) -> tuple[int, int, int]:
    """Count the results, those outside their sets, and those of these that known differences cover."""
    whole = merged(together(mine) for key, mine in steps.items() if key.dtype == dtype)
    return whole.elements, whole.wrong_elements, whole.known_elements


def sampled(sample: Ledger, dtype: str) -> Table:
    """Make a row for each kind of case, output and adapter of a random sweep."""
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
