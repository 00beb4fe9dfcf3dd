"""No setting of NumPy's floating-point errors changes what the reference computes, or lets it raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from admissible_sets import arithmetic

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import errors, exact_values
from crosscheck.judging.judge import Judge
from reference import bounds, double_double, network, stable
from reference.formats import FORMATS
from reference.types import Outputs, Problem


def judged(given: Problem) -> Any:
    judge = Judge(given)
    outputs = Outputs(**network.evaluate(*given)._asdict())
    found = judge.judge(outputs, arithmetic(judge.format.name))
    exact = exact_values(judge, 2)
    return found, exact, errors(outputs, exact, judge.format)


FUNCTIONS: dict[str, Callable[[Problem], Any]] = {
    "network": lambda given: network.evaluate(*given),
    "stable": lambda given: stable.evaluate(*stable.widen(given)),
    "double-double": lambda given: double_double.evaluate(*given),
    "sets": lambda given: bounds.admissible(
        given, FORMATS[given.X.dtype.name], arithmetic(given.X.dtype.name)
    ),
    "judge": judged,
}


def leaves(found: Any) -> list[Any]:
    """The arrays and numbers in nested tuples and dictionaries."""
    if isinstance(found, dict):
        found = tuple(found.values())
    return [leaf for each in found for leaf in leaves(each)] if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", FORMATS)
def test_errors_that_raise_elsewhere_are_silent_here_and_change_nothing(dtype: str, name: str) -> None:
    for regime in REGIMES:
        given = Case(regime, 1, (8, 2, 3, 2), dtype=dtype).problem()
        quiet = leaves(FUNCTIONS[name](given))
        with np.errstate(all="raise"):
            loud = leaves(FUNCTIONS[name](given))
        for one, other in zip(quiet, loud, strict=True):
            got, want = (np.asarray(each) for each in (one, other))
            assert got.dtype == want.dtype
            assert got.tobytes() == want.tobytes(), regime


@pytest.mark.parametrize("dtype", FORMATS)
def test_an_exponential_that_overflows_or_vanishes_is_silent_in_every_form_of_y_hat(dtype: str) -> None:
    X, W = (np.array(a, FORMATS[dtype].dtype) for a in ([[-100.0], [100.0], [np.nan]], [[100.0]]))
    wanted = np.array([0.0, 1.0, np.nan])
    with np.errstate(all="raise"):
        forms = [
            network.sigma(X * W),
            network.y_hat_of_product(X, W),
            network.y_hat_written_out(X, W),
            network.y_hat_by_components(X, W),
        ]
    for got in forms:
        assert got.dtype == X.dtype
        assert np.array_equal(got.ravel().astype(np.float64), wanted, equal_nan=True)
