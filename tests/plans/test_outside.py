"""The cases that adapters from outside get besides."""

from __future__ import annotations

import math
from itertools import product

import pytest

from crosscheck.inputs.regimes import REGIMES
from crosscheck.inputs.sources import Shape
from crosscheck.inputs.structured import NAMES, combination_of
from crosscheck.plans.core import core_plan
from crosscheck.plans.outside import LONGEST, outside_cases
from crosscheck.plans.shapes import LARGE_DTYPES as WIDE
from reference.formats import FORMATS

OUTSIDE = "somewhere:adapter"
CASES = outside_cases(tuple(FORMATS))


def test_each_comes_once_and_the_small_ones_first() -> None:
    assert len(set(CASES)) == len(CASES)
    assert math.prod(CASES[0].shape) == 1
    assert max(math.prod(case.shape) for case in CASES) > 2**20


def test_every_small_size_comes_in_a_wide_dtype_and_in_a_narrow_one() -> None:
    sizes = set(product(range(1, LONGEST + 1), repeat=3))
    for is_wide in (True, False):
        assert {case.shape[-3:] for case in CASES if (case.dtype in WIDE) is is_wide} >= sizes
    small = [case for case in CASES if case.shape[-3:] in sizes]
    assert {case.regime for case in small} >= set(REGIMES)
    assert {len(case.shape) for case in small} >= {3, 4}


@pytest.mark.parametrize("dtype", FORMATS)
def test_every_pattern_comes_in_each_array_alone_in_two_and_in_all(dtype: str) -> None:
    found = {
        combination_of(case.seed) for case in CASES if case.regime == "structured" and case.dtype == dtype
    }
    for name in NAMES[1:]:
        having = {tuple(each == name for each in one) for one in found if {*one} <= {name, "plain"}}
        assert having == set(product((False, True), repeat=3)) - {(False, False, False)}, name


def test_repeated_rows_have_strides_of_0_in_half_of_the_dtypes() -> None:
    rows = [
        c
        for c in CASES
        if c.regime == "structured" and combination_of(c.seed) == ("equal_rows", "plain", "plain")
    ]
    assert {case.problem().X.strides[-2] == 0 for case in rows if case.dtype in WIDE} == {True, False}


def test_every_length_up_to_130_comes_as_m_n_p_and_the_stack() -> None:
    for dtype in WIDE:
        shapes = [case.shape for case in CASES if case.dtype == dtype]
        for axis in (-3, -2, -1, -4):
            assert {shape[axis] for shape in shapes if len(shape) >= -axis} >= set(range(2, 131)), (
                dtype,
                axis,
            )


def test_some_sizes_begin_with_float32_and_others_with_float64() -> None:
    first: dict[Shape, str] = {}
    for case in CASES:
        if case.regime == "one_scale_ordinary":
            first.setdefault(case.shape, case.dtype)
    assert set(first.values()) == set(WIDE)


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_cases_of_a_dtype_do_not_depend_on_the_others(dtype: str) -> None:
    assert set(outside_cases((dtype,))) == {case for case in CASES if case.dtype == dtype}


def test_only_the_regimes_that_are_asked_for_are_in_the_cases() -> None:
    assert {case.regime for case in outside_cases(("float32",), ("zeros",))} == {"zeros"}


def test_adapters_from_outside_get_them_and_the_suites_own_do_not() -> None:
    plan = core_plan(names=["numpy", OUTSIDE])
    assert {plan.cases[case] for case in CASES} == {(OUTSIDE,)}
    assert plan.title.endswith(f", and {len(CASES):,} for adapters from outside")
    assert not set(CASES) & set(core_plan(names=["numpy"]).cases)
