"""The lemmas for Gappa: it proves them, and no smaller radius; the radii that they name are the code's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from lemma_radii import Numbers, with_radii

from reference import bounds, stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.balls import precision
from reference.formats import FORMATS
from reference.product import Product, spread
from reference.types import Array, Problem
from tools import proof

RADII = {"e_z": "z", "e_p": "y_hat", "e_r": "dL_dyhat", "e_L": "loss", "e_Delta": "delta", "e_G": "grad"}
needs_gappa = pytest.mark.skipif(shutil.which("gappa") is None, reason=proof.HOW_TO_INSTALL)
FLOAT32 = FORMATS["float32"]
# The relative error of the code's radii for sums of k = 3 terms, (k+40)·2^-53 (docs/accuracy.md).
OF_THE_RADII = 43 * Fraction(2) ** -53
# For each lemma a constant of its radius that is smaller than it must be.
TOO_SMALL = {
    "complement": {"kappa_u": Fraction(1, 4)},
    "delta": {"gamma": Fraction(1, 2)},
    "exact": {},
    "expanded": {"wide_u": Fraction(1, 2)},
    "forward": {"h": Fraction(1, 20)},
    "gradient": {"nu_gradient": Fraction(1, 4)},
    "least": {},
    "logistic": {"kappa_u": Fraction(3, 4)},
    "loss": {"nu_loss": Fraction(1, 2)},
    "lost": {"phi": Fraction(1, 4)},
    "model": {},
    "product": {"nu_dot": Fraction(1, 2)},
    "residual": {"wide_u": Fraction(1, 2)},
}


def numbers(dtype: str, claims: str) -> Numbers:
    format = FORMATS[dtype]
    return proof.constants(format, proof.claims_of(format, claims))


@pytest.mark.long
@needs_gappa
@pytest.mark.parametrize("dtype", proof.DTYPES)
@pytest.mark.parametrize("name", proof.NAMES)
def test_gappa_proves_the_lemma_under_default_claims(name: str, dtype: str) -> None:
    assert proof.not_proved(name, FORMATS[dtype], numbers(dtype, "default")) == []


@needs_gappa
@pytest.mark.long
def test_gappa_proves_every_lemma_under_all_claims(capsys: pytest.CaptureFixture[str]) -> None:
    assert proof.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(proof.NAMES) * len(proof.DTYPES) * len(proof.CLAIMS)
    assert all(line.endswith(" proved") for line in lines)


def test_without_gappa_the_command_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SystemExit, match="apt-get install gappa"):
        proof.main()


@needs_gappa
@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, smaller in TOO_SMALL.items() if smaller])
def test_a_radius_with_a_smaller_constant_is_not_proved(name: str) -> None:
    found = numbers("float32", "default")
    smaller = {each: found[each] * factor for each, factor in TOO_SMALL[name].items()}
    assert proof.not_proved(name, FLOAT32, {**found, **smaller})


@needs_gappa
def test_a_rewriting_that_is_no_identity_is_refused() -> None:
    assert "not trivially equal" in proof.complaint("{ a in [1, 2] -> a*a - a >= 0 }\na*a - a -> a*(a+1);")


def test_every_lemma_is_listed_with_what_breaks_it() -> None:
    assert tuple(TOO_SMALL) == proof.NAMES


def exactly(array: Array) -> Fraction:
    return Fraction(float(array.flat[0]))


def problems(dtype: str) -> Iterator[tuple[Problem, dict[str, AdmissibleSet], stable.Reference]]:
    """Problems of the document's shape, whose sums round, with their sets and float64 reference."""
    random = np.random.default_rng(5)
    format = FORMATS[dtype]
    for _ in range(50):
        X, y, W = (random.normal(size=size).astype(dtype) for size in ((1, 3), (1, 1), (3, 1)))
        given = Problem(X, y, W)
        reference = stable.evaluate(*stable.widen(given))
        yield given, bounds.admissible(given, format, default_arithmetic(format), reference), reference


