"""What an adapter from outside must state and return; what is not so is named in one line."""

from __future__ import annotations

import numpy as np
import pytest
from command_line import assert_one_line

from adapters import AdapterError, AdapterMisbehaved
from adapters.protocol import describe, outputs_of, traced_of
from reference.arithmetic import KAPPA, Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs, Problem


def problem(dtype: str, *stack: int) -> Problem:
    X, y, W = (np.full((*stack, *shape), 0.25) for shape in ((2, 3), (2, 2), (3, 2)))
    return Problem(*(array.astype(FORMATS[dtype].dtype) for array in (X, y, W)))


class Outsider:
    """As small as an adapter can be."""

    name, framework, version, dtypes = "outsider", "none", "0", ("float32",)

    def evaluate(self, X: Array, y: Array, W: Array) -> object:
        """Nothing; the tests give results of their own."""


def test_an_outsider_without_claims_gets_the_reference_s_kappa() -> None:
    assert describe(Outsider()).arithmetic["float32"] == Arithmetic(KAPPA["float32"])


def test_an_outsider_claims_by_a_mapping_and_needs_no_import_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outsider, "arithmetic", lambda _, dtype: {"flush": dtype == "float32"}, raising=False)
    assert describe(Outsider()).arithmetic["float32"] == Arithmetic(KAPPA["float32"], flush=True)


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("dtypes", ("float32", "float8"), "outsider states dtypes: 'float8'"),
        ("dtypes", (), "outsider states dtypes: none"),
        ("max_stack", 0, "outsider: max_stack is 0"),
        ("max_callers", 0, "outsider: max_callers is 0"),
        ("threads", "two", "outsider: threads is 'two'"),
        ("arithmetic", lambda *_: {"kapa": 3.0}, "outsider: arithmetic('float32') is not understood"),
        ("arithmetic", lambda *_: 3.0, "is not understood: "),
        (
            "arithmetic",
            lambda *_: int("boom"),
            "outsider: arithmetic('float32') raised ValueError: invalid",
        ),
        ("version", property(lambda _: int("boom")), "outsider: version raised ValueError: invalid literal"),
        ("name", property(lambda _: int("boom")), "an object of type Outsider: name raised ValueError"),
        ("name", "", "an object of type Outsider: name is '', want printable text on one line"),
        ("name", "a\nb", "an object of type Outsider: name is 'a\\nb', want printable text"),
        ("name", "\x1b[31m", "an object of type Outsider: name is '\\x1b[31m', want printable text"),
        ("framework", "a\rb", "outsider: framework is 'a\\rb', want printable text on one line"),
        ("dtypes", None, "outsider: dtypes raised TypeError: 'NoneType' object is not iterable"),
        ("dtypes", [["float32"]], "outsider states dtypes: ['float32']; the suite has"),
    ],
)
def test_a_member_that_is_not_what_the_contract_says_is_named(
    member: str, value: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Outsider, member, value, raising=False)
    with pytest.raises(AdapterError) as error:
        describe(Outsider())
    assert_one_line(error.value, message)


GIVEN = problem("float32", 4)
RIGHT = {
    "y_hat": np.zeros((4, 2, 2), np.float32),
    "loss": np.zeros(4, np.float32),
    "grad": np.zeros((4, 3, 2), np.float32),
}


@pytest.mark.parametrize(
    "result", [tuple(RIGHT.values()), Outputs(**RIGHT), RIGHT, {**RIGHT, "row_loss": None}]
)
def test_a_tuple_or_a_mapping_is_a_result(result: object) -> None:
    outputs = outputs_of("it", result, GIVEN)
    assert outputs.grad is RIGHT["grad"]
    assert outputs.row_loss is None


def test_a_numpy_scalar_is_the_loss_of_one_problem() -> None:
    assert outputs_of("it", {"loss": np.float32(1)}, problem("float32")).loss == np.asarray(1, np.float32)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "it returned NoneType, want (y_hat, loss, grad) or a mapping"),
        ((1, 2), "it returned tuple of 2, want (y_hat, loss, grad) or a mapping"),
        ({}, "it returned no output at all"),
        ({**RIGHT, "gradient": None}, "it returned an output called 'gradient'"),
        ({**RIGHT, "loss": 0.0}, "it returned loss as float, want numpy.ndarray"),
        ({**RIGHT, "loss": [0.0] * 4}, "it returned loss as list of 4, want numpy.ndarray"),
        ({**RIGHT, "loss": np.zeros(4)}, "it returned loss in float64, want float32"),
        ({**RIGHT, "loss": np.zeros((4, 1), np.float32)}, "it returned loss of shape (4, 1), want (4,)"),
        (
            {**RIGHT, "grad": np.zeros((4, 2, 3), np.float32)},
            "it returned grad of shape (4, 2, 3), want (4, 3, 2)",
        ),
        ({**RIGHT, "y_hat": np.full((4, 2, 2), None)}, "it returned y_hat in object, want float32"),
    ],
)
def test_what_is_no_result_is_named(result: object, message: str) -> None:
    with pytest.raises(AdapterMisbehaved) as error:
        outputs_of("it", result, GIVEN)
    assert_one_line(error.value, message)
    assert error.value.adapter == "it"


@pytest.mark.parametrize("result", [None, {"dz": RIGHT["y_hat"]}, {"z": RIGHT["loss"]}])
def test_what_is_no_trace_is_named(result: object) -> None:
    with pytest.raises(AdapterMisbehaved) as error:
        traced_of("it", result, GIVEN)
    assert_one_line(error.value, "it ")
