"""The matrix as the plan of a comparison: each case once, with all its modes; and the reasons for gaps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from adapters import NAMED, AdapterError, Spec, select
from adapters.modes import FORWARD_MODES, Mode, parse
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import regime_counts
from crosscheck.plans import core
from crosscheck.plans.combinations import all_combinations
from crosscheck.plans.contract import contract_cases
from crosscheck.plans.core import outside_items
from crosscheck.plans.items import Item, combined_items, named_items
from crosscheck.plans.plan import Gap, Names, Plan
from crosscheck.plans.shapes import CLASSES, LARGE, LARGE_DTYPES, MIXED, shape_class
from reference.formats import FORMATS

# The shape of contract checks: several rows, inputs, outputs; few problems, for modes with a call for each.
CONTRACT_SHAPE: Final = MIXED
# The reasons why a plan has no case for a mode in a dtype, at a class of shapes, in a regime.
BY_TURNS: Final = "by turns: a new shape costs this mode a program or many calls; --thorough takes all"
HAZARD: Final = "a hazard takes large shapes with --thorough only"
FORWARD: Final = "forward mode takes one direction for each weight"
LARGE_ONLY: Final = "16-bit dtypes take a few large shapes: most of their sums there are not judged"
NO_STACK: Final = "the mode has a call for each network, thousands here"
MISSED: Final = core.MISSED
OUTSIDE_ONLY: Final = "such shapes are given to adapters from outside, and in a comparison without --matrix"
ONE_EACH: Final = "a combination has few cases: with constants each needs a program"

# The regimes of the cases of each mode, or group of modes, in each dtype at each class of shapes.
PlannedRegimes = Mapping[tuple[str, str, str], frozenset[str]]


def matrix_plan(
    names: Sequence[str], dtypes: tuple[str, ...] = tuple(FORMATS), *, thorough: bool = False
) -> Plan:
    """Return the plan of the matrix: each case once, small ones first, with all modes that evaluate it.

    A combination that has a name of its own counts as the mode of that name; all other combinations of one
    framework share a row of the tables.

    Args:
        names: the names of modes and combinations; any other name is that of an adapter from outside, which
            gets the cases of a comparison without the matrix (`crosscheck.plans.core`).
        dtypes: the dtypes of the cases.
        thorough: whether every mode takes every shape.
    """
    combinations = {name for name, _ in all_combinations()}
    combined = [name for name in names if name in combinations and name not in NAMED]
    named = tuple(name for name in names if name in NAMED)
    outside = tuple(name for name in names if name not in combined and name not in NAMED)
    labels = _labels(combined)
    is_whole = {*NAMED, *combinations} <= set(names) and set(dtypes) >= set(FORMATS)

    @cache
    def items(*, thorough: bool) -> tuple[Item, ...]:
        every = (*named_items(named, thorough=thorough), *combined_items(names, thorough=thorough))
        found = tuple(item for item in every if item.dtype in dtypes)
        return (*found, *outside_items(outside, dtypes, thorough=thorough))

    @cache
    def regimes(*, thorough: bool) -> PlannedRegimes:
        return planned_regimes(items(thorough=thorough), labels)

    def reason_not_planned(gap: Gap) -> str | None:
        cell = labels.get(gap.name, gap.name), gap.dtype, gap.shapes
        here, everywhere = (regimes(thorough=each).get(cell, frozenset()) for each in (thorough, True))
        if gap.name in outside:
            return None if _has(here, gap.regime) else core.reason_by_turns(gap)
        if gap.shapes not in CLASSES:
            return OUTSIDE_ONLY
        return reason_for_gap(None if gap.name in labels else parse(gap.name), gap, here, everywhere)

    def reason_not_hit(gap: Gap) -> str | None:
        if gap.name in outside:
            return core.reason_not_hit(gap)
        return _reason_not_hit(gap) if gap.name in named else None

    cases = _modes_by_case(items(thorough=thorough))
    modes = f"{len(named)} modes and {len(combined)} combinations of factors"
    modes += f", and {len(outside)} adapter{'s' * (len(outside) > 1)} from outside" * bool(outside)
    classes = (shape_class(case.shape) for item in outside_items(outside, dtypes) for case in item.cases)
    contract: dict[Case, Names] = dict.fromkeys(
        (Case("ordinary", 0, CONTRACT_SHAPE, dtype=dtype) for dtype in dtypes), named
    )
    contract |= dict.fromkeys(contract_cases(dtypes, 0), outside) if outside else {}
    return Plan(
        title=f"The matrix: {modes}, {len(cases):,} cases, {sum(map(len, cases.values())):,} calls",
        seed=0,
        dtypes=dtypes,
        cases=cases,
        contract=contract,
        classes=tuple(dict.fromkeys((*CLASSES, *classes))),
        reason_not_planned=reason_not_planned,
        reason_not_hit=reason_not_hit,
        is_whole=is_whole,
        is_exhaustive=is_whole,
        labels=labels,
    )


def _modes_by_case(items: Iterable[Item]) -> dict[Case, tuple[str, ...]]:
    """Return each case once, the fewest products first, with the modes that evaluate it."""
    found: dict[Case, dict[str, None]] = {}
    for item in items:
        for case in item.cases:
            found.setdefault(case, {})[item.mode] = None
    return {case: tuple(found[case]) for case in sorted(found, key=lambda case: math.prod(case.shape))}


def _labels(combined: Sequence[str]) -> dict[str, str]:
    """Return the label of each combination, which those of one framework share."""
    counts = Counter(parse(name).framework for name in combined)
    labels = {
        framework: f"{framework}: {count} combination{'s' * (count != 1)}"
        for framework, count in counts.items()
    }
    return {name: labels[parse(name).framework] for name in combined}


def _reason_not_hit(gap: Gap) -> str | None:
    """Return `MISSED` if cases of the thorough plan have elements in the gap's regime; None otherwise."""
    items = [item for item in named_items([gap.name], thorough=True) if item.dtype == gap.dtype]
    cases = (case for item in items for case in item.cases)
    aimed = (c for c in cases if shape_class(c.shape) == gap.shapes and c.regime in (gap.regime, "mixed"))
    return MISSED if any(regime_counts(c.problem(), c.format)[gap.regime] for c in aimed) else None


