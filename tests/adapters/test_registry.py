"""The registry lists without importing, loads what it lists, and says in one line what it cannot do."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import adapters
from adapters import AdapterError, AdapterMisbehaved
from adapters.modes import parse
from adapters.protocol import TRACED, describe, outputs_of, traced_of
from reference.arithmetic import KAPPA, Arithmetic
from reference.formats import FORMATS
from reference.types import Array, Outputs, Problem

# With one xdist worker: it imports the frameworks.
pytestmark = pytest.mark.xdist_group("registry")

# What a child must do without, beside its own framework.
HEAVY = ("torch", "jax", "flint", "click", "rich", "safetensors", "beartype", "hypothesis", "scipy")
STACK = (1,)  # with m, n, p = 2, 3, 2 one of the suite's shapes, so that JAX compiles no other


def problem(dtype: str, *stack: int) -> Problem:
    X, y, W = (np.full((*stack, *shape), 0.25) for shape in ((2, 3), (2, 2), (3, 2)))
    return Problem(*(array.astype(FORMATS[dtype].dtype) for array in (X, y, W)))


def assert_one_line(error: pytest.ExceptionInfo[Exception], *parts: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize("module", ["adapters", "adapters.worker", "adapters.isolated"])
def test_importing_imports_no_framework(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(HEAVY).isdisjoint(listed.split())


def test_a_child_does_without_jaxtyping() -> None:
    code = "import sys; sys.modules['jaxtyping'] = None; import adapters.worker, adapters.closed_form"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_listing_and_selecting_imports_no_framework() -> None:
    code = "import sys, adapters; adapters.select(outside=['a.b:c']); print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(HEAVY).isdisjoint(listed.split())


def test_the_required_frameworks_are_listed() -> None:
    frameworks = {spec.framework for spec in adapters.select()}
    assert frameworks == set(adapters.REQUIRED)
    assert tuple(spec.name for spec in adapters.select()) == adapters.CORE


def test_the_module_named_jax_imports_the_framework() -> None:
    adapter = adapters.load("jax")
    assert adapter.version == sys.modules["jax"].__version__
    assert sys.modules["jax"].__file__ != sys.modules["adapters.jax"].__file__


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", adapters.CORE)
@pytest.mark.long
def test_a_listed_adapter_keeps_its_contract(name: str, dtype: str) -> None:
    adapter = adapters.load(name)
    description = describe(adapter)
    assert (description.name, description.framework) == (name, parse(name).framework)
    assert dtype in description.dtypes
    given = problem(dtype, *STACK)
    outputs = outputs_of(name, adapter.evaluate(*given), given)
    assert all(array is not None for array in outputs)
    assert description.traces
    traced = traced_of(name, adapter.trace(*given), given)  # type: ignore[attr-defined]  # checked above
    assert set(traced) == set(TRACED)


@pytest.mark.long
@pytest.mark.parametrize("stack", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_any_number_of_stack_axes_is_taken(name: str, stack: tuple[int, ...]) -> None:
    given = problem("float32", *stack)
    outputs_of(name, adapters.load(name).evaluate(*given), given)


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", adapters.CORE)
def test_every_claim_has_a_source(name: str, dtype: str) -> None:
    claims = describe(adapters.load(name)).arithmetic[dtype]
    made = {field for field, value in vars(claims).items() if field != "sources" and value}
    assert made == set(claims.sources)


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", adapters.CORE)
def test_any_memory_is_taken_and_left_as_it_was(name: str, dtype: str) -> None:
    adapter = adapters.load(name)
    plain = problem(dtype, *STACK)
    want = outputs_of(name, adapter.evaluate(*plain), plain)
    for arrange in (reversed_in_memory, read_only, transposed_in_memory):
        given = Problem(*map(arrange, plain))
        before = [array.tobytes() for array in given]
        got = outputs_of(name, adapter.evaluate(*given), given)
        assert [array.tobytes() for array in given] == before
        assert [array.shape for array in got if array is not None] == [a.shape for a in want if a is not None]


def reversed_in_memory(array: Array) -> Array:
    return array[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1]


def transposed_in_memory(array: Array) -> Array:
    return array.swapaxes(-1, -2).copy().swapaxes(-1, -2)


def read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def test_jax_in_float64_leaves_the_switch_as_it_was() -> None:
    adapter = adapters.load("jax")
    adapter.evaluate(*problem("float64", *STACK))
    assert not sys.modules["jax"].config.jax_enable_x64


def test_only_narrows_by_adapter_and_by_framework() -> None:
    assert [spec.name for spec in adapters.select(only=["jax"])] == ["jax", "jax-jit"]
    assert [spec.name for spec in adapters.select(only=["jax-jit", "numpy"])] == ["numpy", "jax-jit"]


@pytest.mark.parametrize("among", [adapters.CORE, adapters.NAMED, ("numpy", "jax-jit")])
def test_a_pattern_chooses_from_all_named_modes(among: tuple[str, ...]) -> None:
    chosen = [spec.name for spec in adapters.select(only=["jax-jit*"], among=among)]
    assert sorted(chosen) == sorted(name for name in adapters.NAMED if name.startswith("jax-jit"))
    assert len(chosen) > 10
    assert chosen[0] == "jax-jit"


def test_a_pattern_chooses_what_is_planned_beside_the_named_modes() -> None:
    planned = (*adapters.CORE, "torch-compile-row_loss-closed_W")
    chosen = [spec.name for spec in adapters.select(only=["torch-comp*W"], among=planned)]
    assert chosen == ["torch-compile-row_loss-closed_W"]


def test_a_pattern_chooses_under_another_interpreter_too() -> None:
    chosen = adapters.select(only=["numpy*@some/bin/python"])
    assert [(spec.target, spec.python) for spec in chosen] == [
        ("numpy", "some/bin/python"),
        ("numpy-2threads", "some/bin/python"),
    ]


def test_a_pattern_that_nothing_fits_is_an_error() -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(only=["jxa*"])
    assert_one_line(error, "'jxa*'", "crosscheck adapters")


def test_an_adapter_from_outside_joins_the_selection_once() -> None:
    chosen = adapters.select(only=["numpy"], outside=["a.b:c", "a.b:c"])
    assert [spec.target for spec in chosen] == ["numpy", "a.b:c"]


@pytest.mark.parametrize(
    ("typo", "close"), [("nunpy", "numpy"), ("pytorch", "torch"), ("jax_jit", "jax-jit")]
)
def test_a_typo_in_a_name_suggests_the_name(typo: str, close: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(only=[typo])
    assert_one_line(error, repr(typo), f"did you mean {close!r}?")
    with pytest.raises(AdapterError) as error:
        adapters.load(typo)
    assert_one_line(error, repr(typo), f"did you mean {close!r}?")


@pytest.mark.parametrize("text", ["module", "a.b.c", ":object", "module:", "a b:c", "a..b:c", "a:b:c"])
def test_another_form_of_target_says_which_form_is_wanted(text: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(outside=[text])
    assert_one_line(error, repr(text), "package.module:object")


def test_a_framework_that_is_not_there_fails_unless_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else found(name))
    with pytest.raises(AdapterError) as error:
        adapters.select()
    assert_one_line(error, "not installed: jax;", "--only numpy,torch")
    assert not adapters.installed("jax-jit-vmap")
    assert adapters.select(only=["numpy"])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:adapter", "cannot load no_such_module:adapter: ModuleNotFoundError"),
        ("tests.faulty_adapters.import_error:adapter", "ImportError: the planted framework is not here"),
        ("tests.faulty_adapters.crash:Unreadable", "unreadable is no adapter: it has no framework, version"),
        ("json:JSONDecoder", "an object of type JSONDecoder is no adapter: it has no name, framework"),
    ],
)
def test_what_cannot_be_loaded_says_why(target: str, message: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.load_outside(target)
    assert_one_line(error, message)


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
    assert_one_line(error, message)


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
    assert_one_line(error, message)
    assert error.value.adapter == "it"


@pytest.mark.parametrize("result", [None, {"dz": RIGHT["y_hat"]}, {"z": RIGHT["loss"]}])
def test_what_is_no_trace_is_named(result: object) -> None:
    with pytest.raises(AdapterMisbehaved) as error:
        traced_of("it", result, GIVEN)
    assert_one_line(error, "it ")
