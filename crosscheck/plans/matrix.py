"""The matrix as the plan of a comparison: each case once, with all its modes; and the reasons for gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from adapters import NAMED, AdapterError, Spec, select
from adapters.modes import Mode, parse
from crosscheck.cases import Case
from crosscheck.plans.combinations import all_combinations
from crosscheck.plans.items import LARGE_DTYPES, Item, combined_items, named_items
from crosscheck.plans.plan import PlannedCase
from crosscheck.plans.shapes import CLASSES, LARGE, MIXED, shape_class
from crosscheck.regimes import regime_counts
from reference.formats import FORMATS

# The shape of contract checks: several rows, inputs, outputs; few problems, for modes with a call for each.
CONTRACT_SHAPE: Final = MIXED
# The reasons why a plan has no case for a mode in a dtype, at a class of shapes, in a regime.
BY_TURNS: Final = "by turns: a new shape costs this mode a program or many calls; --thorough takes all"
HAZARD: Final = "a hazard takes large shapes with --thorough only"
LARGE_ONLY: Final = "large shapes are float64's and float32's"
NO_STACK: Final = "torch.nn.Linear has no stack axis"
MISSED: Final = "by turns: the elements there miss it by chance; --thorough takes all shapes, which have it"
ONE_EACH: Final = "a combination has one case: all regimes in one stack, or an ordinary one at a threshold"

# The regimes of the cases of each mode, or group of modes, in each dtype at each class of shapes.
PlannedRegimes = Mapping[tuple[str, str, str], frozenset[str]]


@dataclass(frozen=True)
class MatrixPlan:
    """The cases of the matrix, small ones first.

    Attributes:
        named: the modes with names, which get every class of shapes, and the adapters from outside.
        combined: the other combinations of factors, each with a few cases.
        dtypes: the dtypes of the cases.
        thorough: whether every mode takes every shape.
        seed: the seed of all cases.
    """

    named: tuple[str, ...] = NAMED
    combined: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = tuple(FORMATS)
    thorough: bool = False
    seed: int = 0

    @classmethod
    def of(cls, specs: Sequence[Spec], dtypes: tuple[str, ...], *, thorough: bool = False) -> MatrixPlan:
        """Make the plan for these adapters; a combination that has a name counts as the mode of that name."""
        combinations = {name for name, _ in all_combinations()}
        combined = [spec.name for spec in specs if spec.name in combinations and spec.name not in NAMED]
        named = [spec.name for spec in specs if spec.name not in combined]
        return cls(tuple(named), tuple(combined), dtypes, thorough)

    def _items(self, *, thorough: bool) -> Iterator[Item]:
        names = {*self.named, *self.combined}
        items = (*named_items(self.named, thorough=thorough), *combined_items(names, thorough=thorough))
        return (item for item in items if item.dtype in self.dtypes)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Each mode in each dtype, with its cases."""
        return tuple(self._items(thorough=self.thorough))

    @cached_property
    def _by_case(self) -> dict[Case, list[str]]:
        found: dict[Case, list[str]] = {}
        for item in self.items:
            for case in item.cases:
                found.setdefault(case, []).append(item.mode)
        return dict(sorted(found.items(), key=lambda pair: _numbers(pair[0])))

    @property
    def title(self) -> str:
        """The number of modes, combinations, cases and calls, in one line."""
        pairs = sum(map(len, self._by_case.values()))
        modes = f"{len(self.named)} modes and {len(self.combined)} combinations of factors"
        return f"The matrix: {modes}, {len(self):,} cases, {pairs:,} calls"

    @property
    def is_whole(self) -> bool:
        """Whether the plan has every mode, combination and dtype."""
        every = {*NAMED, *(name for name, _ in all_combinations())}
        return every <= {*self.named, *self.combined} and set(self.dtypes) >= set(FORMATS)

    @property
    def is_exhaustive(self) -> bool:
        """Whether the matrix is whole."""
        return self.is_whole

    @property
    def unsupported(self) -> list[str]:
        """An empty list: the coverage has the reasons."""
        return []

    def __len__(self) -> int:
        return len(self._by_case)

    def planned_cases(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield each case once, with the modes that evaluate it."""
        there = set(names)
        for case, modes in self._by_case.items():
            yield PlannedCase(case, tuple(name for name in dict.fromkeys(modes) if name in there))

    def contract(self, names: Sequence[str]) -> Iterator[PlannedCase]:
        """Yield an ordinary case of each dtype, with the modes with names and the adapters from outside."""
        there = tuple(name for name in self.named if name in names)
        for dtype in self.dtypes:
            yield PlannedCase(Case("ordinary", self.seed, CONTRACT_SHAPE, dtype=dtype), there)

    @cached_property
    def _counts(self) -> dict[str, int]:
        frameworks = [parse(name).framework for name in self.combined]
        return {framework: frameworks.count(framework) for framework in dict.fromkeys(frameworks)}

    @cached_property
    def _labels(self) -> dict[str, str]:
        def label_of(framework: str) -> str:
            count = self._counts[framework]
            return f"{framework}: {count} combination{'s' * (count != 1)}"

        return {name: label_of(parse(name).framework) for name in self.combined}

    def label(self, name: str) -> str:
        """Return the adapter's name; for combinations, one label per framework, so that they share a row."""
        return self._labels.get(name, name)

    def classes(self, name: str) -> tuple[str, ...]:
        """Return all classes of shapes."""
        del name
        return tuple(CLASSES)

    @cached_property
    def _regimes(self) -> tuple[PlannedRegimes, PlannedRegimes]:
        return planned_regimes(self.items, self.label), planned_regimes(
            self._items(thorough=True), self.label
        )

    def reason_not_planned(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """As `Plan.reason_not_planned`: other modes or dtypes take the case, or the matrix excludes it."""
        cell = self.label(name), dtype, shapes
        this_plan, thorough_plan = (there.get(cell, frozenset()) for there in self._regimes)
        return reason_for_gap(self._mode(name), Gap(dtype, shapes, regime), this_plan, thorough_plan)

    def reason_not_hit(self, name: str, dtype: str, shapes: str, regime: str) -> str | None:
        """As `Plan.reason_not_hit`: the few elements miss a regime that the thorough plan's cases have."""
        every = named_items([name] if name in self.named else [], thorough=True)
        cases = (case for item in every if item.dtype == dtype for case in item.cases)
        aimed = (c for c in cases if shape_class(c.shape) == shapes and c.regime in (regime, "mixed"))
        return MISSED if any(regime_counts(c.problem(), c.format)[regime] for c in aimed) else None

    def _mode(self, name: str) -> Mode | None:
        if name in self._labels:
            return None
        return parse(name if name in NAMED else "jax-jit")


def _numbers(case: Case) -> int:
    """Return how many products the case has."""
    return math.prod(case.shape)


def selected(only: Sequence[str], outside: Sequence[str], dtypes: Sequence[str]) -> list[Spec]:
    """Select the modes with names and the combinations that `only` lists, and the adapters from outside.

    Raises:
        AdapterError: as `adapters.select`; or no selected adapter has a case in these dtypes.
    """
    dtypes_of: dict[str, set[str]] = {}
    for name, dtype in all_combinations():
        dtypes_of.setdefault(name, set()).add(dtype)
    specs = select(only, outside, tuple(dict.fromkeys([*NAMED, *dtypes_of])))
    found = [
        spec
        for spec in specs
        if spec.name in NAMED or not dtypes_of.get(spec.name, set(dtypes)).isdisjoint(dtypes)
    ]
    if not found:
        raise AdapterError(f"the combinations that --only names have no case in {', '.join(dtypes)}")
    return found


def planned_regimes(items: Iterable[Item], label: Callable[[str], str]) -> PlannedRegimes:
    """Return the regimes of the items' cases, by label of the mode, dtype and class of shapes."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for item in items:
        for case in item.cases:
            cell = label(item.mode), item.dtype, shape_class(case.shape)
            found.setdefault(cell, set()).add(case.regime)
    return {cell: frozenset(regimes) for cell, regimes in found.items()}


def _has(regimes: Collection[str], regime: str) -> bool:
    return regime in regimes or "mixed" in regimes


class Gap(NamedTuple):
    """A dtype, class of shapes and regime in which a mode was not judged.

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
    """Return the reason why a plan has no case of the gap's regime; None if it has one, or none is known.

    Args:
        mode: the mode; None for the combinations of a framework.
        gap: the dtype, class of shapes and regime.
        this_plan: the regimes of the cases that the plan has in that dtype and class.
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
