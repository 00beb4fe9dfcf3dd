"""A case is a line of text, and the same bytes on every NumPy, platform and day."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from crosscheck.inputs import (
    SHAPES_ELEMENTWISE,
    SHAPES_STACKED,
    SOURCES,
    Case,
    CaseError,
    Literal,
    parse,
    take,
)
from crosscheck.inputs.random_bits import ProblemShape, as_numbers, draw_random_bits
from crosscheck.inputs.regimes import REGIMES, regime_counts
from crosscheck.inputs.sources import MIXED_REGIMES, special_numbers
from crosscheck.inputs.strategies import cases
from reference.formats import FORMATS
from reference.layouts import LAYOUTS
from reference.types import Array, Problem
from tools.case_digests import lines

ROOT = Path(__file__).parents[2]
PINNED = (ROOT / "tests/data/case_digests.txt").read_text("utf-8")
OLD_NUMPY = "CROSSCHECK_OLD_NUMPY_PYTHON"
LIGHT = "import sys, crosscheck.inputs; print(*sorted(m.partition('.')[0] for m in sys.modules))"


def bits(array: Array) -> list[int]:
    """The numbers as integers, so that NaN equals itself and −0 is not 0."""
    unsigned: list[int] = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").ravel().tolist()
    return unsigned


def assert_same_bits(got: Problem, want: Problem) -> None:
    """Equal shapes, dtypes and bits, array by array."""
    for name, mine, theirs in zip(Problem._fields, got, want, strict=True):
        assert (name, mine.shape, mine.dtype) == (name, theirs.shape, theirs.dtype)
        assert (name, bits(mine)) == (name, bits(theirs))


def printed(python: str, *arguments: str, seed: str = "0") -> str:
    """What a fresh interpreter prints, run in the checkout with a given hash seed."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    command = [python, "-W", "error", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.long
@pytest.mark.parametrize("seed", ["0", "1"])
def test_cases_have_their_pinned_bytes_under_every_hash_seed(seed: str) -> None:
    assert printed(sys.executable, "-m", "tools.case_digests", seed=seed) == PINNED


def test_cases_have_their_pinned_bytes_under_an_older_numpy() -> None:
    python = os.environ.get(OLD_NUMPY)
    if not python:
        pytest.skip(f"set {OLD_NUMPY} to an interpreter that has an older numpy, and ml_dtypes")
    older = printed(python, "-c", "import numpy; print(numpy.__version__)").strip()
    assert np.lib.NumpyVersion(older) < np.__version__
    assert printed(python, "-m", "tools.case_digests") == PINNED


def test_every_source_and_dtype_has_a_digest_of_its_own() -> None:
    digests = [line.split()[2] for line in lines()]
    # float64 has no `every`, float16 no `one_scale_huge_label`
    assert len(set(digests)) == len(SOURCES) * len(FORMATS) - 2


def test_cases_import_only_the_standard_library_numpy_and_ml_dtypes() -> None:
    loaded = set(printed(sys.executable, "-c", LIGHT).split())
    expected = {
        "numpy",
        "ml_dtypes",
        "crosscheck",
        "reference",
        "jaxtyping",  # where it is installed
        "$coverage",  # where coverage is measured
    }
    at_start = set(printed(sys.executable, "-c", "import sys; print(*sys.modules)").split())
    foreign = {name for name in loaded - at_start - expected if name not in sys.stdlib_module_names}
    assert not foreign


