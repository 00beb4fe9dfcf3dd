"""The covering cases: every kind of size meets every regime and layout, and nobody misses a kind."""

from __future__ import annotations

import math

import pytest

from adapters import CORE
from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import SOURCES, Shape
from crosscheck.plans.core import BY_TURNS, COSTLY, FEWER, core_plan, outside_items
from crosscheck.plans.covering import PARTICULAR, SHAPES, covering_cases
from crosscheck.plans.plan import Gap
from crosscheck.plans.shapes import CLASSES, shape_class
from reference.formats import FORMATS
from reference.layouts import LAYOUTS

CASES = covering_cases(tuple(FORMATS))
KINDS = sorted({shape_class(case.shape) for case in CASES})
OUTSIDE = "module:object"


def sizes(shape: Shape) -> dict[str, int]:
    """The sizes of a shape by name; `axes` is the number of stack axes."""
    *stack, m, n, p = shape
    return {"stack": math.prod(stack), "m": m, "n": n, "p": p, "axes": len(stack)}


@pytest.mark.parametrize(
    "wanted",
    [
        *({"m": m} for m in (15, 31, 33, 255, 1025, 4097, 16385, 32769, 65537, 131073)),
        *({"stack": stack} for stack in (15, 31, 33, 1025, 4097, 8193, 16385, 32769, 65537)),
        *({"n": n} for n in (15, 31, 33, 64, 256, 1000)),
        *(
            {size: length}
            for size in ("stack", "m", "n", "p")
            for length in (*range(1, 15), 63, 65, 100, 127, 128, 129)
        ),
        *({"p": p} for p in (64, 257, 4097, 16385)),
        *({"axes": axes} for axes in (0, 1, 2, 3)),
        {"m": 64, "n": 64},
        {"m": 16, "n": 16, "p": 16},
    ],
    ids=str,
)
def test_the_cases_have_sizes_of_every_kind_in_float64_or_float32(wanted: dict[str, int]) -> None:
    large = [case for case in CASES if case.dtype in ("float64", "float32")]
    assert any(wanted.items() <= sizes(case.shape).items() for case in large)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "document"])
def test_a_class_of_shapes_meets_most_layouts_and_every_regime_alone_or_in_one_stack(kind: str) -> None:
    here = [case for case in CASES if shape_class(case.shape) == kind]
    regimes = {case.regime for case in here}
    assert "mixed" in regimes or regimes >= set(REGIMES)
    assert len({case.layout for case in here}) >= len(LAYOUTS) - 3


def test_every_source_and_every_layout_meet_several_sizes() -> None:
    for name in SOURCES.keys() - set(PARTICULAR):
        assert len({case.shape for case in CASES if case.regime == name}) >= 8, name
    for layout in LAYOUTS:
        assert len({case.shape for case in CASES if case.layout == layout}) >= 8, layout


def test_thousands_of_rows_have_terms_of_one_scale_or_a_pattern_in_every_dtype() -> None:
    many = [case for case in CASES if case.shape[-3] >= 4096]
    for dtype in FORMATS:
        assert [c for c in many if c.dtype == dtype and c.regime.startswith(("one_scale_", "structured"))]


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_cases_of_a_dtype_do_not_depend_on_the_others(dtype: str) -> None:
    assert covering_cases((dtype,)) == tuple(case for case in CASES if case.dtype == dtype)


def test_small_cases_come_first_and_each_comes_once() -> None:
    assert math.prod(CASES[0].shape) < 10 < 10**5 < math.prod(CASES[-1].shape)
    assert len({case.text for case in CASES}) == len(CASES)


def test_only_the_regimes_that_are_asked_for_are_in_the_cases() -> None:
    assert {case.regime for case in covering_cases(("float32",), ("zeros", "cancelling"))} == {
        "zeros",
        "cancelling",
    }


def test_the_thorough_cases_give_every_shape_every_regime_that_it_can_host() -> None:
    found = {(case.shape, case.regime) for case in covering_cases(("float32",), thorough=True)}
    every = {*SHAPES, *(shape for each in CLASSES.values() for shape in each)}
    missing = {
        (shape, regime)
        for shape in every
        for regime in REGIMES
        if (shape, regime) not in found and not REGIMES[regime].unsupported(shape, FORMATS["float32"])
    }
    assert missing == set()


def test_the_heading_has_the_number_of_cases() -> None:
    assert core_plan().title.endswith(f", and {len(CASES)} cases of other sizes, layouts and values")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("numpy", 1, 1),
        ("torch", 1, 1),
        (OUTSIDE, 1, 1),
        ("jax-jit", 0.2, 0.4),
        ("jax", 0.5 / COSTLY, 2 / COSTLY),
        ("torch-compile", 0.5 / COSTLY, 2 / COSTLY),
    ],
)
def test_an_adapter_that_pays_for_a_new_shape_takes_turns(name: str, least: float, most: float) -> None:
    cases = core_plan(names=[*CORE, "torch-compile", OUTSIDE]).cases
    taken = [case for case in CASES if name in (cases[case] or ())]
    assert least * len(CASES) <= len(taken) <= most * len(CASES)


def test_compiled_jax_takes_every_shape_in_some_dtype() -> None:
    cases = core_plan(names=CORE).cases
    assert {case.shape for case in CASES if "jax-jit" in (cases[case] or ())} == {*SHAPES, (13**3, 1, 1, 1)}


def test_pytest_and_the_matrix_give_an_adapter_from_outside_the_cases_of_a_comparison() -> None:
    items = list(outside_items([OUTSIDE], tuple(FORMATS)))
    assert [(item.mode, item.dtype) for item in items] == [(OUTSIDE, dtype) for dtype in FORMATS]
    assert {case for item in items for case in item.cases} == set(core_plan(names=[OUTSIDE]).cases)


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("name", ["numpy", "jax", "jax-jit", OUTSIDE])
def test_every_gap_of_the_default_plan_has_a_reason(name: str) -> None:
    plan = core_plan(names=[*CORE, OUTSIDE])
    unplanned = {
        plan.reason_not_planned(Gap(name, dtype, kind, regime))
        for dtype in FORMATS
        for kind in plan.classes
        for regime in REGIMES
    }
    assert unplanned <= {None, BY_TURNS, FEWER}
