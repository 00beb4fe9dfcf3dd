"""The core plan of a comparison: its cases and their order.

A cell of the plan is an adapter, a dtype and a regime, and gets at least the stated number of problems.
The cases come in rounds of one case of every shape, small stacks first, so that a failure is first found
where it is easiest to read, and an interrupted run has covered part of everything. Round r has the run's seed
plus r.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from crosscheck.cases import SHAPES_ELEMENTWISE, SHAPES_STACKED, Case
from crosscheck.plans.plan import PlannedCase
from crosscheck.plans.shapes import shape_class
from crosscheck.regimes import REGIMES
from reference.formats import FORMATS

SHAPES = (*SHAPES_ELEMENTWISE, *sorted(SHAPES_STACKED))
# How many problems a round has, with one case of every shape.
ROUND = sum(shape[0] for shape in SHAPES)
# Two rounds take at most 30 s on two cores once everything is compiled: a round of all adapters takes 9 s.
PROBLEMS = 2 * ROUND
# The shape of contract checks: several rows, inputs and outputs, and a shape that the plan contains anyway.
CONTRACT_SHAPE = (256, 7, 3, 2)


@dataclass(frozen=True)
class CorePlan:
    """The cases of one run, the same for all adapters.

    Attributes:
        dtypes: the dtypes of the cases, in this order.
        regimes: the regimes of the cases, in this order.
        problems: the least number of problems in each cell.
        seed: the seed of the first round.
    """

    dtypes: tuple[str, ...] = tuple(FORMATS)
    regimes: tuple[str, ...] = tuple(REGIMES)
    problems: int = PROBLEMS
    seed: int = 0

    @property
    def visits(self) -> list[tuple[int, tuple[int, ...]]]:
        """Seed and shape of the cases of each cell: the fewest whole cases with enough problems."""
        found: list[tuple[int, tuple[int, ...]]] = []
        rounds, rest = divmod(self.problems, ROUND)
        for r in range(rounds):
            found += [(self.seed + r, shape) for shape in SHAPES]
        for shape in SHAPES:
            if rest > 0:
                found.append((self.seed + rounds, shape))
                rest -= shape[0]
        return found

    @property
    def per_cell(self) -> int:
        """How many problems a cell gets if every shape can contain its regime."""
        return sum(shape[0] for _, shape in self.visits)

    @property
    def title(self) -> str:
        """One line on what is compared."""
        return f"Problems for each adapter, dtype and regime: {self.per_cell:,}"

    @property
    def is_whole(self) -> bool:
        """Whether the plan contains every regime and every shape."""
        return set(self.regimes) >= set(REGIMES) and self.problems >= ROUND

    @property
    def is_exhaustive(self) -> bool:
        """False, since the plan has few shapes, and only the core adapters."""
        return False

    def __len__(self) -> int:
        hosted = sum(not _unsupported(regime, shape) for regime in self.regimes for _, shape in self.visits)
        return len(self.dtypes) * hosted

    def __iter__(self) -> Iterator[Case]:
        seeds: dict[int, list[tuple[int, ...]]] = {}
        for seed, shape in self.visits:
            seeds.setdefault(seed, []).append(shape)
        for seed, shapes in seeds.items():
            for dtype, regime, shape in product(self.dtypes, self.regimes, shapes):
                if not _unsupported(regime, shape):
                    yield Case(regime, seed, shape, dtype=dtype)

    def planned_cases(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield every case, with all adapters."""
        return (PlannedCase(case, tuple(names)) for case in self)

    def contract(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield an ordinary case of each dtype, with all adapters."""
        for dtype in self.dtypes:
            yield PlannedCase(Case("ordinary", self.seed, CONTRACT_SHAPE, dtype=dtype), tuple(names))

    def label(self, name: str) -> str:
        """Return the name, since every adapter has a row of its own."""
        return name

    def classes(self, name: str) -> tuple[str, ...]:
        """Return the classes of the plan's shapes."""
        del name
        return tuple(dict.fromkeys(shape_class(shape) for _, shape in self.visits))

    def reason_not_planned(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """As `Plan.reason_not_planned`: the only reason is that ``--regime`` excludes the regime."""
        del name, dtype, shapes
        return None if regime in self.regimes else "left out by --regime"

    def reason_not_hit(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """As `Plan.reason_not_hit`: with less than a round of problems, all of them may miss the regime."""
        del name, dtype, shapes, regime
        return None if self.problems >= ROUND else "missed by the few problems that --problems asks for"

    @property
    def unsupported(self) -> list[str]:
        """The regimes that a shape of the plan cannot contain, with the reasons."""
        shapes = dict.fromkeys(shape for _, shape in self.visits)
        return [
            f"{regime} at {'x'.join(map(str, shape))}: {reason}"
            for regime, shape in product(self.regimes, shapes)
            if (reason := _unsupported(regime, shape))
        ]


def _unsupported(regime: str, shape: Sequence[int]) -> str | None:
    # a shape that can contain the regime in one dtype can contain it in every dtype
    return REGIMES[regime].unsupported(tuple(shape), FORMATS["float32"])
