"""The plan of a comparison: a round of every regime at the shapes of the suite, and the covering cases.

A cell of the round is an adapter, a dtype and a regime, and gets at least the stated number of problems. The
cases come in rounds of one case of every shape, small stacks first, so that a failure is first found where it
is easiest to read, and an interrupted run has covered part of everything. Round r has the run's seed plus r.

The covering cases follow (`crosscheck.plans.covering`). NumPy, eager PyTorch and adapters from outside take
all of them. Compiled JAX, which needs a program for each shape, takes each shape in one dtype; an
adapter of the suite that pays about a second for a new shape takes every thirty-second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Final

from adapters import is_ours
from adapters.effort import is_costly, is_slow
from adapters.modes import parse
from crosscheck.inputs import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case
from crosscheck.inputs.regimes import REGIMES, regime_counts
from crosscheck.inputs.sources import Shape
from crosscheck.plans.contract import contract_cases
from crosscheck.plans.covering import LENGTHS, MIXED, covering_cases, numbers
from crosscheck.plans.covering import SHAPES as COVERING_SHAPES
from crosscheck.plans.items import Item, is_cheap
from crosscheck.plans.plan import Gap, Names, Plan, without_interpreter
from crosscheck.plans.shapes import MOST_DIRECTIONS, shape_class
from reference.formats import FORMATS

SHAPES: Final = (*SHAPES_ELEMENTWISE, *sorted(SHAPES_STACKED))
# How many problems a round has, with one case of every shape.
ROUND: Final = sum(shape[0] for shape in SHAPES)
# A round and the covering cases take at most 30 s on two cores once everything is compiled.
PROBLEMS: Final = ROUND
# Of so many shapes of the covering cases an adapter takes one: compiled JAX, and what costs more (`_turns`).
PROGRAM: Final = 4
COSTLY: Final = 32
# The reasons for gaps of the covering cases.
BY_TURNS: Final = "by turns: each shape has a few of the regimes in each dtype; --thorough takes all"
FEWER: Final = "by turns: a new shape costs this adapter a program or many calls, so that it takes fewer"
MISSED: Final = "by turns: the elements there miss it by chance; --thorough takes all shapes, which have it"


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
    """Yield the cases of the rounds in order.

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


def core_plan(  # noqa: PLR0913, each is a choice of its own
    dtypes: tuple[str, ...] = tuple(FORMATS),
    regimes: tuple[str, ...] = tuple(REGIMES),
    problems: int = PROBLEMS,
    seed: int = 0,
    names: Sequence[str] = (),
    *,
    thorough: bool = False,
) -> Plan:
    """Return the plan of a comparison.

    Args:
        dtypes: the dtypes of the cases, in this order.
        regimes: the regimes of the cases, in this order.
        problems: the least number of problems in each cell; with fewer than a round has, the plan has no
            covering cases.
        seed: the seed of the first round, and of the covering cases.
        names: the names of the adapters' specs, of which some take turns; if there are none, all take all.
        thorough: whether the covering cases have every shape with every regime, for all adapters.
    """
    is_few = problems < ROUND
    covering = () if is_few else covering_cases(dtypes, regimes, seed, thorough=thorough)
    in_rounds = dict.fromkeys(core_cases(dtypes, regimes, problems, seed))
    found: dict[Case, Names] = dict.fromkeys((*in_rounds, *covering))
    found |= {} if thorough else _by_turns(covering, names)
    more = f", and {len(covering):,} cases of other sizes, layouts and values" if covering else ""
    too_few = "missed by the few problems that --problems asks for"

    @cache
    def planned() -> frozenset[tuple[str | None, Gap]]:
        return planned_cells(found)

    def reason_not_planned(gap: Gap) -> str | None:
        if gap.regime not in regimes:
            return "left out by --regime"
        return None if is_planned(gap, planned()) or not covering else reason_by_turns(gap)

    return Plan(
        title=f"Problems for each adapter, dtype and regime: {problems_per_cell(problems):,}{more}",
        seed=seed,
        dtypes=dtypes,
        cases=found,
        contract=contract_cases(dtypes, seed, names, others=not is_few),
        classes=tuple(dict.fromkeys(shape_class(case.shape) for case in found)),
        reason_not_planned=reason_not_planned,
        # all of the few problems may miss a regime
        reason_not_hit=lambda gap: too_few if is_few else reason_not_hit(gap),
        is_whole=set(regimes) >= set(REGIMES) and not is_few,
        measured=in_rounds.keys(),
        unsupported=tuple(
            f"{regime} at {'x'.join(map(str, shape))}: {reason}"
            for regime, shape in product(regimes, SHAPES if not is_few else next(rounds(problems)))
            if (reason := _unsupported(regime, shape))
        ),
    )


