"""The cases of contract checks in the plan of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.effort import effort_for
from crosscheck.inputs import Case
from crosscheck.inputs.sources import Shape
from crosscheck.plans.plan import Names

# A small problem, whose calls are many, and a stack of larger ones; the plan has both shapes anyway.
SHAPES: Final[tuple[Shape, ...]] = ((1, 2, 3, 2), (256, 7, 3, 2))
# More rows and networks than libraries treat alike, rows without a stack axis, and two stack axes.
OTHERS: Final[tuple[Shape, ...]] = ((16385, 3, 2), (8193, 1, 3, 1), (3, 5, 2, 3, 2))


def contract_cases(
    dtypes: Sequence[str], seed: int, names: Sequence[str] = (), *, others: bool = True
) -> dict[Case, Names]:
    """Return the cases, each with the names of the adapters that are checked; None for all.

    Args:
        dtypes: the dtypes of the cases.
        seed: the seed of the cases.
        names: the names of the adapters' specs, of which those that pay seconds for a new shape are spared
            `OTHERS`; if there are none, all adapters are checked on all cases.
        others: whether there are cases of the shapes in `OTHERS`.
    """
    cheap = tuple(name for name in names if not effort_for(name).is_costly) if names else None
    chosen: dict[Shape, Names] = dict.fromkeys(SHAPES)
    if others:
        chosen |= dict.fromkeys(OTHERS, cheap)
    return {
        Case("ordinary", seed, shape, dtype=dtype): who for dtype in dtypes for shape, who in chosen.items()
    }
