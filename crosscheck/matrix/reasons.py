"""Why the plan of the matrix has no case for a mode in a dtype, at a class of shapes, in a regime."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from adapters.modes import Mode
from crosscheck.matrix.plan import LARGE_DTYPES, Item
from crosscheck.matrix.shapes import LARGE, shape_class

BY_TURNS: Final = "by turns: a new shape costs this mode a program or many calls; --thorough takes all"
HAZARD: Final = "a hazard takes large shapes with --thorough only"
LARGE_ONLY: Final = "large shapes are float64's and float32's"
NO_STACK: Final = "torch.nn.Linear has no stack axis"
MISSED: Final = "by turns: the elements there miss it by chance; --thorough takes all shapes, which have it"
ONE_EACH: Final = "a combination has one case: all regimes in one stack, or an ordinary one at a threshold"

# The regimes of the cases of each mode, or group of modes, in each dtype at each class of shapes.
Given = Mapping[tuple[str, str, str], frozenset[str]]


def given(items: Iterable[Item], label: Callable[[str], str]) -> Given:
    """What the items give to the modes, those of one label together."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for item in items:
        for case in item.cases:
            cell = label(item.mode), item.dtype, shape_class(case.shape)
            found.setdefault(cell, set()).add(case.regime)
    return {cell: frozenset(regimes) for cell, regimes in found.items()}


def _has(regimes: Collection[str], regime: str) -> bool:
    return regime in regimes or "mixed" in regimes


class Gap(NamedTuple):
    """Where a mode was not judged.

    Attributes:
        dtype: a key of `FORMATS`.
        shapes: a class of shapes.
        regime: a key of `REGIMES`.
    """

    dtype: str
    shapes: str
    regime: str


def why_not(mode: Mode | None, gap: Gap, now: Collection[str], ever: Collection[str]) -> str | None:
    """Why no case there is of the regime; None if one is, or there is no reason.

    Args:
        mode: the mode; None for the combinations of a framework.
        gap: where.
        now: the regimes of the cases that the plan has there.
        ever: the same of the thorough plan.
    """
    if _has(now, gap.regime):
        return None
    if gap.shapes in LARGE and gap.dtype not in LARGE_DTYPES:
        return LARGE_ONLY
    if mode is None:
        return ONE_EACH
    if _has(ever, gap.regime):
        return HAZARD if mode.is_hazard and gap.shapes in LARGE else BY_TURNS
    return NO_STACK if gap.shapes == "stacks" and mode["derivative"] == "module" else None
