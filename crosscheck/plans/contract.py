"""The cases of contract checks in the plan of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters import is_ours
from adapters.effort import effort_for
from crosscheck.inputs import Case
from crosscheck.inputs.sources import Shape
from crosscheck.plans.plan import Names
from reference.formats import FORMATS

# A small problem, whose calls are many, and a stack of larger ones; the plan has both shapes anyway.
SHAPES: Final[tuple[Shape, ...]] = ((1, 2, 3, 2), (256, 7, 3, 2))
# More rows and networks than libraries treat alike, rows without a stack axis, and two stack axes.
OTHERS: Final[tuple[Shape, ...]] = ((16385, 3, 2), (8193, 1, 3, 1), (3, 5, 2, 3, 2))
# For adapters from outside: few enough rows of one scale that the loss shows a wrong one, and a ŷ of more
# than 2^17 bytes in every dtype, for which memory may come from elsewhere.
FOR_OUTSIDE: Final[dict[Shape, str]] = {(64, 3, 2): "one_scale_ordinary", (65537, 1, 2): "ordinary"}


def contract_cases(
    dtypes: Sequence[str], seed: int, names: Sequence[str] = (), *, others: bool = True
) -> dict[Case, Names]:
    """Return the cases, each with the names of the adapters that are checked; None for all.

    Args:
        dtypes: the dtypes of the cases.
        seed: the seed of the cases.
        names: the names of the adapters' specs. Of the suite's own, those that pay seconds for a new shape
            get no shape of `OTHERS`, and the others each in one of four dtypes. Without names all get all.
        others: whether there are cases of the shapes in `OTHERS`.
    """
    cases: dict[Case, Names] = {}
    for dtype in dtypes:
        turn = tuple(FORMATS).index(dtype)
        cases |= dict.fromkeys((Case("ordinary", seed, shape, dtype=dtype) for shape in SHAPES), None)
        for place, shape in enumerate(OTHERS if others else ()):
            who = tuple(name for name in names if _takes(name, (turn + place) % 4)) if names else None
            cases[Case("ordinary", seed, shape, dtype=dtype)] = who
        outside = tuple(name for name in names if not is_ours(name))
        for shape, source in FOR_OUTSIDE.items() if others and (outside or not names) else ():
            cases[Case(source, seed, shape, dtype=dtype)] = outside or None
    return cases


def _takes(name: str, turn: int) -> bool:
    """Whether an adapter is checked at another shape: one from outside always, the suite's own by turns."""
    return not is_ours(name) or (turn == 0 and effort_for(name).other_shapes)
