"""Behaviours: every probe can answer in two ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adapters
from adapters.errors import AdapterCrashed
from crosscheck.behaviours.probe import Probe, WithThreadVariant
from crosscheck.behaviours.survey import PROBES, observations_of
from crosscheck.cases import parse
from crosscheck.evaluation import CheckedAdapter, InProcessAdapter
from crosscheck.results.lines import MISBEHAVED
from reference.formats import FORMATS
from reference.types import Array, Outputs
from tests.faulty_adapters import wrong
from tests.faulty_adapters.networks import (
    backward,
    by_inverse,
    by_place,
    forward,
    if_stacked,
    in_float64,
    in_turn,
    made,
    narrow,
    one_bit_up,
    printed,
    skipping_zeros,
    twice_r,
    unaligned,
    without_subnormals,
)

MOST_SHAPES = 10  # each costs a framework that compiles 50 to 80 ms
# As NumPy names what it found; X86_V4 is AVX-512 as all CPUs that have it have it.
SIMD = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
HAS_AVX512 = any(name.startswith(("AVX512", "X86_V4")) for name in SIMD)

HEALTHY = made("healthy")
PRINTED = made("printed", sigma=printed)
FLUSHING = made("flushing", taken=without_subnormals, given=without_subnormals)
QUOTIENT = InProcessAdapter(wrong.nan_in_saturation)
HALF_BACK = "grad -0x1.8p+125 (-6.3802944e+37)"
SAME = "the same bits"
NAN = "y_hat nan, loss nan, grad nan"
ZERO = "y_hat 0x0p+0 (0.0)"
NO_GRAD = "grad 0x0p+0 (0.0)"
ALL_OTHER = "other bits: y_hat, loss, grad"
WIDE, NARROW = made("wide", dot=in_float64), made("narrow", dot=in_turn, total=narrow)
STACKED = made("stacked", given=if_stacked(one_bit_up))
Says = tuple[CheckedAdapter, str]
# By probe: a dtype, and two adapters with what the probe says of each.
PLANTED: dict[str, tuple[str, Says, Says]] = {
    "subnormal_operand": ("float32", (HEALTHY, "kept"), (FLUSHING, "flushed")),
    "subnormal_result": ("float32", (HEALTHY, "kept"), (FLUSHING, "flushed")),
    "subnormal_times_inf": ("float32", (HEALTHY, "y_hat 1"), (FLUSHING, "y_hat nan")),
    "subnormal_sigma": ("float16", (HEALTHY, "y_hat 0x1.7dp-15 (4.54e-05)"), (FLUSHING, ZERO)),
    "forward_underflow": (
        "float32",
        (HEALTHY, "grad -0x1p-64 (-5.421011e-20)"),
        (made("forward", gradient=forward), NO_GRAD),
    ),
    "partial_sum_overflow": ("float32", (WIDE, "y_hat 0.5"), (NARROW, "y_hat 1")),
    "cancelling_sum": ("float32", (WIDE, "z = 3"), (NARROW, "z = 0")),
    "dot_width": ("bfloat16", (WIDE, "wide"), (NARROW, "narrow")),
    "loss_width": ("bfloat16", (WIDE, "wide"), (NARROW, "narrow: loss 0x1p+7 (128)")),
    "twice_r_overflow": ("float32", (HEALTHY, HALF_BACK), (made("twice", gradient=twice_r), "grad -inf")),
    "zero_gradient_sign": (
        "float32",
        (HEALTHY, "grad 0x0p+0"),
        (made("negated", gradient=lambda d: -backward(d)), "grad -0x0p+0"),
    ),
    "saturated_gradient": (
        "float32",
        (PRINTED, f"{NO_GRAD}, exact 4.14e-08"),
        (HEALTHY, "grad 0x1.fffffcp-25 (5.9604638e-08), exact 4.14e-08"),
    ),
    "sigma_overflow": ("float32", (PRINTED, f"{ZERO}, {NO_GRAD}"), (QUOTIENT, f"{ZERO}, grad nan")),
    "nan_times_zero": (
        "float32",
        (HEALTHY, NAN),
        (made("skips", dot=skipping_zeros), f"y_hat 0x1p-1 (0.5), loss 0x1p-3 (0.125), {NO_GRAD}"),
    ),
    "z_plus_inf": (
        "float32",
        (HEALTHY, f"y_hat 0x1p+0 (1.0), loss 0x1p-1 (0.5), {NO_GRAD}"),
        (made("inverse", sigma=by_inverse), NAN),
    ),
    "z_minus_inf": (
        "float32",
        (HEALTHY, f"{ZERO}, loss 0x0p+0 (0.0), {NO_GRAD}"),
        (QUOTIENT, f"{ZERO}, loss 0x0p+0 (0.0), grad nan"),
    ),
    "last_digit": (
        "float64",
        (HEALTHY, "kept"),
        (InProcessAdapter(wrong.float32_inside_float64), "grad 0x1p-3 (0.125), exact 0x1.0000000000001p-3"),
    ),
    "dtype": (
        "float32",
        (HEALTHY, "kept"),
        (InProcessAdapter(wrong.wrong_dtype), "misbehaved: returned loss in float64, want float32"),
    ),
    "position": (
        "float32",
        (HEALTHY, SAME),
        (made("by-place", sigma=by_place), "2 bit patterns, the second at place 8 of 33"),
    ),
    "stacking": ("float32", (HEALTHY, SAME), (STACKED, f"128 of 128 networks have {ALL_OTHER}")),
    "stacking_subnormal": ("float32", (HEALTHY, SAME), (STACKED, f"128 of 128 networks have {ALL_OTHER}")),
    "alignment": ("float32", (HEALTHY, SAME), (made("unaligned", dot=unaligned), ALL_OTHER)),
    "threads": (
        "float32",
        (WithThreadVariant(HEALTHY, lambda: HEALTHY), SAME),
        (WithThreadVariant(HEALTHY, lambda: NARROW), "other bits: loss"),
    ),
    "runs": ("float32", (HEALTHY, SAME), (InProcessAdapter(wrong.counts_calls), "other bits: grad")),
}


def value(adapter: CheckedAdapter, probe: str, dtype: str) -> str:
    (observation,) = observations_of(adapter, [dtype], [PROBES[probe]])
    return observation.value


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_tells_two_planted_adapters_apart(name: str) -> None:
    dtype, *planted = PLANTED[name]
    for adapter, says in planted:
        assert value(adapter, name, dtype) == says
    assert len({says for _, says in planted}) == 2


def test_a_flush_in_large_calls_only_shows_where_operands_are_subnormal() -> None:
    flushing = made("flushing", taken=if_stacked(without_subnormals))
    assert value(flushing, "stacking", "float32") == SAME
    assert value(flushing, "stacking_subnormal", "float32").endswith(ALL_OTHER)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16])
def test_a_narrow_accumulator_shows_in_any_number_of_lanes(dtype: str, lanes: int) -> None:
    def in_lanes(X: Array, W: Array) -> Array:
        parts = [in_turn(X[..., lane::lanes], W[..., lane::lanes, :]) for lane in range(lanes)]
        return in_turn(np.concatenate(parts, -1), np.ones((1, lanes, 1), X.dtype))

    assert value(made("lanes", dot=in_lanes), "dot_width", dtype) == "narrow"


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("probe", PROBES.values(), ids=lambda probe: probe.name)
def test_an_input_is_a_case_that_can_be_replayed(probe: Probe, dtype: str) -> None:
    case = probe.case(FORMATS[dtype])
    for array, read in zip(case.problem(), parse(case.text).problem(), strict=True):
        assert np.array_equal(array.view(np.uint8), read.view(np.uint8))


@pytest.mark.parametrize("dtype", FORMATS)
def test_every_probe_has_an_answer_in_every_dtype(dtype: str) -> None:
    ours = InProcessAdapter(adapters.load("numpy"))
    found = observations_of(WithThreadVariant(ours, lambda: ours), [dtype])
    assert [each for each in found if not each.seen or each.value.startswith(MISBEHAVED)] == []


def test_the_probes_share_few_shapes() -> None:
    class Watched(InProcessAdapter):
        def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
            seen.add((X.shape, W.shape))
            return super().evaluate(X, y, W)

    seen: set[tuple[tuple[int, ...], ...]] = set()
    watched = Watched(wrong.healthy)
    assert list(observations_of(WithThreadVariant(watched, lambda: watched), ["float32"]))
    assert len(seen) <= MOST_SHAPES


OF_THE_CPU = pytest.mark.skipif(not HAS_AVX512, reason="BLAS's order and the last bits of exp depend on it")


@pytest.mark.parametrize(
    ("probe", "dtype", "want"),
    [
        ("subnormal_operand", "float32", "kept"),
        pytest.param("subnormal_sigma", "float32", "y_hat 0x1.07b71p-127 (6.054601e-39)", marks=OF_THE_CPU),
        ("subnormal_times_inf", "float32", "y_hat 1"),
        pytest.param("partial_sum_overflow", "float32", "y_hat 0.5", marks=OF_THE_CPU),
        pytest.param("cancelling_sum", "float32", "z = 3", marks=OF_THE_CPU),
        ("dot_width", "float16", "wide"),
        ("dot_width", "bfloat16", "wide"),
        ("loss_width", "bfloat16", "narrow: loss 0x1p+7 (128)"),
        ("twice_r_overflow", "float32", HALF_BACK),
        ("zero_gradient_sign", "float32", "grad 0x0p+0"),
        ("saturated_gradient", "float32", f"{NO_GRAD}, exact 4.14e-08"),
        ("saturated_gradient", "float64", f"{NO_GRAD}, exact 8.53e-17"),
        ("sigma_overflow", "float64", f"{ZERO}, {NO_GRAD}"),
        ("nan_times_zero", "float32", NAN),
        ("position", "float32", SAME),
        ("runs", "float32", SAME),
    ],
)
def test_numpy_behaves_as_it_is_known_to(probe: str, dtype: str, want: str) -> None:
    assert value(InProcessAdapter(adapters.load("numpy")), probe, dtype) == want


def test_what_an_adapter_lacks_is_said_and_is_no_answer() -> None:
    def alone(X: Array, y: Array, W: Array) -> Any:
        return {"y_hat": wrong.right(X, y, W)[0]}

    adapter = InProcessAdapter(wrong.Planted("y-hat", alone, "float32"))
    probes = [PROBES[name] for name in ("subnormal_operand", "subnormal_result", "threads")]
    there, absent = (list(observations_of(adapter, [dtype], probes)) for dtype in ("float32", "float64"))
    missing = "no second adapter with other threads"
    assert [(each.value, each.seen) for each in there] == [
        ("kept", True),
        ("no grad", False),
        (missing, False),
    ]
    assert {(each.value, each.seen) for each in absent} == {("no float64", False)}


def test_what_came_before_a_crash_stays_and_the_crash_goes_to_the_caller() -> None:
    class Crashing(InProcessAdapter):
        def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
            if X.shape[-1] > 1:
                raise AdapterCrashed("crashing", "exited with status 0", None, Path("crashing.log"))
            return super().evaluate(X, y, W)

    answers = observations_of(
        Crashing(wrong.healthy), ["float32"], [PROBES["subnormal_result"], PROBES["dot_width"]]
    )
    assert next(answers).value == "kept"
    with pytest.raises(AdapterCrashed, match="crashing exited"):
        next(answers)