def selected(only: Sequence[str], outside: Sequence[str], dtypes: Sequence[str]) -> list[Spec]:
    """Return the specifications of the adapters of the matrix.

    Args:
        only: selects modes and combinations as in `adapters.select`; if it is empty, all are selected.
        outside: ``package.module:object`` of each adapter from outside.
        dtypes: the dtypes of the run; combinations without a case in them are left out.

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


def planned_regimes(items: Iterable[Item], labels: Mapping[str, str]) -> PlannedRegimes:
    """Return the regimes of the items' cases, by label or name of the mode, dtype and class of shapes."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for item in items:
        for case in item.cases:
            cell = labels.get(item.mode, item.mode), item.dtype, shape_class(case.shape)
            found.setdefault(cell, set()).add(case.regime)
    return {cell: frozenset(regimes) for cell, regimes in found.items()}


def _has(regimes: Collection[str], regime: str) -> bool:
    return regime in regimes or "mixed" in regimes


def reason_for_gap(
    mode: Mode | None, gap: Gap, this_plan: Collection[str], thorough_plan: Collection[str]
) -> str | None:
    """Return the reason why a plan has no case of the gap's regime; None if it has one, or none is known.

    Args:
        mode: the mode; None for the combinations of a framework.
        gap: the dtype, class of shapes and regime; the name is not read.
        this_plan: the regimes of the cases that the plan has in that dtype and class.
        thorough_plan: the regimes of the cases that the thorough plan has there.
    """
    if _has(this_plan, gap.regime):
        return None
    if gap.shapes in LARGE and gap.dtype not in LARGE_DTYPES:
        return LARGE_ONLY
    if mode is None:
        return ONE_EACH
    if gap.shapes == "columns" and mode["derivative"] in FORWARD_MODES:
        return FORWARD
    if _has(thorough_plan, gap.regime):
        return HAZARD if mode.is_hazard and gap.shapes in LARGE else BY_TURNS
    return NO_STACK if gap.shapes == "stacks" and mode.by_network else None
