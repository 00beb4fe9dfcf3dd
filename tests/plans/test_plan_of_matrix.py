"""The plan of the matrix leaves nothing out: every shape, layout and regime; every mode in every dtype.

The profile ci runs the plan, nightly the thorough one, and dev its quick part.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest

from adapters import NAMED
from adapters.effort import is_slow
from adapters.modes import parse
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES, regime_counts
from crosscheck.inputs.structured import COMBINATIONS, NAMES, combination_of, seed_of
from crosscheck.plans import shapes
from crosscheck.plans.combinations import all_combinations
from crosscheck.plans.items import (
    Item,
    combined_items,
    is_cheap,
    named_items,
    quick,
    quick_combinations,
)
from crosscheck.plans.shapes import LARGE_DTYPES
from crosscheck.results.known import KnownDifferences
from crosscheck.results.known_entry import Difference, fits
from reference.formats import FORMATS
from reference.layouts import LAYOUTS

# No regime may have fewer elements of ŷ than this in a dtype, over all cases of the plan that are not large.
LEAST = 500


@cache
def plan(*, thorough: bool = False) -> tuple[Item, ...]:
    return (*named_items(NAMED, thorough=thorough), *combined_items(thorough=thorough))


@cache
def quick_plan() -> tuple[Item, ...]:
    return (*quick(named_items(NAMED)), *quick_combinations(combined_items()))


def programs(items: Iterable[Item]) -> set[tuple[object, ...]]:
    """Whole functions: one for each shape and dtype, and for each case where arrays are constants."""
    return {
        (item.mode, case.dtype, case.shape, case if parse(item.mode).closed else None)
        for item in items
        for case in item.cases
        if parse(item.mode).compiles
    }


def cases(items: tuple[Item, ...]) -> set[Case]:
    return {case for item in items for case in item.cases}


def uncovered_regimes(counts: Counter[str]) -> list[str]:
    return [name for name in REGIMES if counts[name] < LEAST]


@pytest.mark.parametrize("thorough", [False, True])
def test_every_shape_of_the_list_is_met(thorough: bool) -> None:
    planned = {case.shape for case in cases(plan(thorough=thorough))}
    assert {shape for group in shapes.CLASSES.values() for shape in group} - planned == set()


def test_the_shapes_have_the_lengths_and_thresholds_that_bugs_hide_behind() -> None:
    tails = {1, 3, 7, 8, 15, 16, 17, 31, 32, 33}
    for axis in range(3):
        assert {shape[axis] for shape in shapes.TAILS} == tails
    assert {300, 1000} <= {shape[-2] for shape in shapes.WIDE}
    assert {shape[-1] for shape in shapes.OUTPUTS + shapes.TAILS} == {1, 2, 3, 8, 64}
    assert {1, 2, 7, 64} <= {shape[-3] for shape in shapes.OUTPUTS}
    sizes = {2**k + d for k in (12, 14, 15, 16) for d in (-1, 1)} | {2**17 + 1}
    assert {shape[0] for shape in shapes.ROWS} == {shape[0] for shape in shapes.STACKS} == sizes
    assert all(sum(shape[0] == m for shape in shapes.ROWS) >= 3 for m in sizes)
    assert all(any(shape[1] == 3 for shape in shapes.ROWS if shape[0] == m) for m in sizes)


@pytest.mark.parametrize("name", NAMED)
def test_a_mode_meets_the_document_and_all_special_values_in_every_dtype(name: str) -> None:
    for item in named_items([name]):
        assert {shapes.DOCUMENT[0], shapes.SPECIAL} <= {case.shape for case in item.cases}
        assert {case.dtype for case in item.cases} == {item.dtype}
    assert [item.dtype for item in named_items([name])] == list(FORMATS)


@pytest.mark.parametrize("dtype", LARGE_DTYPES)
@pytest.mark.parametrize("name", [name for name in NAMED if not parse(name).is_hazard])
def test_a_mode_meets_every_regime_at_large_shapes(name: str, dtype: str) -> None:
    large = [c for i in named_items([name]) if i.dtype == dtype for c in i.cases if max(c.shape) > 4000]
    assert {case.regime for case in large} >= set(REGIMES)


@pytest.mark.parametrize("name", NAMED)
def test_a_mode_meets_every_layout_or_takes_turns(name: str) -> None:
    planned = {case.layout for item in named_items([name]) for case in item.cases}
    assert planned == set(LAYOUTS)


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_a_mode_that_compiles_nothing_meets_every_small_shape_in_every_dtype(framework: str) -> None:
    for item in named_items([name for name in NAMED if parse(name).framework == framework]):
        if is_cheap(parse(item.mode)):
            assert {*shapes.TAILS, *shapes.WIDE, *shapes.OUTPUTS} <= {case.shape for case in item.cases}
        else:
            assert parse(item.mode).compiles or is_slow(parse(item.mode))


def test_the_modes_of_jax_that_compile_meet_together_what_they_take_by_turns() -> None:
    compiled = [name for name in NAMED if parse(name).compiles and parse(name).framework == "jax"]
    planned = {case.shape for item in named_items(compiled) for case in item.cases}
    assert {*shapes.TAILS, *shapes.WIDE, *shapes.OUTPUTS, *shapes.STACKS, *shapes.EVEN_STACKS} <= planned
    assert {shape[0] for shape in shapes.ROWS} <= {shape[-3] for shape in planned}


ALONE = [item for item in combined_items() if parse(item.mode).alone and item.dtype in LARGE_DTYPES]


def large_regimes(item: Item) -> set[str]:
    """The regimes of the cases of an item at thresholds of m, n, p or the stack."""
    least = shapes.THRESHOLDS[0]
    large = [case for case in item.cases if max(math.prod(case.shape[:-3]), *case.shape[-3:]) >= least]
    return {case.regime.removeprefix("one_scale_") for case in large}


@pytest.mark.parametrize("item", ALONE, ids=lambda item: f"{item.mode}-{item.dtype}")
def test_an_output_alone_is_computed_in_every_regime_at_thresholds(item: Item) -> None:
    mode, planned = parse(item.mode), large_regimes(item)
    if mode.framework == "torch" and mode.compiles_values:  # seconds for each case: one by turns
        assert planned & {*REGIMES, "structured"}
    else:
        in_both = set().union(*(large_regimes(other) for other in ALONE if other.mode == item.mode))
        assert "mixed" in planned or in_both >= set(REGIMES)
        assert mode.alone != "loss" or in_both >= set(REGIMES)
        assert mode.alone != "loss" or len(planned & set(REGIMES)) >= len(REGIMES) / 2


def structures(mode: str, case: Case) -> set[str]:
    """The structures of the constants of a case, if all its problems have the same."""
    if case.regime != "structured":
        return set()
    found = combination_of(case.seed)
    alike = combination_of(case.seed, 1) == found
    return {getattr(found, name) for name in parse(mode).closed} if alike else set()


def test_constants_have_every_structure_at_every_class_of_shapes_in_every_mode_of_jax() -> None:
    places: set[tuple[str, str]] = set()
    of_mode: dict[str, set[str]] = {}
    for item in combined_items():
        mode = parse(item.mode)
        if mode.framework == "jax" and mode.compiles_values:
            for case in item.cases:
                found = structures(item.mode, case)
                places |= {(each, shapes.shape_class(case.shape)) for each in found}
                of_mode.setdefault(item.mode, set()).update(found - {"plain"})
    assert places >= set(itertools.product(set(NAMES) - {"plain"}, shapes.CLASSES))
    in_large = {name for name, dtype in all_combinations() if dtype in LARGE_DTYPES}
    least = {name: 2 if parse(name).alone else 1 for name in of_mode if name in in_large}
    assert all(len(of_mode[name]) >= count for name, count in least.items())


def test_arguments_have_every_combination_of_structures() -> None:
    seen = {
        combination_of(case.seed, k)
        for item in named_items(NAMED)
        for case in item.cases
        if case.regime == "structured"
        for k in range(math.prod(case.shape[:-3]))
    }
    assert len(seen) == COMBINATIONS


def test_outputs_inputs_rows_and_networks_have_the_same_thresholds() -> None:
    met = cases(plan())
    for size in shapes.THRESHOLDS[:-1]:
        for axis in (-3, -2, -1):
            assert any(case.shape[axis] == size for case in met)
        assert any(math.prod(case.shape[:-3]) == size for case in met)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bit_numbers_have_large_shapes(dtype: str) -> None:
    large = {case.shape for case in cases(plan()) if case.dtype == dtype and max(case.shape) > 2**12}
    assert (2**15 + 1, 3, 2) in large
    for item in named_items([name for name in NAMED if is_cheap(parse(name))]):
        if item.dtype == dtype and not parse(item.mode).is_hazard:
            assert any(max(case.shape) > 2**12 for case in item.cases)


@pytest.mark.long
@pytest.mark.parametrize("thorough", [False, True])
def test_every_combination_meets_a_large_shape_in_the_dtypes_that_have_them(thorough: bool) -> None:
    for item in combined_items(thorough=thorough):
        mode = parse(item.mode)
        by_turns = mode.framework == "jax" and not mode.compiles and not thorough
        if item.dtype in LARGE_DTYPES and not by_turns:
            assert any(max(case.shape) > 2**14 for case in item.cases), item


@pytest.mark.parametrize("name", NAMED)
def test_transposing_moves_numbers_in_every_dtype(name: str) -> None:
    for item in named_items([name], thorough=True):
        moved = [case for case in item.cases if case.layout == "transposed"]
        assert any(sum(size > 1 for size in case.shape[-3:]) > 1 for case in moved)


@pytest.mark.long
def test_a_run_of_ci_compiles_at_most_2600_programs() -> None:
    assert 2000 < len(programs(plan())) <= 2600  # the other tests have 133


@pytest.mark.long
def test_a_quick_run_compiles_a_third_of_them_and_for_torch_a_dozen() -> None:
    every = programs(quick_plan())
    assert 150 < len(every) <= len(programs(plan())) / 3
    assert sum(parse(str(mode)).framework == "torch" for mode, *_ in every) <= 12


def test_a_quick_run_is_a_part_of_one_of_ci_item_by_item_and_case_by_case() -> None:
    whole = {(item.mode, case) for item in plan() for case in item.cases}
    assert all(item.cases for item in quick_plan())
    assert {(item.mode, case) for item in quick_plan() for case in item.cases} < whole


@pytest.mark.parametrize("name", NAMED)
def test_a_quick_run_gives_every_mode_with_a_name_each_dtype_and_a_threshold(name: str) -> None:
    items = [item for item in quick_plan() if item.mode == name]
    assert [item.dtype for item in items] == list(FORMATS)
    for item in items:
        planned = {case.shape for case in item.cases}
        has_a_threshold = item.dtype in LARGE_DTYPES and not parse(name).is_hazard
        assert len({shapes.DOCUMENT[0], shapes.SPECIAL} & planned) == (
            1 if name.startswith("torch-compile") else 2
        )
        if has_a_threshold:
            large = [case for case in item.cases if max(case.shape[:-2]) >= shapes.THRESHOLDS[0]]
            assert {case.regime for case in large} >= set(REGIMES)


BUGS = [entry for entry in KnownDifferences.shipped().entries if entry.kind == "bug"]


@pytest.mark.parametrize(
    "entry", [entry for entry in BUGS if "float64" in entry.dtypes], ids=lambda e: e.name
)
def test_a_quick_run_meets_a_fault_that_is_known(entry: Difference) -> None:
    (item,) = (i for i in quick_plan() if (i.mode, i.dtype) == (entry.mode, "float64"))
    assert any(fits(case.shape, entry.shape) for case in item.cases)


@pytest.mark.parametrize("entry", BUGS, ids=lambda entry: entry.name)
def test_the_plan_has_the_pinned_case_of_every_known_fault(entry: Difference) -> None:
    mine = (item.cases for item in plan() if (item.mode, item.dtype) == (entry.mode, entry.source.dtype))
    assert entry.source in {case for cases in mine for case in cases}


# Faults that were found where no plan had looked: equal constants, one scale at a threshold of m or of p.
FOUND = [
    ("jax-jit-row_loss-closed_W", Case("structured", seed_of(W="halves"), (64, 2, 64))),
    ("jax-jit-loss-closed_W", Case("structured", seed_of(W="halves"), (64, 2, 64))),
    ("jax-jit-loss-closed_X-vectors", Case("structured", seed_of(X="halves"), (40, 64, 8, 3))),
    ("jax-jit-loss-closed_W-vectors", Case("near_label", 0, (2**14 + 1, 3, 2))),
    ("jax-jit-loss-closed_X-columns", Case("near_label", 0, (1, 2**14 + 1, 3, 2))),
    ("jax-jit-loss-closed_W", Case("near_label", 0, (2, 3, 2**14 + 1))),
    ("jax-jit-row_loss-closed_W", Case("near_label", 0, (2, 3, 2**14 + 1))),
]


@pytest.mark.parametrize(("mode", "case"), FOUND, ids=lambda value: getattr(value, "text", value))
def test_a_quick_run_meets_a_fault_that_random_numbers_hid(mode: str, case: Case) -> None:
    assert case in {c for item in quick_plan() if item.mode == mode for c in item.cases}


def test_a_run_of_ci_meets_the_fault_of_many_rows_in_float32() -> None:
    case = Case("near_label", 0, (2**15 + 1, 3, 2), dtype="float32")
    assert case in {c for i in plan() if i.mode == "jax-jit-loss-closed_W-vectors" for c in i.cases}


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
def test_every_regime_is_covered(dtype: str) -> None:
    counts: Counter[str] = Counter()
    for case in cases(plan()):
        if case.dtype == dtype and shapes.shape_class(case.shape) not in shapes.LARGE:
            counts.update(regime_counts(case.problem(), case.format))
    assert uncovered_regimes(counts) == []


def test_a_regime_that_is_not_covered_is_noticed() -> None:
    counts = Counter(regime_counts(Case("ordinary", 0, (8192, 1, 3, 1)).problem(), FORMATS["float64"]))
    assert {"non_finite", "overflow", "huge_label"} <= set(uncovered_regimes(counts))
