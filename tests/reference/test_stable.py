"""The float64 reference: its κ, and its rewrites against the document's own forms."""

from __future__ import annotations

import numpy as np
import pytest

from crosscheck.inputs import Case
from reference import bounds, network, oracle, stable
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.types import Float64, Problem
from reference.units import KAPPA_REFERENCE, U_REFERENCE, Units

FLOAT64 = FORMATS["float64"]
CLAIMS = Arithmetic(KAPPA_REFERENCE)


def arguments() -> Float64:
    """z over all that σ resolves, dense where it bends."""
    random = np.random.default_rng(0)
    dense = random.normal(0, 3, 4000), random.uniform(-40, 40, 4000)
    return np.concatenate([np.linspace(-745, 745, 3001), *dense, [0.0, 2.0**-1074]])


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("side", [0, 1])
def test_the_logistic_is_within_the_reference_s_kappa(side: int) -> None:
    z = arguments()[:, None, None]
    exact = oracle.evaluate(np.ones_like(z), np.zeros_like(z), -z if side else z).y_hat
    hi, lo = oracle.to_floats(exact)
    error = np.abs((stable.logistic(z)[side] - hi) - lo)
    assert (error <= KAPPA_REFERENCE * U_REFERENCE * hi + 1 / FLOAT64.largest).all()


@pytest.mark.parametrize("inner", range(1, 12))
def test_a_loop_over_few_terms_and_a_matmul_over_many_are_products(inner: int) -> None:
    random = np.random.default_rng(inner)
    A, B = random.normal(size=(64, 3, inner)), random.normal(size=(64, inner, 2))
    z, T = stable.product_and_size(A, B)
    radius = Units.of(FLOAT64, CLAIMS).nu_dot(inner) * T
    for got in (z, stable.contract(A, B)):
        assert (np.abs(got - np.matmul(A, B)) <= radius).all()
    assert (np.abs(T - np.matmul(np.abs(A), np.abs(B))) <= radius).all()


@pytest.mark.parametrize("regime", ["ordinary", "saturated_high", "saturated_low", "near_label"])
def test_the_rewrites_agree_with_the_document_s_forms(regime: str) -> None:
    given = Case(regime, 4, (64, 5, 3, 2)).problem()
    reference, sets = stable.evaluate(*given), bounds.admissible(given, FLOAT64, CLAIMS)
    y_hat = network.y_hat_of_product(given.X, given.W)
    forms = {
        "z": (reference.z, network.matmul(given.X, given.W)),
        "y_hat": (reference.p, y_hat),
        "dL_dyhat": (reference.r, network.dL_dyhat(given.y, y_hat)),
        "dyhat_dz": (reference.slope, y_hat * (1 - y_hat)),
        "delta": (reference.delta, network.delta(given.y, y_hat)),
        "grad": (reference.grad, network.gradient_factored(given.X, given.y, y_hat)),
        "row_loss": (stable.half_squares(reference.r)[0], network.row_loss(given.y, y_hat)),
        "loss": (stable.half_squares(reference.r)[1], network.loss(given.y, y_hat)),
    }
    for name, (rewritten, printed) in forms.items():
        assert (sets[name].center == rewritten).all(), name
        assert sets[name].contains(printed).all(), name


def test_one_minus_y_hat_keeps_its_digits_where_the_document_s_form_has_lost_them() -> None:
    z = np.array([40.0])
    p, q = stable.logistic(z)
    assert 1 - p == 0 < q < np.exp(-39.0)


def test_a_loss_is_added_up_in_the_same_order_wherever_its_memory_lies() -> None:
    r = np.random.default_rng(1).normal(size=(16, 33, 17))
    straight, turned = stable.half_squares(r), stable.half_squares(np.asfortranarray(r))
    assert all((a == b).all() for a, b in zip(straight, turned, strict=True))


def test_widening_keeps_every_number_and_is_silent_about_signalling_nan() -> None:
    bits = np.array([0x7F81, 0x3F80, 0xFF80], np.uint16).view(FORMATS["bfloat16"].dtype)[:, None]
    wide = stable.widen(Problem(bits, bits, bits))
    assert np.array_equal(wide.X[:, 0], [np.nan, 1.0, -np.inf], equal_nan=True)
