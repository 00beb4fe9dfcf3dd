"""Behaviours: every probe can answer in two ways, and the report shows where adapters do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from planted import wrong
from planted.wrong import product, turned
from rich.console import Console

import adapters
from adapters import Spec
from adapters.conditions import Conditions
from adapters.errors import AdapterDied
from crosscheck.behaviours.command import survey_and_show
from crosscheck.behaviours.pair import Pair
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.behaviours.probes import PROBES
from crosscheck.behaviours.report import show
from crosscheck.behaviours.survey import MISBEHAVED, from_plain, observed, survey, to_plain
from crosscheck.cases import parse
from crosscheck.trial import Direct, Subject
from reference.formats import FORMATS, format_of
from reference.types import Array, Outputs

MOST_SHAPES = 10  # each costs a framework that compiles 50 to 80 ms
# As NumPy names what it found; X86_V4 is AVX-512 as all CPUs that have it have it.
SIMD = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
HAS_AVX512 = any(name.startswith(("AVX512", "X86_V4")) for name in SIMD)


def same(array: Array) -> Array:
    return array


def without_subnormals(array: Array) -> Array:
    least = format_of(array).least_normal
    return np.where(np.abs(array.astype(np.float64)) < least, 0, array).astype(array.dtype)


def one_bit_up(array: Array) -> Array:
    return np.nextafter(array, array.dtype.type(2))


def printed(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def once(z: Array) -> Array:
    """σ rounded once, so that its bits are the same on every CPU."""
    return printed(z.astype(np.float64)).astype(z.dtype)


def in_turn(X: Array, W: Array) -> Array:
    """X·W, added one by one in the dtype of X."""
    z = np.zeros((*X.shape[:-1], W.shape[-1]), X.dtype)
    for i in range(X.shape[-1]):
        z = z + X[..., :, i, None] * W[..., i, None, :]
    return z


def in_float64(X: Array, W: Array) -> Array:
    """X·W, added in float64, whose order does not matter for narrower formats here."""
    return np.matmul(X.astype(np.float64), W.astype(np.float64)).astype(X.dtype)


def narrow(terms: Array) -> Array:
    total = np.zeros(terms.shape[:-2], terms.dtype)
    for i in range(terms.shape[-2]):
        total = total + terms[..., i, 0]
    return total


def wide(terms: Array) -> Array:
    return np.asarray(terms.astype(np.float64).sum((-2, -1))).astype(terms.dtype)


class Delta(NamedTuple):
    """What ∂L/∂W is made from."""

    X: Array
    r: Array
    y_hat: Array
    z: Array


def backward(d: Delta) -> Array:
    return product(turned(d.X), d.r * d.y_hat * (1 - d.y_hat))


def made(  # noqa: PLR0913, each part of the network
    name: str,
    *,
    taken: Callable[[Array], Array] = same,
    dot: Callable[[Array, Array], Array] = product,
    sigma: Callable[[Array], Array] = once,
    total: Callable[[Array], Array] = wide,
    gradient: Callable[[Delta], Array] = backward,
    given: Callable[[Array], Array] = same,
) -> Subject:
    """A network that is right, with some of its parts computed in another way."""

    def evaluate(X: Array, y: Array, W: Array) -> Any:
        X, y, W = taken(X), taken(y), taken(W)
        z = dot(X, W)
        y_hat = given(sigma(z))
        r = y_hat - y
        loss = total(X.dtype.type(0.5) * r**2)
        return y_hat, loss, given(gradient(Delta(X, r, y_hat, z)))

    return Direct(wrong.Planted(name, evaluate))


def forward(d: Delta) -> Array:
    return without_subnormals(d.X * (d.y_hat * (1 - d.y_hat))) * d.r


def twice_r(d: Delta) -> Array:
    return d.X * (2 * d.r) * (d.y_hat * (1 - d.y_hat)) / 2


def by_inverse(z: Array) -> Array:
    return np.exp(z) / (1 + np.exp(z))


def by_place(z: Array) -> Array:
    y_hat = once(z)
    return np.where(np.arange(y_hat.size).reshape(y_hat.shape) % 8 == 7, one_bit_up(y_hat), y_hat)


def skipping_zeros(X: Array, W: Array) -> Array:
    return product(X, np.where(X == 0, 0, W).astype(W.dtype))


def if_stacked(change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda array: change(array) if len(array) > 1 else array


def unaligned(X: Array, W: Array) -> Array:
    z = product(X, W)
    return one_bit_up(z) if X.__array_interface__["data"][0] % 64 else z


HEALTHY = made("healthy")
PRINTED = made("printed", sigma=printed)
FLUSHING = made("flushing", taken=without_subnormals, given=without_subnormals)
QUOTIENT = Direct(wrong.nan_in_saturation)
HALF_BACK = "grad -0x1.8p+125 (-6.3802944e+37)"
SAME = "the same bits"
NAN = "y_hat nan, loss nan, grad nan"
ZERO = "y_hat 0x0p+0 (0.0)"
NO_GRAD = "grad 0x0p+0 (0.0)"
ALL_OTHER = "other bits: y_hat, loss, grad"
WIDE, NARROW = made("wide", dot=in_float64), made("narrow", dot=in_turn, total=narrow)
STACKED = made("stacked", given=if_stacked(one_bit_up))
Says = tuple[Subject, str]
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
        (Direct(wrong.float32_inside_float64), "grad 0x1p-3 (0.125), exact 0x1.0000000000001p-3"),
    ),
    "dtype": (
        "float32",
        (HEALTHY, "kept"),
        (Direct(wrong.wrong_dtype), "misbehaved: returned loss in float64, want float32"),
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
        (Pair(HEALTHY, lambda: HEALTHY), SAME),
        (Pair(HEALTHY, lambda: NARROW), "other bits: loss"),
    ),
    "runs": ("float32", (HEALTHY, SAME), (Direct(wrong.counts_calls), "other bits: grad")),
}


def value(subject: Subject, probe: str, dtype: str) -> str:
    (observation,) = observed(subject, [dtype], [PROBES[probe]])
    return observation.value


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_tells_two_planted_adapters_apart(name: str) -> None:
    dtype, *planted = PLANTED[name]
    for subject, says in planted:
        assert value(subject, name, dtype) == says
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
    ours = Direct(adapters.load("numpy"))
    found = survey({"numpy": Pair(ours, lambda: ours)}, [dtype])
    assert [each for each in found if not each.seen or each.value.startswith(MISBEHAVED)] == []


def test_the_probes_share_few_shapes() -> None:
    class Watched(Direct):
        def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
            seen.add((X.shape, W.shape))
            return super().evaluate(X, y, W)

    seen: set[tuple[tuple[int, ...], ...]] = set()
    watched = Watched(wrong.healthy)
    survey({"watched": Pair(watched, lambda: watched)}, ["float32"])
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
    assert value(Direct(adapters.load("numpy")), probe, dtype) == want


def test_what_an_adapter_lacks_is_said_and_is_no_answer() -> None:
    def alone(X: Array, y: Array, W: Array) -> Any:
        return {"y_hat": wrong.right(X, y, W)[0]}

    subject = Direct(wrong.Planted("y-hat", alone, "float32"))
    probes = [PROBES[name] for name in ("subnormal_operand", "subnormal_result", "threads")]
    there, absent = (list(observed(subject, [dtype], probes)) for dtype in ("float32", "float64"))
    lacking = "no second subject with other threads"
    assert [(each.value, each.seen) for each in there] == [
        ("kept", True),
        ("no grad", False),
        (lacking, False),
    ]
    assert {(each.value, each.seen) for each in absent} == {("no float64", False)}


def test_what_came_before_a_death_stays_and_the_death_goes_to_the_caller() -> None:
    class Dying(Direct):
        def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
            if X.shape[-1] > 1:
                raise AdapterDied("dying", "exited with status 0", None, Path("dying.log"))
            return super().evaluate(X, y, W)

    answers = observed(Dying(wrong.healthy), ["float32"], [PROBES["subnormal_result"], PROBES["dot_width"]])
    assert next(answers).value == "kept"
    with pytest.raises(AdapterDied, match="dying exited"):
        next(answers)


def test_observations_survive_json() -> None:
    subjects = {"one": HEALTHY, "other": Direct(wrong.refuses)}
    found = survey(subjects, ["float32"], [PROBES["dtype"], PROBES["dot_width"]])
    assert from_plain(json.loads(json.dumps(to_plain(found)))) == found


def told(observations: Sequence[Observation], *, everything: bool = False, width: int = 80) -> list[str]:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    show(observations, list(PROBES.values()), console, everything=everything)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # the StringIO from above


@pytest.fixture(scope="module")
def observations() -> list[Observation]:
    probes = [PROBES[name] for name in ("subnormal_operand", "z_plus_inf", "dtype")]
    subjects = {s.description.name: s for s in (HEALTHY, FLUSHING, Direct(wrong.refuses))}
    return survey(subjects, ["float32", "float16"], probes)


def test_the_report_shows_only_where_adapters_differ(observations: list[Observation]) -> None:
    text = told(observations)
    assert text[1].startswith("subnormal_operand: ")
    assert text[3:6] == [
        "  float32   kept: planted-healthy",
        "            flushed: planted-flushing",
        "            float32:X=[[[0x1p-127]]]:y=[[[0x0p+0]]]:W=[[[0x1p+127]]]",
    ]
    assert not any(line.startswith(("z_plus_inf", "dtype")) for line in text)
    assert "Adapters differ in 2 of 6 rows, a probe in a dtype each; --all shows the others." in text


def test_the_report_shows_everything_where_that_is_asked_for(observations: list[Observation]) -> None:
    text = told(observations, everything=True)
    assert [line.partition(":")[0] for line in text if "?" in line] == [
        *("subnormal_operand", "z_plus_inf", "dtype"),
    ]
    assert "  float32   kept: planted-healthy, planted-flushing" in text


def test_the_report_gives_a_reason_for_no_answer_once(observations: list[Observation]) -> None:
    text = told(observations)
    at = text.index("No answer:")
    assert text[at + 1].startswith("  planted-refuses: no stacks here (3 probes)")
    assert text[at + 2] == ""


def test_the_report_fits_into_80_columns_but_for_inputs_which_stay_whole() -> None:
    case = "x" * 200
    found = [
        Observation(probe, f"an-adapter-{i}", "float32", f"value {i % 2}", case)
        for probe in PROBES
        for i in range(20)
    ]
    text = told(found)
    assert sum(case in line for line in text) == len(PROBES)
    assert max(len(line) for line in text if case not in line) <= 80


def run(tmp_path: Path, *names: str) -> int:
    specs = [Spec(target, target) for target in (f"tests.planted.{name}" for name in names)]
    probes = [PROBES[name] for name in ("subnormal_operand", "threads")]
    return survey_and_show(specs, Conditions(tmp_path), dtypes=["float32"], probes=probes)


def test_a_survey_of_children_is_healthy_whatever_they_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    assert run(tmp_path, "wrong:healthy") == 0
    assert "Adapters differ in 0 of 2 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"), [("deaths:always", "exited with status 0"), ("wrong:raises", "misbehaved: raised")]
)
def test_who_dies_or_misbehaves_is_listed_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv("CI", "1")
    assert run(tmp_path, name, "wrong:healthy") == 1
    out = capsys.readouterr().out
    assert said in out
    assert "planted-healthy: planted 1.0, cpu" in out
