"""The admissible sets: exact values and the document's arithmetic lie in them; false claims are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from admissible_sets import CLAIMS, problem, sets

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from reference import double_double, network, oracle
from reference.admissible import AdmissibleSet
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic, widening
from reference.formats import FORMATS, Format
from reference.types import Array, Float64, Problem
from reference.units import Units

SHAPES = ((64, 1, 3, 1), (12, 3, 5, 2), (4, 2, 33, 1))
FINITE = [name for name in REGIMES if name != "non_finite"]


def generated(regime: str, shape: tuple[int, ...], dtype: str, seed: int = 2) -> Problem:
    format = FORMATS[dtype]
    reason = REGIMES[regime].unsupported(shape, format)
    if reason:
        pytest.skip(reason)
    return Case(regime, seed, shape, dtype=dtype).problem()


def assert_exact_is_admissible(given: Problem, found: Mapping[str, AdmissibleSet]) -> None:
    ends = {name: (s.lo, s.hi) for name, s in found.items()}
    inside = oracle.inside(*given, ends=ends)
    for name, within in inside.items():
        assert (within & ~found[name].must).all(), f"{name}: {np.argwhere(~within)[:3].tolist()}"


def assert_admissible(got: Mapping[str, Array | None], found: Mapping[str, AdmissibleSet]) -> None:
    for name, value in got.items():
        if value is not None:
            inside = found[name].contains(np.asarray(value).astype(np.float64))
            assert inside.all(), f"{name}: {np.argwhere(~inside)[:3].tolist()}"


@pytest.mark.untraced
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("regime", FINITE)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_exact_value_is_admissible(dtype: str, regime: str, shape: tuple[int, ...]) -> None:
    given = generated(regime, shape, dtype)
    assert_exact_is_admissible(given, sets(given))


@pytest.mark.untraced
@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_exact_value_is_admissible_whatever_is_claimed(dtype: str, claim: str) -> None:
    for regime in FINITE:
        given = Case(regime, 3, (4, 2, 3, 2), dtype=dtype).problem()
        assert_exact_is_admissible(given, sets(given, **CLAIMS[claim]))


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_document_in_its_own_arithmetic_is_admissible(dtype: str, regime: str) -> None:
    for shape in ((512, 1, 3, 1), (64, 7, 3, 2), (64, 2, 33, 1)):
        if not REGIMES[regime].unsupported(shape, FORMATS[dtype]):
            given = generated(regime, shape, dtype)
            assert_admissible(network.evaluate(*given)._asdict(), sets(given))


def every_finite(format: Format) -> Array:
    """The finite numbers of a 16-bit format: exponent bits not all ones."""
    bits = np.arange(2**16, dtype=np.uint16)
    infinity = np.array(np.inf, format.dtype).view(np.uint16)
    return bits[(bits & infinity) != infinity].view(format.dtype)


def enclosure(given: Problem) -> dict[str, tuple[Float64, Float64]]:
    """Ends between which ŷ, L and ∂L/∂W lie exactly at m = n = p = 1, X = 1, y in {0, 1, ½}.

    Certified pairs where |z| < 480; beyond it ŷ is within e^-480 < 2^-692 of c = 0 or c = 1, so that L is
    within 2^-692 of ½(c−y)², which float64 holds, and |∂L/∂W| < 2^-692.
    """
    z, y = (a.astype(np.float64) for a in (given.W, given.y))
    known, beyond = double_double.evaluate(*given), np.abs(z) >= 480
    c, least = (z > 0).astype(np.float64), 2.0**-692
    limits = {"y_hat": c, "loss": (0.5 * (c - y) ** 2)[:, 0, 0], "grad": 0 * c}
    ends = {}
    for name, limit in limits.items():
        far = beyond.reshape(limit.shape)
        certified = getattr(known, name)
        assert (certified.certified | far).all()
        middle = np.where(far, limit, certified.hi)
        reach = np.where(far, least, np.abs(certified.lo) + certified.radius)
        ends[name] = np.nextafter(middle - reach, -np.inf), np.nextafter(middle + reach, np.inf)
    return ends


@pytest.mark.parametrize("label", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_16_bit_weight_has_its_exact_and_computed_outputs_admitted(dtype: str, label: float) -> None:
    weights = every_finite(FORMATS[dtype])[:, None, None]
    ones = np.ones_like(weights)
    given = Problem(ones, ones * ones.dtype.type(label), weights)
    found = sets(given)
    for name, (low, high) in enclosure(given).items():
        assert (np.maximum(low, found[name].low) >= found[name].lo).all(), name
        assert (np.minimum(high, found[name].high) <= found[name].hi).all(), name
    assert_admissible(network.evaluate(*given)._asdict(), found)


@pytest.mark.parametrize(("dtype", "n"), [("bfloat16", 63), ("float16", 511)])
def test_a_sum_of_too_many_terms_is_not_judged_and_one_term_less_is(dtype: str, n: int) -> None:
    def judged(terms: int, **claims: object) -> bool:
        zeros = [[0.0] * terms]
        found = sets(problem(zeros, [[0.0]], np.transpose(zeros), dtype), **claims)
        return bool(found["y_hat"].judged.all())

    assert not judged(n)
    assert judged(n - 1)
    assert judged(n, u_acc=2.0**-24)


def test_a_long_loss_or_many_samples_are_not_judged_although_y_hat_is() -> None:
    found = sets(problem(np.zeros((63, 1)), np.zeros((63, 1)), [[0.0]], "bfloat16"))
    assert {name for name, s in found.items() if not s.judged.any()} == {"loss", "grad"}


def test_a_wide_accumulator_narrows_the_set_and_a_narrower_one_than_the_format_changes_nothing() -> None:
    given = problem(np.ones((1, 33)), [[0.0]], np.ones((33, 1)), "float16")
    own, wide, narrow = (sets(given, u_acc=u)["z"].radius for u in (None, 2.0**-24, 2.0**-8))
    assert wide < own == narrow


@pytest.mark.parametrize("kappa", [0.99, float("nan")])
def test_a_logistic_that_rounds_has_a_kappa_of_at_least_1(kappa: float) -> None:
    sentence = f"^kappa is {kappa}, want at least 1: a logistic rounds its result$"
    with pytest.raises(ValueError, match=sentence):
        Arithmetic(kappa)
    assert Arithmetic(1.0).kappa == 1


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_default_claims_are_the_kappa_of_the_reference_with_its_source(dtype: str) -> None:
    claims = default_arithmetic(FORMATS[dtype])
    assert claims == Arithmetic(KAPPA[dtype])
    assert list(claims.sources) == ["kappa"]
    file, _, what = claims.sources["kappa"].partition(": ")
    assert (Path(__file__).parents[2] / file).is_file()
    assert what == "the reference's own κ"


@pytest.mark.parametrize("name", ["u_acc", "u_sum", "u_in"])
@pytest.mark.parametrize("value", [-(2.0**-24), 1.0, float("nan")])
def test_a_unit_roundoff_lies_in_0_to_1(name: str, value: float) -> None:
    claims: dict[str, Any] = {"kappa": 5.0, name: value}
    with pytest.raises(ValueError, match=rf"^{name} is {value}, want a unit roundoff in \[0, 1\)$"):
        Arithmetic(**claims)


@pytest.mark.parametrize("name", ["u_acc", "u_sum", "u_in"])
def test_a_unit_roundoff_of_0_is_one(name: str) -> None:
    claims: dict[str, Any] = {"kappa": 5.0, name: 0.0}
    assert getattr(Arithmetic(**claims), name) == 0


def test_the_claims_that_widen_a_set_are_named_and_others_are_not() -> None:
    assert widening(Arithmetic(7.0, flush=True, u_acc=2.0**-24, u_in=2.0**-11)) == ["flush", "u_in"]
    assert widening(Arithmetic(7.0)) == []


def test_the_roundings_on_the_way_to_each_output_are_counted() -> None:
    """X 1×3 in float32, κ = 5: R_ŷ = 4 + 5, R_r = 10, R_L = 2·10 + 4, R_∂L/∂W = 10 + 2·9 + 5 + 4 + 2."""
    found = Units.of(FORMATS["float32"], Arithmetic(5.0)).roundings((1, 3, 1))
    whole = {name: round(count) for name, count in found.items()}
    assert whole == {"y_hat": 9, "loss": 24, "row_loss": 24, "grad": 39}
