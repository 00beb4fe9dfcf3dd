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
PlannedRegimes = Mapping[tuple[str, str, str], frozenset[str]]


def planned_regimes(items: Iterable[Item], label: Callable[[str], str]) -> PlannedRegimes:
    """The regimes of the items' cases, by label of the mode, dtype and class of shapes."""
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


def reason_for_gap(
    mode: Mode | None, gap: Gap, this_plan: Collection[str], thorough_plan: Collection[str]
) -> str | None:
    """The reason why a plan has no case of the gap's regime; None if it has one, or there is no reason.

    Args:
        mode: the mode; None for the combinations of a framework.
        gap: where the mode was not judged.
        this_plan: the regimes of the cases that the plan has there.
        thorough_plan: the regimes of the cases that the thorough plan has there.
    """
    if _has(this_plan, gap.regime):
        return None
    if gap.shapes in LARGE and gap.dtype not in LARGE_DTYPES:
        return LARGE_ONLY
    if mode is None:
        return ONE_EACH
    if _has(thorough_plan, gap.regime):
        return HAZARD if mode.is_hazard and gap.shapes in LARGE else BY_TURNS
    return NO_STACK if gap.shapes == "stacks" and mode["derivative"] == "module" else None
