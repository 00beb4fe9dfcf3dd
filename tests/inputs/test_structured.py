"""Cases `structured`: structures are what their names say, in all combinations; strategies draw them, too."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crosscheck.inputs import Case
from crosscheck.inputs.case import LARGEST_SEED
from crosscheck.inputs.regimes import regime_counts
from crosscheck.inputs.strategies import problems
from crosscheck.inputs.structured import (
    COMBINATIONS,
    NAMES,
    STRUCTURES,
    Combination,
    combination_of,
    seed_of,
)
from reference.formats import FORMATS
from reference.types import Array, Float64, Problem

# Rows, columns; the last has more numbers than bfloat16 and float16 have integers.
SIZES = [(1, 1), (1, 5), (4, 1), (3, 3), (2, 5), (7, 3), (4099, 1)]
EQUAL = {"zeros": 0.0, "minus_zeros": -0.0, "ones": 1.0, "halves": 0.5, "minus_ones": -1.0}


def made(structure: str, dtype: str, rows: int, columns: int, stack: int = 3) -> Array:
    """A stack of arrays with the structure."""
    seed = seed_of(X=structure)
    return Case("structured", seed, (stack, rows, columns, 1), dtype=dtype).problem().X


def bits(array: Array) -> list[int]:
    """The numbers as integers, so that −0 is not 0."""
    found: list[int] = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").ravel().tolist()
    return found


def each(structure: str, dtype: str, rows: int, columns: int) -> list[Float64]:
    """The arrays of a stack, as float64, which holds the numbers of every format."""
    return [array.astype(np.float64) for array in made(structure, dtype, rows, columns)]


@pytest.fixture(params=SIZES, ids=lambda sizes: "x".join(map(str, sizes)))
def sizes(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.mark.parametrize("structure", EQUAL)
@pytest.mark.parametrize("dtype", FORMATS)
def test_equal_numbers_have_equal_bits_everywhere_in_the_array(
    dtype: str, structure: str, sizes: tuple[int, int]
) -> None:
    got = made(structure, dtype, *sizes)
    assert set(bits(got)) == set(bits(np.array(EQUAL[structure]).astype(FORMATS[dtype].dtype)))


@pytest.mark.parametrize("dtype", FORMATS)
def test_thirds_are_the_largest_number_up_to_a_third(dtype: str, sizes: tuple[int, int]) -> None:
    (value,) = {float(number) for array in each("thirds", dtype, *sizes) for number in array.flat}
    assert 0 <= Fraction(1, 3) - Fraction(value) < Fraction(2) ** (-1 - FORMATS[dtype].precision)


@pytest.mark.parametrize("dtype", FORMATS)
def test_repeated_rows_and_columns_have_equal_bits(dtype: str, sizes: tuple[int, int]) -> None:
    for array in made("equal_rows", dtype, *sizes):
        assert len({tuple(bits(row)) for row in array}) == 1
    for array in made("equal_columns", dtype, *sizes):
        assert len({tuple(bits(column)) for column in array.T}) == 1


@pytest.mark.parametrize("dtype", FORMATS)
def test_identity_one_hot_and_one_odd_are_what_they_are_called(dtype: str, sizes: tuple[int, int]) -> None:
    for array in each("identity", dtype, *sizes):
        assert (array == np.eye(*sizes)).all()
    for array in each("one_hot", dtype, *sizes):
        assert (np.sort(array, axis=1)[:, :-1] == 0).all()
        assert (array.max(axis=1) == 1).all()
    for array in each("one_odd", dtype, *sizes):
        assert np.count_nonzero(array != 0.5) == 1


@pytest.mark.parametrize("dtype", FORMATS)
def test_powers_and_integers_are_exactly_that(dtype: str, sizes: tuple[int, int]) -> None:
    for array in each("powers", dtype, *sizes):
        assert (np.abs(np.frexp(array)[0]) == 0.5).all()
        assert ((np.abs(array) >= 0.125) & (np.abs(array) <= 4)).all()
    for array in each("integers", dtype, *sizes):
        assert (array == np.rint(array)).all()
        assert (np.abs(array) <= 4).all()


@pytest.mark.parametrize("dtype", FORMATS)
def test_counting_rises_in_equal_steps_from_zero(dtype: str, sizes: tuple[int, int]) -> None:
    for array in each("counting", dtype, *sizes):
        steps = np.diff(array.ravel())
        assert array.ravel()[0] == 0
        assert array.max() < 8
        assert len(set(steps.tolist()) - {0.0}) <= 1
        if array.size <= 8:
            assert (array.ravel() == np.arange(array.size)).all()
        assert (steps > 0).all() or array.size > 2 ** FORMATS[dtype].precision


@pytest.mark.parametrize("dtype", FORMATS)
def test_symmetric_arrays_are_their_transpose_as_far_as_the_shape_goes(
    dtype: str, sizes: tuple[int, int]
) -> None:
    side = min(sizes)
    for array in each("symmetric", dtype, *sizes):
        assert (array[:side, :side] == array[:side, :side].T).all()


def test_random_structures_differ_from_problem_to_problem() -> None:
    for structure in ("plain", "equal_rows", "equal_columns", "one_hot", "powers", "symmetric", "integers"):
        assert len({tuple(bits(array)) for array in made(structure, "float32", 7, 5, stack=20)}) > 10
    places = {tuple(bits(array)) for array in made("one_odd", "float32", 7, 5, stack=1000)}
    assert len(places) == 35


def test_a_stack_of_as_many_networks_as_there_are_combinations_has_all_of_them() -> None:
    seen = [combination_of(5, k) for k in range(COMBINATIONS)]
    assert len(set(seen)) == COMBINATIONS == len(NAMES) ** 3
    whole = Case("structured", 5, (COMBINATIONS, 2, 3, 2), dtype="float32").problem()
    for k, combination in enumerate(seen):
        for name, structure in combination._asdict().items():
            if structure in EQUAL:
                want = np.array(EQUAL[structure], np.float32)
                assert set(bits(getattr(whole, name)[k])) == set(bits(want))
            if structure == "identity":
                array = getattr(whole, name)[k]
                assert (array == np.eye(*array.shape)).all()


def test_weights_change_first_then_inputs_then_labels() -> None:
    assert combination_of(0) == Combination("plain", "plain", "plain")
    assert combination_of(0, 1) == Combination(W=NAMES[1])
    assert combination_of(0, len(NAMES)) == Combination(X=NAMES[1])
    assert combination_of(0, len(NAMES) ** 2) == Combination(y=NAMES[1])
    assert combination_of(COMBINATIONS - 1, 1) == combination_of(0)


@given(
    st.builds(Combination, *(st.sampled_from(NAMES),) * 3),
    st.integers(0, LARGEST_SEED // COMBINATIONS // 2 - 1),
    st.integers(0, 10**6),
)
def test_structures_and_their_seed_convert_both_ways(want: Combination, turn: int, k: int) -> None:
    alike, mixed = (seed_of(*want, alike=alike, turn=turn) for alike in (True, False))
    assert 0 <= mixed < alike <= LARGEST_SEED
    assert combination_of(mixed) == combination_of(alike) == combination_of(alike, k) == want
    assert (combination_of(mixed, k) == want) == (k % COMBINATIONS == 0)


@pytest.mark.parametrize("dtype", FORMATS)
def test_alike_problems_share_one_number_across_the_whole_stack(dtype: str) -> None:
    seed = seed_of(X="thirds", W="halves")
    X, y, W = Case("structured", seed, (3, 2, 4, 5, 6), dtype=dtype).problem()
    assert len(set(bits(X))) == len(set(bits(W))) == 1
    assert len(set(bits(y))) > 1


def test_a_broadcast_stack_has_the_first_weights_whatever_their_structure() -> None:
    case = Case("structured", 0, (32, 2, 3, 2), "broadcast", "float32")
    X, _, W = case.problem()
    assert W.strides[0] == 0
    assert len({tuple(bits(array)) for array in X}) > 1
    assert combination_of(0, 31).X != combination_of(0).X


def test_seeds_of_the_same_structures_have_random_bits_of_their_own() -> None:
    cases = [
        Case("structured", seed_of(turn=turn, alike=alike), (4, 2, 3, 2))
        for turn in (0, 1)
        for alike in (False, True)
    ]
    assert len({tuple(bits(case.problem().W[0])) for case in cases}) == 4


@pytest.mark.parametrize("dtype", FORMATS)
def test_few_elements_are_saturated_at_the_documents_size(dtype: str) -> None:
    case = Case("structured", 0, (COMBINATIONS, 2, 3, 2), dtype=dtype)
    counts = regime_counts(case.problem(), case.format)
    assert counts["saturated_high"] + counts["saturated_low"] < 0.25 * sum(counts.values())
    assert counts["ordinary"] > 0.3 * sum(counts.values())


def structures_of(values: Float64) -> dict[str, bool]:
    """Which structures the numbers ``[rows, columns]`` have; independent numbers hardly ever have one."""
    first, others = values.ravel()[0], values.ravel()[1:]
    return {
        "equal": bool((values == first).all() and first),
        "rows": bool((values == values[:1]).all() and (values[0] != first).any()),
        "columns": bool((values == values[:, :1]).all() and (values[:, 0] != first).any()),
        "diagonal": bool((values == np.where(np.eye(*values.shape), first, 0.0)).all() and first),
        "one hot": bool((np.count_nonzero(values, axis=1) == 1).all() and len(set(values.flat)) == 2),
        "one odd": bool((others == others[0]).all() and others[0] not in {0, first}),
        "symmetric": values.shape[0] == values.shape[1] and bool((values == values.T).all() and values[0, 1]),
    }


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_hypothesis_draws_structures(dtype: str) -> None:
    seen: set[str] = set()

    @settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate], max_examples=200)
    @given(problems(FORMATS[dtype], (1, 3, 3, 2)))
    def draw(problem: Problem) -> None:
        for array in problem:
            found = structures_of(array[0].astype(np.float64))
            seen.update(name for name, holds in found.items() if holds)

    draw()
    assert seen == set(structures_of(np.ones((3, 3))))


def test_every_structure_has_a_meaning_of_its_own() -> None:
    assert len({structure.meaning for structure in STRUCTURES.values()}) == len(STRUCTURES)