def of_lemmas(given: Problem, sets: Mapping[str, AdmissibleSet], reference: stable.Reference) -> Numbers:
    """The radii of ŷ, L and ∂L/∂w₁, and of what leads to them, by the formulas of the lemmas."""
    none = np.zeros((1, 1), np.bool_)
    product = Product(reference.z, sets["z"].radius, none, none, none, none)
    s = exactly(spread(product, reference.p, reference.q))
    p, q, r, delta = (exactly(a) for a in (reference.p, reference.q, reference.r, reference.delta))
    one = Fraction(1)
    known = numbers(given.X.dtype.name, "default")
    known |= {"T": exactly(reference.T), "S": Fraction(0), "s": s, "p": p, "q": q, "a": abs(r)}
    known |= {"m": min(one, p + s), "m_p": min(one, p + s), "m_q": min(one, q + s), "size": abs(r)}
    known = with_radii(known, "product", "logistic", "complement", "residual")
    known |= {"A": abs(r) + known["e_r"]}
    known |= {"p_1": min(one, p + known["e_p"]), "q_1": min(one, q + known["e_q"])}
    known = with_radii(known, "loss", "delta")
    known |= {"b": abs(exactly(given.X)), "size": abs(delta) + known["e_Delta"]}
    return with_radii(known, "gradient")


@pytest.mark.parametrize("dtype", proof.DTYPES)
def test_the_radii_of_the_lemmas_are_those_of_the_code(dtype: str) -> None:
    for given, sets, reference in problems(dtype):
        known = of_lemmas(given, sets, reference)
        for radius, name in RADII.items():
            got, want = exactly(sets[name].radius), known[radius]
            assert abs(got - want) <= OF_THE_RADII * want, (name, float(got), float(want))


def sigma(t: arb) -> arb:
    return 1 / (1 + (-t).exp())


def test_sigma_moves_by_less_than_the_code_says() -> None:
    """The lemma on s, by balls: |σ(z ± e) − σ(z)| ≤ (1 − 2^-13)·s."""
    random = np.random.default_rng(7)
    z = random.choice([1.0, 30.0, 700.0], size=2000) * random.uniform(-1, 1, 2000)
    e = 10.0 ** random.uniform(-18, 2, 2000)
    none = np.zeros(z.shape, np.bool_)
    s = spread(Product(z, e, none, none, none, none), *stable.logistic(z))
    with precision(2048):
        for center, radius, most in zip(z.tolist(), e.tolist(), s.tolist(), strict=True):
            for end in (arb(center) - radius, arb(center) + radius):
                assert abs(sigma(end) - sigma(arb(center))) <= arb(most) * (1 - arb(2) ** -13), (
                    center,
                    radius,
                )


def test_the_references_logistic_is_as_good_as_the_lemmas_take_it_to_be() -> None:
    random = np.random.default_rng(11)
    z = np.concatenate([random.uniform(-746, -700, 500), random.normal(size=500) * 20])
    numbers_of = numbers("float64", "default")
    kappa, phi = (numbers_of[name] for name in ("kappa_reference", "phi_reference"))
    with precision(2048):
        for t, sides in zip(z.tolist(), np.transpose(stable.logistic(z)).tolist(), strict=True):
            for side, got in zip((t, -t), sides, strict=True):
                want = sigma(arb(side))
                assert abs(arb(got) - want) <= want * float(kappa) + float(phi), t


def test_a_literal_of_gappa_is_the_number_itself() -> None:
    given = [Fraction(0), Fraction(-3, 4), Fraction(FLOAT32.largest), Fraction(2) ** -1075]
    pairs = [proof.literal(value).split("b") for value in given]
    assert [int(n) * Fraction(2) ** int(exponent) for n, exponent in pairs] == given


def test_what_is_claimed_reaches_the_lemmas() -> None:
    assert proof.claims_of(FLOAT32, "flush") == Arithmetic(default_arithmetic(FLOAT32).kappa, flush=True)
    assert numbers("float32", "flush")["h"] == Fraction(FLOAT32.least_normal)