def test_frameworks_compile_at_most_ten_shapes() -> None:
    assert len(set(SHAPES_ELEMENTWISE + SHAPES_STACKED)) <= 10
    assert SHAPES_ELEMENTWISE[0] == (1, 1, 3, 1)  # the document's


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_text_of_a_case_reads_back(dtype: str) -> None:
    @given(cases(dtype, layouts=LAYOUTS))
    def reads_back(case: Case) -> None:
        assert parse(case.text) == case

    reads_back()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "regime:seed:shape:layout:dtype"),
        ("ordinary:7:8192x1x3x1:contiguous", "has 4 parts"),
        (
            "ordinry:7:1x1x3x1:contiguous:float64",
            "one_scale_huge_label; did you mean 'ordinary'?",
        ),
        ("ordinary:-7:1x1x3x1:contiguous:float64", "seed '-7'"),
        ("ordinary:18446744073709551616:1x1x3x1:contiguous:float64", "out of range"),
        ("ordinary:7:1x3:contiguous:float64", "shape '1x3'"),
        ("ordinary:7:0x1x3x1:contiguous:float64", "each at least 1"),
        ("ordinary:7:1x0x3x1:contiguous:float64", "each at least 1"),
        ("ordinary:7:1x1x0x1:contiguous:float64", "each at least 1"),
        ("ordinary:7:1x1x3x0:contiguous:float64", "each at least 1"),
        ("mixed:7:0x1x3x1:contiguous:float64", "each at least 1"),
        ("special_values:7:9x1x0x1:contiguous:float64", "each at least 1"),
        ("ordinary:7:1x1xx1:contiguous:float64", "as in 8192x1x3x1"),
        ("ordinary:7:999999999x1x3x1:contiguous:float64", "at most"),
        ("ordinary:7:1x1x3x1:sideways:float64", "unknown layout 'sideways'; use one of contiguous"),
        ("ordinary:7:1x3x1:broadcast:float64", "needs a stack axis"),
        (
            "ordinary:7:1x1x3x1:contiguous:float63",
            "unknown dtype 'float63'; use one of float64",
        ),
        ("cancelling:7:1x1x1x1:contiguous:float64", "at least 2 inputs"),
        ("mixed:7:9x1x3x1:contiguous:float64", "a stack of at least 10 problems, not 9"),
        ("mixed:7:2x4x1x1x1:contiguous:float64", "a stack of at least 9 problems, not 8"),
        ("mixed:7:1x3x1:contiguous:float64", "a stack of at least 10 problems, not 1"),
        ("mixed:7:20x1x3x1:broadcast:float64", "the problems of mixed have their own"),
        ("special_values:7:20x1x3x1:contiguous:float64", "it needs m = n = p = 1"),
        ("special_values:7:20x1x1x1:broadcast:float64", "the problems of special_values have their own"),
    ],
)
def test_an_unusable_text_is_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse(text)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "broadcast"])
def test_a_layout_changes_memory_only(layout: str) -> None:
    got = Case("ordinary", 3, (4, 2, 3, 2), layout, "float32").problem()
    assert_same_bits(got, Case("ordinary", 3, (4, 2, 3, 2), "contiguous", "float32").problem())


@pytest.mark.parametrize("regime", REGIMES)
def test_broadcast_lends_the_first_weights_to_the_whole_stack_and_stays_in_the_regime(regime: str) -> None:
    case = Case(regime, 3, (500, 1, 3, 1), "broadcast", "float32")
    X, _, W = case.problem()
    assert W.strides[0] == 0
    assert len({tuple(bits(x)) for x in X}) > 1
    others = (replace(case, seed=seed).problem() for seed in range(20))
    assert np.mean([REGIMES[regime].contains(*other, case.format).mean() for other in others]) >= 0.5


@pytest.mark.parametrize("shape", [(8192, 1, 3, 1), (5, 5, 2, 3, 2), (90, 1, 1, 1)])
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_mixed_stack_has_every_regime_that_its_shape_can_host(dtype: str, shape: tuple[int, ...]) -> None:
    case = Case("mixed", 4, shape, dtype=dtype)
    counts = regime_counts(case.problem(), case.format)
    assert [name for name in MIXED_REGIMES if not counts[name]] == ["cancelling"] * (shape[-2] == 1)
    assert sum(counts.values()) == case.problem().y.size


@pytest.mark.parametrize(("shape", "unsupported"), [((4, 8, 2, 3, 2), []), ((32, 1, 1, 1), ["cancelling"])])
@pytest.mark.parametrize("dtype", FORMATS)
def test_problem_k_of_a_mixed_stack_is_what_regime_k_makes_of_the_words_of_the_case(
    dtype: str, shape: tuple[int, ...], unsupported: list[str]
) -> None:
    case = Case("mixed", 4, shape, dtype=dtype)
    bits = draw_random_bits(f"mixed:4:{'x'.join(map(str, shape))}:{dtype}", ProblemShape.of(shape))
    regimes = [REGIMES[name] for name in MIXED_REGIMES if name not in unsupported]
    made = [regime.generate(bits, (32, *shape[-3:]), case.format) for regime in regimes]
    for k in range(32):
        want = Problem(*(array[k] for array in made[k % len(regimes)]))
        assert_same_bits(take(case, k).problem(), want)


