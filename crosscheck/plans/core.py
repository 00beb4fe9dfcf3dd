"""The core plan of a comparison: its cases and their order.

A cell of the plan is an adapter, a dtype and a regime, and gets at least the stated number of problems.
The cases come in rounds of one case of every shape, small stacks first, so that a failure is first found
where it is easiest to read, and an interrupted run has covered part of everything. Round r has the run's seed
plus r.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from crosscheck.inputs import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import Shape
from crosscheck.plans.contract import contract_cases
from crosscheck.plans.plan import Plan
from crosscheck.plans.shapes import shape_class
from reference.formats import FORMATS

SHAPES: Final = (*SHAPES_ELEMENTWISE, *sorted(SHAPES_STACKED))
# How many problems a round has, with one case of every shape.
ROUND: Final = sum(shape[0] for shape in SHAPES)
# Two rounds take at most 30 s on two cores once everything is compiled: a round of all adapters takes 9 s.
PROBLEMS: Final = 2 * ROUND


def rounds(problems: int) -> Iterator[tuple[Shape, ...]]:
    """Yield the shapes of each round: the fewest whole cases that have at least `problems` problems."""
    whole, rest = divmod(problems, ROUND)
    for _ in range(whole):
        yield SHAPES
    last: list[Shape] = []
    for shape in SHAPES:
        if rest > 0:
            last.append(shape)
            rest -= shape[0]
    if last:
        yield tuple(last)


def core_cases(
    dtypes: Sequence[str], regimes: Sequence[str], problems: int = PROBLEMS, seed: int = 0
) -> Iterator[Case]:
    """Yield the cases of the plan in order.

    Args:
        dtypes: the dtypes of the cases, in this order.
        regimes: the regimes of the cases, in this order.
        problems: the least number of problems in each cell.
        seed: the seed of the first round.
    """
    for number, shapes in enumerate(rounds(problems)):
        for dtype, regime, shape in product(dtypes, regimes, shapes):
            if not _unsupported(regime, shape):
                yield Case(regime, seed + number, shape, dtype=dtype)


def problems_per_cell(problems: int) -> int:
    """Return the number of problems of a cell, at least `problems`, if every shape can host its regime."""
    return sum(shape[0] for shapes in rounds(problems) for shape in shapes)


def core_plan(
    dtypes: tuple[str, ...] = tuple(FORMATS),
    regimes: tuple[str, ...] = tuple(REGIMES),
    problems: int = PROBLEMS,
    seed: int = 0,
    names: Sequence[str] = (),
) -> Plan:
    """Return the plan with these cases for all adapters of the run.

    Args:
        dtypes: the dtypes of the cases.
        regimes: the regimes of the cases.
        problems: the least number of problems in each cell.
        seed: the seed of the first round.
        names: the names of the adapters' specs, some of which are spared some checks of the contract.
    """
    shapes = tuple(dict.fromkeys(shape for each in rounds(problems) for shape in each))
    too_few = None if problems >= ROUND else "missed by the few problems that --problems asks for"
    return Plan(
        title=f"Problems for each adapter, dtype and regime: {problems_per_cell(problems):,}",
        seed=seed,
        dtypes=dtypes,
        cases=dict.fromkeys(core_cases(dtypes, regimes, problems, seed)),
        contract=contract_cases(dtypes, seed, names, others=problems >= ROUND),
        classes=tuple(dict.fromkeys(map(shape_class, shapes))),
        reason_not_planned=lambda gap: None if gap.regime in regimes else "left out by --regime",
        reason_not_hit=lambda _: too_few,  # all of the few problems may miss a regime
        is_whole=set(regimes) >= set(REGIMES) and problems >= ROUND,
        unsupported=tuple(
            f"{regime} at {'x'.join(map(str, shape))}: {reason}"
            for regime, shape in product(regimes, shapes)
            if (reason := _unsupported(regime, shape))
        ),
    )


def _unsupported(regime: str, shape: Shape) -> str | None:
    # a shape that can contain the regime in one dtype can contain it in every dtype
    return REGIMES[regime].unsupported(shape, FORMATS["float32"])