def outside_items(names: Iterable[str], dtypes: Sequence[str], *, thorough: bool = False) -> Iterator[Item]:
    """Yield the cases of `core_plan` for adapters from outside: an item for each adapter and dtype."""
    for name, dtype in product(names, dtypes):
        cases = (*core_cases((dtype,), tuple(REGIMES)), *covering_cases((dtype,), thorough=thorough))
        yield Item(name, dtype, tuple(dict.fromkeys(cases)))


def _turns(name: str) -> int:
    """Return of how many shapes an adapter takes one."""
    if not is_ours(name) or is_cheap(mode := parse(without_interpreter(name))):
        return 1
    return COSTLY if is_costly(mode) or is_slow(mode) else PROGRAM


def _takes(name: str, case: Case, place: int) -> bool:
    """Whether an adapter evaluates a covering case, whose shape is at this place of the list."""
    turns, (n, p) = _turns(name), case.shape[-2:]
    if (place + 5 * tuple(FORMATS).index(case.dtype) + 1) % turns or (
        turns == COSTLY and case.shape in LENGTHS
    ):
        return False
    if turns != COSTLY or not is_slow(parse(without_interpreter(name))):
        return True
    return numbers(case.shape) < 2**12 and n * p <= MOST_DIRECTIONS


def _by_turns(cases: Sequence[Case], names: Sequence[str]) -> dict[Case, Names]:
    """Return the adapters that evaluate each covering case."""
    places = {shape: place for place, shape in enumerate(COVERING_SHAPES)}
    return {
        case: tuple(name for name in names if _takes(name, case, places.get(case.shape, 0)))
        for case in (cases if names else ())
    }


def planned_cells(cases: Mapping[Case, Names]) -> frozenset[tuple[str | None, Gap]]:
    """Return the cells of the coverage that have a case, each with an adapter's name or None for all."""
    return frozenset(
        (name, Gap("", case.dtype, shape_class(case.shape), case.regime))
        for case, names in cases.items()
        for name in ((None,) if names is None else names)
    )


def is_planned(gap: Gap, cells: frozenset[tuple[str | None, Gap]]) -> bool:
    """Whether the plan has a case of the gap's regime, or of every regime, for the gap's adapter."""
    there = (gap._replace(name="", regime=regime) for regime in (gap.regime, MIXED))
    return any((name, cell) in cells for cell in there for name in (None, gap.name))


@cache
def _thorough_cells(dtype: str) -> frozenset[tuple[str | None, Gap]]:
    return planned_cells(dict.fromkeys(covering_cases((dtype,), thorough=True)))


def reason_by_turns(gap: Gap) -> str | None:
    """Return why the plan has no case for a gap, if the thorough plan has one; None otherwise."""
    if not is_planned(gap, _thorough_cells(gap.dtype)):
        return None
    return FEWER if _turns(gap.name) > 1 else BY_TURNS


def reason_not_hit(gap: Gap) -> str | None:
    """Return `MISSED` if the round has no shape of this class and thorough cases hit the gap's regime."""
    if gap.shapes in map(shape_class, SHAPES):
        return None
    cases = covering_cases((gap.dtype,), thorough=True)
    aimed = (c for c in cases if shape_class(c.shape) == gap.shapes and c.regime in (gap.regime, MIXED))
    return MISSED if any(regime_counts(c.problem(), c.format)[gap.regime] for c in aimed) else None


def _unsupported(regime: str, shape: Shape) -> str | None:
    # a shape that can contain the regime in one dtype can contain it in every dtype
    return REGIMES[regime].unsupported(shape, FORMATS["float32"])