@pytest.mark.parametrize("dtype", FORMATS)
def test_special_values_from_seed_0_on_are_the_whole_product(dtype: str) -> None:
    format = FORMATS[dtype]
    numbers = as_numbers(special_numbers(format), format)
    sizes = (0.0, format.least_subnormal, format.least_normal, 1.0, format.largest, np.inf)
    want = [sign * size for size in sizes for sign in (1.0, -1.0)]
    assert list(map(repr, numbers.astype(np.float64).tolist())) == list(map(repr, [*want, np.nan]))
    whole = Case("special_values", 0, (13, 169, 1, 1, 1), dtype=dtype).problem()
    triples = itertools.product(bits(numbers), repeat=3)
    assert list(zip(bits(whole.X), bits(whole.W), bits(whole.y), strict=True)) == list(triples)


def test_special_values_begin_at_the_seed_and_go_round() -> None:
    whole = Case("special_values", 0, (2197, 1, 1, 1)).problem()
    some = Case("special_values", 3 * 2197 + 2195, (4, 1, 1, 1)).problem()
    assert_same_bits(some, Problem(*(array[[2195, 2196, 0, 1]] for array in whole)))


@pytest.mark.parametrize("dtype", FORMATS)
def test_contiguous_arrays_are_aligned_to_64_bytes(dtype: str) -> None:
    for array in Case("ordinary", 1, (3, 2, 3, 1), dtype=dtype).problem():
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0
        assert array.dtype == FORMATS[dtype].dtype


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(("regime", "shares"), [("crossed", True), ("mixed", False)])
def test_a_problem_view_is_the_problem_in_the_same_layout(regime: str, shares: bool, dtype: str) -> None:
    case, other = (Case(regime, seed, (4096, 1, 3, 1), dtype=dtype) for seed in (5, 6))
    view = case.problem_view()
    assert_same_bits(view, case.problem())
    for array in view:
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0
    assert np.shares_memory(view.W, other.problem_view().W) == shares
    assert not np.shares_memory(view.W, case.problem().W)


def test_a_shape_may_have_any_number_of_stack_axes() -> None:
    assert [array.shape for array in Case("ordinary", 1, (2, 5, 4, 3, 2)).problem()] == [
        (2, 5, 4, 3),
        (2, 5, 4, 2),
        (2, 5, 3, 2),
    ]
    assert Case("ordinary", 1, (4, 3, 2)).problem().X.shape == (4, 3)


def test_seeds_and_shapes_have_bits_of_their_own() -> None:
    shapes = ((0, (8, 1, 3, 1)), (1, (8, 1, 3, 1)), (0, (4, 2, 3, 1)), (0, (2, 4, 1, 3, 1)))
    drawn = {tuple(bits(Case("ordinary", seed, shape).problem().X)) for seed, shape in shapes}
    assert len(drawn) == len(shapes)


@pytest.mark.parametrize("index", [5, (1, 2)])
def test_taking_one_problem_gives_its_literal(index: int | tuple[int, ...]) -> None:
    case = Case("subnormal", 9, (2, 3, 4, 3, 2), "reversed", "bfloat16")
    got = take(case, index)
    assert_same_bits(got.problem(), Problem(*(array[1, 2] for array in case.problem())))
    assert got.layout == "reversed"
    assert parse(got.text) == got


def test_taking_from_a_problem_without_a_stack_gives_all_of_it() -> None:
    case = Case("ordinary", 9, (4, 3, 2))
    assert take(case.problem(), 0) == Literal("float64", *case.problem())


@pytest.mark.parametrize("index", [6, -7, (2, 0), (0, 0, 0), (0,)])
def test_taking_what_is_not_there_is_one_clear_line(index: int | tuple[int, ...]) -> None:
    with pytest.raises(CaseError, match="there is no problem"):
        take(Case("ordinary", 9, (2, 3, 4, 3, 2)), index)
